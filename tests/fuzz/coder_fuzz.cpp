// The range coder and both weight codings: any bytes decode without harm, any weights come back.
#include <algorithm>
#include <bit>
#include <string_view>

#include "compress/format/weight_coder.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;
using namespace espalier::format;

namespace {

void round_trip_levels(std::span<const std::uint8_t> data, int bits, std::size_t columns) {
  const int top = (1 << (bits - 1)) - 1;
  std::vector<std::int8_t> levels, decoded(data.size());
  for (const int byte : data)
    levels.push_back(static_cast<std::int8_t>(byte % (2 * top + 1) - top));
  RangeEncoder encoder;
  encode_levels(encoder, levels, columns, bits);
  const Bytes stream = encoder.finish();
  fuzz::promise(stream.empty() || stream.back() != 0);
  RangeDecoder decoder(stream);
  decode_levels(decoder, decoded, columns, bits);
  fuzz::promise(decoded == levels && decoder.at_end());

  ByteWriter plain;
  write_levels(plain, levels, bits);
  ByteReader in(plain.bytes(), "plain");
  read_levels(in, decoded, bits);
  fuzz::promise(decoded == levels && in.remaining() == 0);
}

void round_trip_floats(std::span<const std::uint8_t> data, std::size_t columns) {
  std::vector<float> values(data.size() / 4), decoded(values.size());
  std::memcpy(values.data(), data.data(), values.size() * 4);
  const auto same = [&] {
    return std::equal(values.begin(), values.end(), decoded.begin(), [](float a, float b) {
      return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
    });
  };
  RangeEncoder encoder;
  encode_floats(encoder, values, columns);
  const Bytes stream = encoder.finish();
  RangeDecoder decoder(stream);
  decode_floats(decoder, decoded, columns);
  fuzz::promise(same() && decoder.at_end());

  ByteWriter plain;
  write_floats(plain, values);
  ByteReader in(plain.bytes(), "plain");
  read_floats(in, decoded);
  fuzz::promise(same() && in.remaining() == 0);
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
  if (size < 1) return 0;
  const int bits = 2 + data[0] % 7;
  const std::size_t columns = 1 + data[0] / 7u;
  const std::span<const std::uint8_t> rest(data + 1, size - 1);
  round_trip_levels(rest, bits, columns);
  if (rest.size() >= 4) round_trip_floats(rest, columns);

  std::vector<std::int8_t> levels(4 * rest.size());
  std::vector<float> floats(rest.size());
  RangeDecoder decoder(rest);
  decode_levels(decoder, levels, columns, bits);
  decode_floats(decoder, floats, columns);
  for (const int level : levels) fuzz::promise(std::abs(level) < 1 << (bits - 1));
  if (rest.empty()) return 0;
  fuzz::may_refuse([&] {
    ByteReader in(rest, "plain");
    read_levels(in, levels, bits);
  });
  fuzz::may_refuse([&] {
    ByteReader in(rest, "plain");
    read_floats(in, floats);
  });
  return 0;
}
