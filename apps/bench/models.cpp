#include "apps/bench/models.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <utility>

#include "apps/smallest/networks.hpp"
#include "compress/pack/pack.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "core/base/text.hpp"
#include "datasets/mnist.hpp"
#include "datasets/subset.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/batch_norm.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/tutorial_models.hpp"
#include "optim/training/fit.hpp"

namespace espalier::bench {
namespace {

const Shape kImage{28, 28, 1};
constexpr std::int64_t kDigits = 2048, kCalibrationImages = 256;

bool has_batch_norm(const Sequential& model) {
  return std::ranges::any_of(model.layers(), [](const auto& named) {
    return dynamic_cast<const BatchNorm*>(named.layer.get()) != nullptr;
  });
}

void prune(format::StoredWeight& weight, const Zeros& zeros) {
  const std::int64_t outputs = weight.shape[0], inputs = std::ssize(weight.levels) / outputs;
  const std::int64_t high = zeros.outputs, wide = zeros.inputs;
  // Calls `use` with each level of the block, counted along the inputs first.
  const std::int64_t across = (inputs + wide - 1) / wide, down = (outputs + high - 1) / high;
  const auto for_block = [&](std::int64_t block, const auto& use) {
    const std::int64_t o = block / across * high, i = block % across * wide;
    for (std::int64_t r = o; r < std::min(o + high, outputs); ++r)
      for (std::int64_t c = i; c < std::min(i + wide, inputs); ++c)
        use(weight.levels[static_cast<std::size_t>(r * inputs + c)]);
  };
  std::vector<std::pair<std::int64_t, std::int64_t>> blocks;  // sum of magnitudes, number
  for (std::int64_t block = 0; block < across * down; ++block) {
    std::int64_t sum = 0;
    for_block(block, [&](std::int8_t level) { sum += std::abs(level); });
    blocks.emplace_back(sum, block);
  }
  std::ranges::sort(blocks);
  blocks.resize(static_cast<std::size_t>(zeros.share * static_cast<double>(blocks.size())));
  for (const auto& [sum, block] : blocks) for_block(block, [](std::int8_t& level) { level = 0; });
}

}  // namespace

const std::vector<std::string>& model_names() {
  static const std::vector<std::string> all = {"small", "lenet5",  "lenet300",
                                               "large", "resnet8", "dscnn"};
  return all;
}

Sequential training_model(const std::string& name) {
  require(std::ranges::count(model_names(), name) == 1, "bench", "there is no model ", name,
          "; there are ", join(model_names(), ", "));
  if (name == "small") return small_model(1);
  if (name == "large") return large_model(1);
  Rng rng(1, "init");
  const auto& kind = apps::network_kind(name);
  return apps::make_network(kind, kind.widths, {}, rng);
}

std::int64_t training_batch(const std::string& name) {
  return name == "small" ? 32 : 128;
}

TrainedModel& trained_model(const std::string& name) {
  static std::map<std::string, TrainedModel> made;
  const auto found = made.find(name);
  if (found != made.end()) return found->second;
  Sequential model = training_model(name), quantized = training_model(name);
  if (!has_batch_norm(model))
    training::fit(model, digits(), {.epochs = 2, .batch_size = 32, .quiet = true});
  copy_parameters(model, quantized);
  quantize::QuantizationAware quantizer({});
  quantizer.attach(quantized);
  quantizer.calibrate(digits(), kCalibrationImages);
  quantizer.bake();
  auto float32 = pack::pack(model, kImage);
  auto int8 = pack::pack(quantizer.network(), kImage);
  return made.emplace(name, TrainedModel{std::move(model), std::move(float32), std::move(int8)})
      .first->second;
}

format::PackedModel pruned(format::PackedModel packed, const Zeros& zeros) {
  for (auto& layer : packed.layers)
    if (!layer.weight.levels.empty()) prune(layer.weight, zeros);
  return packed;
}

const Digits& digits_source() {
  static const Digits source = [] {
    const auto mnist = datasets::load_mnist();
    if (!mnist)
      return Digits{datasets::synthetic_digits({.train = kDigits, .test = 1}).train,
                    "synthetic digits"};
    return Digits{datasets::first(mnist->train, kDigits), "MNIST"};
  }();
  return source;
}

const datasets::Dataset& digits() {
  return *digits_source().images;
}

}  // namespace espalier::bench
