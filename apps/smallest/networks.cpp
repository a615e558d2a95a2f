#include "apps/smallest/networks.hpp"

#include <string_view>
#include <utility>

#include "core/base/text.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/depthwise_conv2d.hpp"
#include "layers/dropout.hpp"
#include "layers/flatten.hpp"
#include "layers/model_json.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "layers/residual.hpp"

namespace espalier::apps {
namespace {

// Layer by layer, with the shape at hand.
class Builder {
 public:
  Builder(const Task& task, Rng& rng) : shape_(task.image), rng_(rng) {}

  template <class L>
  void add(const std::string& name, L layer, const Wires& wires = {}) {
    shape_ = layer.output_shape(shape_);
    model_.add(name, std::move(layer), wires);
  }
  void conv(const std::string& name, std::int64_t out, std::int64_t kernel, Padding padding) {
    add(name, Conv2d({.in = shape_[2], .out = out, .kernel = kernel, .padding = padding}, rng_));
  }
  void conv_norm(const std::string& name, std::int64_t out, std::int64_t stride) {
    add(name, Conv2d({.in = shape_[2],
                      .out = out,
                      .kernel = 3,
                      .stride = stride,
                      .padding = Padding::same()},
                     rng_));
    add(name + "_norm", BatchNorm({.channels = out, .momentum = 0.9f}));
  }
  // Two convolutions, and what went in added to what comes out; where the shapes differ, what went in
  // passes a 1x1 convolution first.
  void residual_block(const std::string& name, std::int64_t out, std::int64_t stride) {
    const std::string before = model_.layers().back().name;
    const Shape in = shape_;
    conv_norm(name + "_conv1", out, stride);
    add(name + "_relu1", Relu());
    conv_norm(name + "_conv2", out, 1);
    std::string shortcut = before;
    if (shape_ != in) {
      shape_ = in;
      shortcut = name + "_conv2_norm";
      add(name + "_shortcut",
          Conv2d({.in = in[2], .out = out, .kernel = 1, .stride = stride}, rng_), {.from = before});
    }
    add(name, Residual(), {.with = shortcut});
    add(name + "_relu2", Relu());
  }
  // Each channel by a kernel of its own, then all of them by a 1x1 convolution.
  void separable_block(const std::string& name, std::int64_t out) {
    add(name + "_depthwise",
        DepthwiseConv2d({.channels = shape_[2], .kernel = 3, .padding = Padding::same()}, rng_));
    norm(name + "_norm1");
    add(name + "_relu1", Relu());
    add(name + "_pointwise", Conv2d({.in = shape_[2], .out = out, .kernel = 1}, rng_));
    norm(name + "_norm2");
    add(name + "_relu2", Relu());
  }
  // Nine in a row want statistics that keep up with the weights, in runs of few steps too.
  void norm(const std::string& name) {
    add(name, BatchNorm({.channels = shape_[2], .momentum = 0.9f}));
  }
  // MLPerf Tiny's for keywords (Banbury et al. 2021; Zhang et al. 2017, "Hello edge").
  void dscnn(std::int64_t width) {
    // There 10x4, of a spectrogram of 49 times and 10 frequencies.
    const Size2d kernel = shape_[0] >= 3 * shape_[1] ? Size2d{10, 4} : Size2d{3};
    add("stem", Conv2d({.in = shape_[2],
                        .out = width,
                        .kernel = kernel,
                        .stride = 2,
                        .padding = Padding::same()},
                       rng_));
    norm("stem_norm");
    add("stem_relu", Relu());
    for (int i = 1; i <= 4; ++i) separable_block("block" + std::to_string(i), width);
    global_average_pool();
  }
  void global_average_pool() {
    add("pool", AveragePool2d({.kernel = {shape_[0], shape_[1]}}));
    add("flatten", Flatten());
  }
  void dense(const std::string& name, std::int64_t out, Init init) {
    add(name, Dense({.in = shape_[0], .out = out, .init = init}, rng_));
  }
  Sequential finish() { return std::move(model_); }

