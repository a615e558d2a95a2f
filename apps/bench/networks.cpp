#include "apps/bench/networks.hpp"

#include <algorithm>

#include "compress/format/validate.hpp"
#include "core/base/rng.hpp"

namespace espalier::bench {
namespace {

using format::LayerKind;
using format::PackedLayer;
using format::PackedModel;

constexpr std::array<std::int64_t, 3> kDigit{28, 28, 1};

// Appends layers to a model of levels; each knows its input's shape.
class Builder {
 public:
  Builder(std::array<std::int64_t, 3> input, const Zeros& zeros) : zeros_(zeros) {
    model_.input_shape = shape_ = input;
    model_.input = {1.0f / 127, 0};
  }

  Builder& conv(std::int64_t filters, std::int64_t kernel, std::int64_t pad) {
    PackedLayer l = layer(LayerKind::kConv2d);
    l.kernel_h = l.kernel_w = kernel;
    l.pad_top = l.pad_left = l.pad_bottom = l.pad_right = pad;
    set_weights(l, {filters, kernel, kernel, shape_[2]});
    return add(std::move(l), "conv", filters);
  }
  Builder& dense(std::int64_t units, bool last = false) {
    PackedLayer l = layer(LayerKind::kDense);
    set_weights(l, {units, shape_[2]});
    if (last) l.relu = false, l.output = {};
    return add(std::move(l), "dense", units);
  }
  Builder& pool() {
    PackedLayer l = layer(LayerKind::kMaxPool2d);
    l.kernel_h = l.kernel_w = l.stride_h = l.stride_w = 2;
    return add(std::move(l), "pool", shape_[2]);
  }
  Builder& norm() {
    PackedLayer l = layer(LayerKind::kBatchNorm);
    l.multiplier.assign(static_cast<std::size_t>(shape_[2]), 0.7f);
    l.offset.assign(static_cast<std::size_t>(shape_[2]), -2.5f);
    l.output = {1.0f / 127, 64};
    return add(std::move(l), "norm", shape_[2]);
  }
  Builder& flatten() { return add(layer(LayerKind::kFlatten), "flatten", shape_[2]); }
  PackedModel done() { return std::move(model_); }

 private:
  static PackedLayer layer(LayerKind kind) {
    PackedLayer l;
    l.kind = kind;
    return l;
  }

  Builder& add(PackedLayer l, const char* name, std::int64_t channels) {
    l.name = name + std::to_string(model_.layers.size() + 1);
    shape_ = format::output_shape(l, channels, shape_, ErrorKind::kInternal, "networks");
    model_.layers.push_back(std::move(l));
    return *this;
  }

  // Levels of at most 40, so that no sum of these networks reaches 2^24.
  void set_weights(PackedLayer& l, std::vector<std::int64_t> shape) {
    const std::int64_t outputs = shape[0];
    std::int64_t inputs = 1;
    for (std::size_t i = 1; i < shape.size(); ++i) inputs *= shape[i];
    l.weight.shape = std::move(shape);
    l.weight.bits = 8;
    l.weight.scales = {0.002f};
    l.weight.levels.resize(static_cast<std::size_t>(outputs * inputs));
    const std::int64_t high = zeros_.outputs, wide = zeros_.inputs;
    for (std::int64_t o = 0; o < outputs; o += high)
      for (std::int64_t i = 0; i < inputs; i += wide) {
        if (static_cast<double>(rng_.uniform()) < zeros_.share) continue;
        for (std::int64_t r = o; r < std::min(o + high, outputs); ++r)
          for (std::int64_t c = i; c < std::min(i + wide, inputs); ++c) {
            const auto level = static_cast<std::int8_t>(1 + rng_.below(40));
            l.weight.levels[static_cast<std::size_t>(r * inputs + c)] =
                rng_.below(2) ? level : static_cast<std::int8_t>(-level);
          }
      }
    l.bias_levels.assign(static_cast<std::size_t>(outputs), 100);
    l.relu = true, l.output = {0.02f, 0};
  }

  Zeros zeros_;
  Rng rng_{1, "bench"};
  PackedModel model_;
  std::array<std::int64_t, 3> shape_;
};

}  // namespace

std::vector<Network> networks() {
  return {
      {"small",
       [](const Zeros& zeros) {
         return Builder(kDigit, zeros).conv(12, 3, 0).pool().flatten().dense(10, true).done();
       }},
      {"lenet5",
       [](const Zeros& zeros) {
         Builder b(kDigit, zeros);
         b.conv(6, 5, 2).pool().conv(16, 5, 0).pool().flatten();
         return b.dense(120).dense(84).dense(10, true).done();
       }},
      {"lenet300",
       [](const Zeros& zeros) {
         return Builder(kDigit, zeros).flatten().dense(300).dense(100).dense(10, true).done();
       }},
      {"large",
       [](const Zeros& zeros) {
         Builder b(kDigit, zeros);
         b.conv(32, 5, 2).pool().norm().conv(64, 5, 2).pool().flatten();
         return b.dense(1024).dense(10, true).done();
       }},
  };
}

}  // namespace espalier::bench
