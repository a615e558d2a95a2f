#include "compress/format/writer.hpp"

#include <algorithm>

#include "compress/format/checksum.hpp"
#include "compress/format/plain_coder.hpp"
#include "compress/format/syntax.hpp"

namespace espalier::format {
namespace {

template <class Coder>
void encode(Coder& coder, const PackedModel& model, int version) {
  Syntax syntax(coder, model, "write", kMaxWeights, version);
  syntax.head();
  for (std::size_t i = 0; syntax.layer(i);) ++i;
}

template <class Coder>
Sizes measure(const PackedModel& model) {
  Coder coder;
  Syntax syntax(coder, model, "measure", kMaxWeights, version_for(model));
  syntax.head();
  Sizes sizes;
  double before = coder.bits();
  sizes.head_bits = 8 + before;
  for (std::size_t i = 0; syntax.layer(i); ++i) {
    sizes.layer_bits.push_back(coder.bits() - before);
    before = coder.bits();
  }
  sizes.head_bits += coder.bits() - before;
  return sizes;
}

std::uint64_t weights_of(const PackedModel& model) {
  std::uint64_t weights = 0;
  for (const auto& l : model.layers)
    weights += l.weight.values.size() + l.weight.levels.size() + l.multiplier.size();
  return weights;
}

}  // namespace

int version_for(const PackedModel& model) {
  for (const PackedLayer& l : model.layers)
    if (l.from != 1 || l.kind > kEnd) return 3;
  ActivationGrid grid = model.input;  // no branches from here on
  for (const PackedLayer& l : model.layers) {
    const bool floats = !takes_levels(l, grid);
    const bool levels_as_weights = floats && !l.weight.is_float();
    const bool crosses = moves(l.kind) && floats && (!grid.is_float() || !l.output.is_float());
    if (l.weight.bits == 16 || levels_as_weights || crosses || palette_pays(l.weight)) return 2;
    grid = grid_behind(l, grid);
  }
  return 1;
}

Bytes write(const PackedModel& model, Coding coding, ErrorKind kind, std::string_view where) {
  validate(model, kind, where);
  ByteWriter out;
  const int version = version_for(model);
  out.u8(first_byte(version, coding));
  if (coding == Coding::kRange) {
    RangeEncoder coder;
    encode(coder, model, version);
    out.raw(coder.finish());
  } else {
    PlainEncoder coder;
    encode(coder, model, version);
    out.raw(coder.finish());
  }
  seal(out);
  const auto bytes = out.bytes().size();
  require(bytes <= kMaxFileBytes, kind, where, "the file is over the limit of ", kMaxFileBytes,
          " bytes");
  const auto weights = weights_of(model);
  require(weights <= most_weights(bytes), kind, where, weights,
          " weights, nearly all zero, take too few bytes (", bytes,
          "); remove the units without weights");
  return out.release();
}

Sizes measure(const PackedModel& model, Coding coding) {
  validate(model, ErrorKind::kUsage, "measure");
  return coding == Coding::kRange ? measure<BitCounter>(model) : measure<PlainEncoder>(model);
}

double level_bits(std::span<const std::int8_t> levels, std::span<const std::int64_t> shape,
                  int bits) {
  const bool kernels = shape.size() == 4;
  require(kernels || shape.size() == 2, "level_bits", "wants 2 or 4 sizes, got ", shape.size());
  std::array<std::size_t, 4> s{};
  std::size_t count = 1;
  for (std::size_t k = 0; k < shape.size(); ++k) count *= s[k] = static_cast<std::size_t>(shape[k]);
  require(count == levels.size() && count > 0 && bits >= 2 && bits <= 8, "level_bits", count,
          " levels of the shape, got ", levels.size(), " of ", bits, " bits");
  BitCounter counter;
  const LevelShape view =
      kernels ? LevelShape{s[0], s[1], s[2], s[3]} : LevelShape{.outputs = s[0], .inputs = s[1]};
  LevelModels models;
  LevelCoder(counter, levels, view, bits, models).code();
  return counter.bits();
}

}  // namespace espalier::format