 private:
  Shape shape_;
  Rng& rng_;
  Sequential model_;
};

}  // namespace

const std::vector<NetworkKind>& network_kinds() {
  static const std::vector<NetworkKind> all = {
      {"lenet5",
       "LeNet-5-Caffe: two convolutions 5x5, a hidden dense layer",
       {20, 50, 500},
       {{8, 16, 32}, {8, 20, 40}}},
      {"lenet300", "LeNet-300-100: two hidden dense layers", {300, 100}, {{64, 32}, {96, 48}}},
      {"tutorial-small", "one convolution 3x3, no hidden dense layer", {12}, {{6}, {12}}},
      {"tutorial-large",
       "two padded convolutions 5x5, a hidden dense layer; no batch norm",
       {32, 64, 1024},
       {{16, 32, 128}, {32, 64, 256}}},
      {"mlp", "one hidden dense layer of 128, on pixels or columns", {128}, {{16}, {32}}},
      {"tabular",
       "two hidden dense layers of 64 and 32, for rows of a table",
       {64, 32},
       {{8, 8}, {16, 8}}},
      {"resnet8",
       "three residual blocks of two convolutions 3x3, for colour images of 32x32",
       {16, 32, 64},
       {{8, 16, 32}, {16, 32, 64}}},
      {"dscnn",
       "a convolution and four depthwise-separable blocks, all of one width",
       {64},
       {{16}, {32}}},
  };
  return all;
}

std::string network_list() {
  std::string list;
  for (const NetworkKind& kind : network_kinds())
    list += "\n  " + pad_right(kind.name, 15) + kind.description;
  return list;
}

const NetworkKind& network_kind(const std::string& name) {
  std::vector<std::string> known;
  for (const NetworkKind& kind : network_kinds()) {
    if (kind.name == name) return kind;
    known.push_back(kind.name);
  }
  const std::string near = nearest(name, known);
  fail(ErrorKind::kUsage, "networks", "there is no network ", name,
       near.empty() ? "" : "; did you mean '" + near + "'?", "; there are ", join(known, ", "));
}

NetworkKind network_of_json(std::string name, std::string json) {
  return {.name = std::move(name),
          .description = "a model.json",
          .widths = {},
          .small = {{}},
          .json = std::move(json)};
}

namespace {

Sequential built_in(const NetworkKind& kind, const std::vector<std::int64_t>& widths,
                    const Task& task, Rng& rng, float dropout) {
  Builder b(task, rng);
  if (kind.name == "lenet300" || kind.name == "mlp" || kind.name == "tabular") {
    b.add("flatten", Flatten());
    for (std::size_t i = 0; i < widths.size(); ++i) {
      b.dense("dense" + std::to_string(i + 1), widths[i], Init::kHeNormal);
      b.add("relu" + std::to_string(i + 1), Relu());
    }
    if (dropout > 0) b.add("dropout", Dropout(dropout));
    b.dense("dense" + std::to_string(widths.size() + 1), task.classes, Init::kGlorotUniform);
    return b.finish();
  }
  if (kind.name == "resnet8") {  // MLPerf Tiny's for CIFAR-10 (Banbury et al. 2021)
    b.conv_norm("stem", widths[0], 1);
    b.add("stem_relu", Relu());
    for (std::size_t i = 0; i < 3; ++i)
      b.residual_block("block" + std::to_string(i + 1), widths[i], i == 0 ? 1 : 2);
    b.global_average_pool();
    if (dropout > 0) b.add("dropout", Dropout(dropout));
    b.dense("dense", task.classes, Init::kGlorotUniform);
    return b.finish();
  }
  if (kind.name == "dscnn") {
    b.dscnn(widths[0]);
    if (dropout > 0) b.add("dropout", Dropout(dropout));
    b.dense("dense", task.classes, Init::kGlorotUniform);
    return b.finish();
  }
  const bool one = kind.name == "tutorial-small", large = kind.name == "tutorial-large";
  b.conv("conv1", widths[0], one ? 3 : 5, large ? Padding::same() : Padding::valid());
  b.add("relu1", Relu());
  b.add("pool1", MaxPool2d());
  if (one) {
    b.add("flatten", Flatten());
    b.dense("dense", task.classes, Init::kGlorotUniform);
    return b.finish();
  }
  b.conv("conv2", widths[1], 5, large ? Padding::same() : Padding::valid());
  b.add("relu2", Relu());
  b.add("pool2", MaxPool2d());
  b.add("flatten", Flatten());
  b.dense("dense1", widths[2], Init::kHeNormal);
  b.add("relu3", Relu());
  if (dropout > 0) b.add("dropout", Dropout(dropout));
  b.dense("dense2", task.classes, Init::kGlorotUniform);
  return b.finish();
}

}  // namespace

Sequential make_network(const NetworkKind& kind, const std::vector<std::int64_t>& widths,
                        const Task& task, Rng& rng, float dropout) {
  require(widths.size() == kind.widths.size(), "networks", kind.name, " has ", kind.widths.size(),
          " hidden layers, got ", widths.size(), " widths");
  if (!kind.json.empty()) return parse_model_json(kind.json, kind.name, {.seed = rng.next()}).model;
  try {
    return built_in(kind, widths, task, rng, dropout);
  } catch (const Error& error) {
    const bool row = task.image[0] == 1 && task.image[1] == 1;
    fail(error.kind(), "--model", kind.name,
         row ? " is for pictures, and these are rows of " : " wants larger pictures than ",
         row ? std::to_string(task.image[2]) + " numbers" : "these", " (", error.what(),
         row ? "); --model tabular and mlp take rows"
             : "); --model mlp takes any, --size resizes those of a folder");
  }
}

}  // namespace espalier::apps
