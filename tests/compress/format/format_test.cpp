#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "core/base/rng.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::format;
namespace {

PackedModel dense_model(int bits, std::int64_t inputs, double sparsity) {
  Rng rng(3, "test");
  PackedModel model;
  model.input_shape = {1, 1, inputs};
  PackedLayer layer;
  layer.kind = LayerKind::kDense;
  layer.weight.shape = {4, inputs};
  layer.weight.bits = bits;
  const std::int32_t q = (1 << (std::min(bits, 8) - 1)) - 1;
  for (std::int64_t i = 0; i < 4 * inputs; ++i) {
    const bool zero = rng.uniform() < sparsity;
    const float v = rng.normal();
    if (bits == 32) {
      layer.weight.values.push_back(zero ? 0.0f : v);
    } else {
      const auto level = static_cast<std::int32_t>(std::round(v * static_cast<float>(q) / 3));
      layer.weight.levels.push_back(static_cast<std::int8_t>(zero ? 0 : std::clamp(level, -q, q)));
    }
  }
  if (bits == 32) {
    layer.bias = {0.5f, -1, 0, 2};
  } else {
    layer.weight.scales = {0.1f, 0.2f, 0.3f, 0.4f};
    layer.bias_levels = {1, -2, 0, 300};
    model.input = {1.0f / 127, 0};
  }
  model.layers = {layer};
  return model;
}

}  // namespace

TEST_CASE("a model reads back as it was written, for every width") {
  for (const int bits : {2, 3, 4, 5, 6, 7, 8, 32})
    for (const double sparsity : {0.0, 0.8, 1.0}) {
      const PackedModel model = dense_model(bits, 50, sparsity);
      CHECK(read(write(model), "a.esp") == model);
    }
}

TEST_CASE("zeros cost little: 90 % sparse 8-bit levels take under 1.6 bits a weight") {
  const double bits = 8.0 * static_cast<double>(write(dense_model(8, 2000, 0.9)).size());
  CHECK(bits / 8000 < 1.6);
}

TEST_CASE("a channel whose sums could reach 2^24 is refused, by the writer and by the reader") {
  PackedModel model = dense_model(8, 1040, 0.0);
  for (auto& level : model.layers[0].weight.levels) level = 127;
  model.layers[0].bias_levels = {0, 0, 0, 0};
  const std::int64_t room = (1 << 24) - 127 * 127 * 1040;  // 3056 steps are left to the bias
  model.layers[0].bias_levels[2] = static_cast<std::int32_t>(room - 1);
  CHECK(read(write(model), "a.esp") == model);
  model.layers[0].bias_levels[2] = static_cast<std::int32_t>(-room);
  CHECK_THROWS_AS(write(model), Error);
  model.layers[0].bias_levels[2] = 1;
  model.layers[0].bias_shift = 31;
  CHECK_THROWS_AS(write(model), Error);
  CHECK_THROWS_WITH_AS(read(samples::unchecked(model, Coding::kRange), "a.esp"),
                       doctest::Contains("2^24"), Error);
}
