#include "apps/verify/verification.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compress/format/validate.hpp"
#include "compress/runtime/reference/steps.hpp"
#include "compress/runtime/session.hpp"
#include "compress/runtime/stages.hpp"
#include "core/tensor/argmax.hpp"

namespace espalier::apps {
namespace {

constexpr std::int64_t kBatch = 100;

using format::LayerKind;

struct Block {
  std::string name;
  Tensor values;  // real numbers
};

// What the convolutions, dense layers and sums yield, by the reference executor.
std::vector<Block> blocks_of(const format::PackedModel& model, const Tensor& images) {
  using namespace runtime::reference;
  std::vector<Block> blocks;
  bool open = false;
  run_layers(model, images, [&](std::size_t i, const Activation&, const Activation& y) {
    const auto& layer = model.layers[i];
    if (format::has_weight(layer.kind) || layer.kind == LayerKind::kResidual)
      blocks.push_back({layer.name, {}}), open = true;
    else
      open = open && layer.from == 1 &&
             (layer.kind == LayerKind::kBatchNorm || layer.kind == LayerKind::kRelu);
    if (open) blocks.back().values = dequantized(y).values;
  });
  return blocks;
}

void add_noise(LayerNoise& layer, const Tensor& a, const Tensor& b) {
  layer.compared = a.shape() == b.shape();
  if (!layer.compared) return;
  const auto of_a = a.values(), of_b = b.values();
  for (std::size_t i = 0; i < of_b.size(); ++i) {
    const double difference = double{of_a[i]} - of_b[i];
    layer.signal += double{of_b[i]} * of_b[i];
    layer.noise += difference * difference;
  }
}

void compare_layers(Verification& v, const runtime::Model& a, const runtime::Model& b,
                    const datasets::Dataset& data) {
  constexpr std::int64_t kFew = 20;  // large networks' activations take megabytes an image
  datasets::for_each_batch(data, v.noise_images, kFew, [&](const datasets::Batch& batch) {
    const auto of_a = blocks_of(a.packed(), batch.images),
               of_b = blocks_of(b.packed(), batch.images);
    v.layers.resize(of_a.size());
    for (std::size_t i = 0; i < of_a.size(); ++i) {
      v.layers[i].name = of_a[i].name;
      if (of_a.size() == of_b.size()) add_noise(v.layers[i], of_a[i].values, of_b[i].values);
    }
  });
}

}  // namespace

double LayerNoise::decibels() const {
  return noise == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(signal / noise);
}

Verification verify(const runtime::Model& a, const runtime::Model& b, const datasets::Dataset& data,
                    std::int64_t noise_images, const std::function<void(std::int64_t)>& progress) {
  runtime::Session of_a(a, {.batch = kBatch}), of_b(b, {.batch = kBatch});
  require(of_a.classes() == of_b.classes(), "verify", "the first model tells ", of_a.classes(),
          " classes apart, the second ", of_b.classes());
  const auto classes = of_a.classes();
  const auto target = a.packed().target;
  require(target.has_value() == data.has_targets(), "verify",
          target ? "the model predicts numbers, the data has classes"
                 : "the model tells classes apart, the data has numbers to predict");
  const auto in_units = [&](float output) {
    return double{target->mean} + double{target->deviation} * double{output};
  };
  Verification v;
  if (target) v.a_numbers.emplace(), v.b_numbers.emplace();
  v.images = data.size();
  v.noise_images = std::min(noise_images, data.size());
  std::int64_t seen = 0;
  datasets::for_each_batch(data, data.size(), kBatch, [&](const datasets::Batch& batch) {
    const auto x = of_a.run(batch.images), y = of_b.run(batch.images);
    for (std::size_t i = 0; i < x.size(); ++i) {
      require(std::isfinite(x[i]) && std::isfinite(y[i]), ErrorKind::kCorrupt, "verify", "image ",
              seen + static_cast<std::int64_t>(i) / classes, " gives a logit that is not finite");
      v.largest_logit = std::max(v.largest_logit, std::abs(double{y[i]}));
      const double difference = std::abs(double{x[i]} - y[i]);
      if (difference <= v.largest_difference) continue;
      v.largest_difference = difference;
      v.image = seen + static_cast<std::int64_t>(i) / classes;
      v.label = static_cast<std::int64_t>(i) % classes;
    }
    for (std::size_t i = 0; target && i < batch.targets.size(); ++i) {
      v.a_numbers->add(in_units(x[i]), in_units(batch.targets[i]));
      v.b_numbers->add(in_units(y[i]), in_units(batch.targets[i]));
    }
    const auto guesses = argmax_rows(x, classes), others = argmax_rows(y, classes);
    for (std::size_t i = 0; i < guesses.size() && !target; ++i) {
      v.a_right += guesses[i] == batch.labels[i];
      v.b_right += others[i] == batch.labels[i];
      v.agree += guesses[i] == others[i];
    }
    seen += std::ssize(batch.labels);
    if (progress) progress(seen);
  });
  if (target) {
    v.largest_difference *= double{target->deviation};
    v.largest_logit *= double{target->deviation};
  }
  compare_layers(v, a, b, data);
  return v;
}

}  // namespace espalier::apps
