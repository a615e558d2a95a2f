#include "apps/bench/models.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <numeric>

#include "apps/smallest/networks.hpp"
#include "compress/pack/pack.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "core/base/text.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/tutorial_models.hpp"

namespace espalier::bench {
namespace {

const Shape kImage{28, 28, 1};
constexpr std::int64_t kDigits = 2048, kCalibrationImages = 256;

}  // namespace

const std::vector<std::string>& model_names() {
  static const std::vector<std::string> all = {"small", "lenet5", "lenet300", "large"};
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

format::PackedModel float_model(const std::string& name) {
  Sequential model = training_model(name);
  return pack::pack(model, kImage);
}

format::PackedModel int8_model(const std::string& name) {
  Sequential model = training_model(name);
  quantize::QuantizationAware quantizer({});
  quantizer.attach(model);
  quantizer.calibrate(digits(), kCalibrationImages);
  quantizer.bake();
  return pack::pack(quantizer.network(), kImage);
}

format::PackedModel pruned(format::PackedModel packed, double share) {
  for (auto& layer : packed.layers) {
    auto& levels = layer.weight.levels;
    std::vector<std::size_t> order(levels.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return std::abs(levels[i]); });
    order.resize(static_cast<std::size_t>(share * static_cast<double>(levels.size())));
    for (const std::size_t i : order) levels[i] = 0;
  }
  return packed;
}

const datasets::Dataset& digits() {
  static const auto all = datasets::synthetic_digits({.train = kDigits, .test = 1});
  return *all.train;
}

}  // namespace espalier::bench
