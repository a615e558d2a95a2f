#include "compress/format/half.hpp"

#include <doctest/doctest.h>

#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::format;

TEST_CASE(
    "16-bit weights take about half of what 32-bit ones take, few values hardly more than 32-bit "
    "ones") {
  PackedModel model;
  model.input_shape = {1, 1, 300};
  model.layers = {samples::weighted(LayerKind::kDense, {10, 300}, 32, 1)};
  model.layers[0].bias.clear();
  const auto wide = static_cast<double>(write(model).size());
  for (float& v : model.layers[0].weight.values) v = from_half(to_half(v));
  model.layers[0].weight.bits = 16;
  const Bytes file = write(model);
  CHECK(version_for(model) == 2);
  CHECK(read(file, "half") == model);
  CHECK(static_cast<double>(file.size()) < 0.51 * wide);

  auto few = samples::clustered_dense(true, 10, 16);  // values that 16 bits hold
  const std::size_t before = write(few).size();
  few.layers[0].weight.bits = 16;
  CHECK(read(write(few), "few") == few);
  CHECK(write(few).size() + 2 * 15 <= before + 1);  // the palette's two bytes a value
}
