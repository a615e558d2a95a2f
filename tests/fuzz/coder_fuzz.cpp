// The coders of levels, floats and scales: any bytes decode without harm, any values come back.
#include <algorithm>
#include <bit>
#include <string_view>

#include "compress/format/level_coder.hpp"
#include "compress/format/plain_coder.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;
using namespace espalier::format;

namespace {

struct Plan {
  int bits;
  LevelShape shape;
  bool fast;
};

template <class Coder, class T>
void code(Coder& coder, std::span<T> levels, const Plan& plan) {
  LevelModels models;
  LevelCoder level_coder(coder, levels, plan.shape, plan.bits, models);
  if constexpr (!Coder::kPlain) {
    if (plan.fast) return level_coder.fast();
  }
  level_coder.careful();
}

template <class Encoder, class Decoder>
void round_trip_levels(std::span<const std::uint8_t> data, const Plan& plan) {
  const int top = (1 << (plan.bits - 1)) - 1;
  std::vector<std::int8_t> levels, decoded(data.size());
  for (const int byte : data)
    levels.push_back(static_cast<std::int8_t>(byte % (2 * top + 1) - top));
  Encoder encoder;
  code(encoder, std::span<const std::int8_t>(levels), plan);
  const Bytes stream = encoder.finish();
  fuzz::promise(Encoder::kPlain || stream.empty() || stream.back() != 0);
  Decoder decoder(stream);
  code(decoder, std::span(decoded), plan);
  fuzz::promise(decoded == levels && decoder.at_end());
}

template <class Encoder, class Decoder>
void round_trip_floats(std::span<const std::uint8_t> data, std::size_t columns) {
  std::vector<float> values(data.size() / 4), decoded(values.size());
  if (!values.empty()) std::memcpy(values.data(), data.data(), values.size() * 4);
  const auto same = [&] {
    return std::equal(values.begin(), values.end(), decoded.begin(), [](float a, float b) {
      return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
    });
  };
  Encoder encoder;
  code_floats(encoder, std::span<const float>(values), columns);
  ScaleModel encoding, decoding;
  for (const float v : values)
    if (v > 0) code_scale(encoder, encoding, v);
  const Bytes stream = encoder.finish();
  Decoder decoder(stream);
  code_floats(decoder, std::span(decoded), columns);
  fuzz::promise(same());
  for (const float v : values)
    if (v > 0) fuzz::promise(code_scale(decoder, decoding, 1) == v);
  fuzz::promise(decoder.at_end());
}

template <class Decoder>
void decode_anything(std::span<const std::uint8_t> bytes, const Plan& plan) {
  std::vector<std::int8_t> levels(plan.shape.outputs * plan.shape.columns());
  std::vector<float> floats(bytes.size());
  Decoder decoder(bytes);
  code(decoder, std::span(levels), plan);
  code_floats(decoder, std::span(floats), 1 + plan.shape.inputs);
  for (const int level : levels) fuzz::promise(std::abs(level) < 1 << (plan.bits - 1));
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  std::vector<Bytes> seeds;
  for (const std::string_view text :
       {"", "\x11 0000000000000000 a run", "\x27 one two three one two three", "\x63?\?>?  >>?"})
    seeds.emplace_back(text.begin(), text.end());
  seeds.emplace_back(500, std::uint8_t{0});  // long runs, and carries
  seeds.emplace_back(500, std::uint8_t{255});
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Plan plan{2 + data[0] % 7, {}, (data[0] & 128) != 0};
  plan.shape.height = 1 + data[1] % 4, plan.shape.width = 1 + data[1] / 4 % 4;
  plan.shape.inputs = 1 + data[1] / 16u;
  std::span<const std::uint8_t> rest(data + 2, size - 2);
  plan.shape.outputs = 4 * rest.size() / plan.shape.columns() + 1;
  decode_anything<RangeDecoder>(rest, plan);
  decode_anything<PlainDecoder>(rest, plan);
  round_trip_floats<RangeEncoder, RangeDecoder>(rest, plan.shape.inputs);
  round_trip_floats<PlainEncoder, PlainDecoder>(rest, plan.shape.inputs);
  plan.shape.outputs = rest.size() / plan.shape.columns();
  if (plan.shape.outputs == 0) return 0;
  rest = rest.first(plan.shape.outputs * plan.shape.columns());
  round_trip_levels<RangeEncoder, RangeDecoder>(rest, plan);
  round_trip_levels<PlainEncoder, PlainDecoder>(rest, plan);
  return 0;
}
