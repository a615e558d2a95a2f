#include <doctest/doctest.h>

#include <cmath>

#include "compress/format/limits.hpp"
#include "compress/format/reader.hpp"
#include "compress/format/weight_coder.hpp"
#include "compress/format/writer.hpp"
#include "core/base/file.hpp"
#include "core/base/rng.hpp"

using namespace espalier;
using namespace espalier::format;

namespace {

PackedModel example() {
  PackedModel model;
  model.input_shape = {1, 1, 4};
  PackedLayer dense;
  dense.weight = {{2, 4}, 2, {}, {1, 0, 0, -1, 0, 0, 1, 0}, {0.5f}};
  dense.bias_levels = {3, -1};
  model.input.scale = 0.25f;
  model.layers = {dense};
  return model;
}

PackedLayer weighted(LayerKind kind, std::vector<std::int64_t> shape, int bits, double density) {
  Rng rng(5, "weights");
  PackedLayer layer;
  layer.kind = kind;
  std::int64_t count = 1;
  for (auto v : shape) count *= v;
  layer.weight.shape = shape;
  layer.weight.bits = bits;
  const auto rows = static_cast<std::size_t>(shape[0]);
  const int top = bits == 32 ? 0 : (1 << (bits - 1)) - 1;
  for (std::int64_t i = 0; i < count; ++i) {
    const bool zero = rng.uniform() >= density;
    if (bits == 32)
      layer.weight.values.push_back(zero ? 0.0f : rng.normal());
    else
      layer.weight.levels.push_back(static_cast<std::int8_t>(
          zero ? 0 : static_cast<int>(rng.below(static_cast<std::uint64_t>(2 * top + 1))) - top));
  }
  if (bits == 32)
    layer.bias.assign(rows, -0.0f);
  else
    layer.weight.scales.assign(rows, 0.01f), layer.bias_levels.assign(rows, -70000);
  return layer;
}

PackedModel network(int bits, double density) {
  PackedModel model;
  model.input_shape = {9, 8, 2};
  model.input_mean = 0.13f, model.input_deviation = 0.31f;
  model.labels = {"zero", "", "two"};
  auto conv = weighted(LayerKind::kConv2d, {5, 3, 2, 2}, bits, density);
  conv.name = "conv1";
  conv.kernel_h = 3, conv.kernel_w = 2, conv.stride_w = 2, conv.pad_left = 1, conv.relu = true;
  if (bits < 32) {
    model.input = {1.0f / 127, 64};
    conv.output.scale = 0.1f;
  }
  PackedLayer pool, norm, flatten;
  pool.kind = LayerKind::kMaxPool2d;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  norm.kind = LayerKind::kBatchNorm;
  norm.multiplier.assign(5, 1.5f), norm.offset = {0, 1, -2, 3, 0};
  flatten.kind = LayerKind::kFlatten;
  auto dense = weighted(LayerKind::kDense, {3, 30}, bits, density);
  model.layers = {conv, pool, norm, flatten, dense};
  return model;
}

ErrorKind kind_of(const Bytes& bytes) {
  try {
    read(bytes, "x.esp");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("x.esp") == 0);
    return error.kind();
  }
  return ErrorKind::kInternal;
}

}  // namespace

TEST_CASE("what is written is read, in both codings and at every width") {
  for (const int bits : {2, 3, 4, 5, 6, 7, 8, 32})
    for (const double density : {0.0, 0.1, 1.0})
      for (const auto coding : {Coding::kPlain, Coding::kRange}) {
        CAPTURE(bits);
        const auto model = network(bits, density);
        const auto bytes = write(model, coding);
        CHECK(read(bytes, "x.esp") == model);
        CHECK(write(read(bytes, "x.esp"), coding) == bytes);
      }
}

TEST_CASE("every prefix and every flipped bit is corrupt") {
  for (const auto coding : {Coding::kPlain, Coding::kRange}) {
    const auto bytes = write(network(4, 0.3), coding);
    for (std::size_t n = 0; n < bytes.size(); ++n)
      CHECK(kind_of(Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n))) ==
            ErrorKind::kCorrupt);
    // Once as it is, and once with the checksum made good: then a model may come out, or kCorrupt.
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      auto broken = bytes;
      broken[bit / 8] = static_cast<std::uint8_t>(broken[bit / 8] ^ (1u << (bit % 8)));
      CHECK(kind_of(broken) == ErrorKind::kCorrupt);
      const auto body = std::span<const std::uint8_t>(broken).first(bytes.size() - 4);
      ByteWriter sealed;
      sealed.raw(body), sealed.u32(crc32(body));
      const auto kind = kind_of(sealed.bytes());
      CHECK((kind == ErrorKind::kCorrupt || kind == ErrorKind::kInternal));
    }
  }
}

TEST_CASE("the writer refuses shapes that do not chain and levels outside their grid") {
  auto model = example();
  model.input_shape[2] = 5;
  CHECK_THROWS_AS(write(model), Error);
  model = example();
  model.layers[0].weight.levels[0] = 2;
  CHECK_THROWS_AS(write(model), Error);
}

TEST_CASE("sparse ternary levels come within 3 % and 16 bytes of their entropy") {
  const auto layer = weighted(LayerKind::kDense, {100, 400}, 2, 0.15);  // a tenth is nonzero
  RangeEncoder coder;
  encode_levels(coder, layer.weight.levels, 400, 2);
  const double p = 0.1;
  const double bytes = 40000 / 8.0 * (-p * std::log2(p / 2) - (1 - p) * std::log2(1 - p));
  CHECK(static_cast<double>(coder.finish().size()) < 1.03 * bytes + 16);
}

TEST_CASE("the worked example of FORMAT.md is what the writer writes") {
  const auto page = read_file(ESPALIER_SOURCE_DIR "/compress/format/FORMAT.md");
  std::string hex;
  for (const auto byte : write(example())) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  std::string squeezed;
  for (const auto c : page)
    if (c != ' ' && c != '\n') squeezed += static_cast<char>(c);
  INFO(hex);
  CHECK(squeezed.find("```hex" + hex + "```") != std::string::npos);
}
