// What is not a file that the writer wrote is refused: cut, changed, oversized, or spelt in another
// way.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "compress/format/limits.hpp"
#include "compress/format/reader.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::format;

namespace {

// The error's text; empty if the file was accepted, and then it is canonical.
std::string refused(const Bytes& bytes) {
  try {
    const PackedModel model = read(bytes, "x.esp");
    CHECK(write(model, bytes[4] & 1 ? Coding::kRange : Coding::kPlain) == bytes);
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kCorrupt);
    CHECK(std::string(error.what()).starts_with("x.esp: "));
    return error.what();
  }
}

Bytes from_hex(const std::string& hex) {
  Bytes bytes;
  std::string digits;
  for (const char c : hex)
    if (c != ' ') digits += c;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::string body_refused(const std::string& hex) {
  return refused(samples::sealed(from_hex(hex + "00000000")));
}

}  // namespace

TEST_CASE("every prefix and every flipped bit of every kind of file is corrupt") {
  for (const Bytes& file : samples::files()) {
    REQUIRE(refused(file) == "");
    for (std::size_t n = 0; n < file.size(); ++n) {
      const Bytes prefix(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(n));
      CHECK(refused(prefix) != "");
      refused(samples::sealed(prefix));
    }
    for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
      Bytes flipped = file;
      flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1u << (bit % 8)));
      CHECK(refused(flipped) != "");
      refused(samples::sealed(flipped));  // corrupt, or a valid model in its canonical form
    }
  }
}

TEST_CASE("each rule of the format has a file that breaks it, and an error that names it") {
  struct Rule {
    std::string body;  // all but the checksum
    std::string error;
  };
  // Plain twin of FORMAT.md's example: flags, shape, grid, one layer 2 x 4, bits, shift, biases,
  // bitmap 49, levels 1 -1 1, scale.
  const std::string good = "45535000 04 010104 0000803e00 01 41 02 42 00 0601 49 1d 01 0000003f";
  REQUIRE(body_refused(good) == "");
  for (const Rule& rule : std::vector<Rule>{
           {"46535000 04 010104", "not an .esp file"},
           {"45535001 04 010104", "version 1"},
           {"45535000 14 010104 0000803e00 01 41 02 42 00 0601 49 1d 01 0000003f", "unknown flags"},
           {"45535000 04 000104 0000803e00 01 41 02 42 00 0601 49 1d 01 0000003f",
            "input size of 0"},
           {"45535000 04 01018400 0000803e00 01 41 02 42 00 0601 49 1d 01 0000003f", "longer than"},
           {"45535000 04 8080800180808001 04 0000803e00 01 06", "over the limit of 1048576"},
           {"45535000 00 808020 8020 01 01 06", "input is over the limit"},
           {"45535000 04 010104 0000000000 01 41 02 42 00 0601 49 1d 01 0000003f", "not positive"},
           {"45535000 04 010104 0000c0ff00 01 41 02 42 00 0601 49 1d 01 0000003f", "not positive"},
           {"45535000 04 010104 0000807f00 01 41 02 42 00 0601 49 1d 01 0000003f", "grid"},
           {"45535000 04 010104 0000803e80 01 41 02 42 00 0601 49 1d 01 0000003f", "grid"},
           {"45535000 02 010104 00000000 00000000 01 06", "deviation"},
           {"45535000 02 010104 0000c07f 0000803f 01 06", "deviation"},
           {"45535000 02 010104 00000000 0000803f 01 06", "canonical"},
           {"45535000 02 010104 00000080 0000803f 01 06", "canonical"},
           {"45535000 08 010104 00 01 06", "canonical"},
           {"45535000 08 010104 808004 01 06", "truncated"},
           {"45535000 08 010104 818004 01 06", "over the limit of 65536"},
           {"45535000 00 010104 00", "0 layers"},
           {"45535000 00 010104 8108", "over the limit of 1024"},
           {"45535000 00 010104 01 07", "unknown layer kind"},
           {"45535000 00 010104 01 86", "unknown layer kind"},
           {"45535000 00 010104 01 0d", "does not use"},
           {"45535000 00 010104 01 46", "a bias without weights"},
           {"45535000 00 010104 01 1600", "canonical"},
           {"45535000 00 010104 01 16 8202", "over the limit of 256"},
           {"45535000 00 010104 01 26 0000003f80", "grid"},
           {"45535000 00 010104 01 02 040101", "unknown window flag"},
           {"45535000 00 010104 01 02 000001", "kernel or stride 0"},
           {"45535000 00 010104 01 02 0181200101", "over the limit of 4096"},
           {"45535000 00 010104 01 02 0101010101", "canonical"},
           {"45535000 00 010104 01 02 02010100000000", "canonical"},
           {"45535000 00 010104 01 02 000201", "larger than its padded input"},
           {"45535000 00 010204 01 01 02 20 00 00", "flat input"},
           {"45535000 00 010104 01 01 00 20", "size 0"},
           {"45535000 00 010104 01 01 02 21", "bits 33"},
           {"45535000 00 010104 01 01 02 01", "bits 1"},
           {"45535000 00 010104 01 01 02 60 00", "bits 96"},
           {"45535000 04 010104 0000803e00 01 01 02 42 20 49 1d 01 0000003f",
            "over the limit of 31"},
           {"45535000 04 010104 0000803e00 01 41 02 42 00 06", "bias is cut off"},
           {"45535000 04 010104 0000803e00 01 41 02 42 00 808080801001 49 1d 01 0000003f",
            "over 32 bits"},
           {"45535000 04 010104 0000803e00 01 41 02 42 12 80804001 49 1d 01 0000003f", "2^24"},
           {"45535000 04 010104 0000803e00 01 41 02 42 00 0601 49 1d 01 000000bf", "scale"},
           {"45535000 04 010104 0000803e00 01 41 02 42 00 0601 49 1d 01 0000807f",
            "NaN or infinity"},
           {"45535000 04 010104 0000803e00 01 41 02 42 00 0601 49 1e 01 0000003f", "level -2"},
           {"45535000 04 010104 0000803e00 01 41 02 42 00 0601 49 1c 01 0000003f", "level 0"},
           {"45535000 04 010104 0000803e00 01 41 02 42 00 0601 49 5d 01 0000003f",
            "unused level bits"},
           {"45535000 04 010104 0000803e00 01 41 01 42 00 06 19 0d 01 0000003f",
            "unused bitmap bits"},
           {"45535000 04 010104 0000803e00 01 41 02 42 00 0601 49 1d 01 0000003f 00", "left over"},
           {"45535000 04 010104 0000803e00 01 41 01 02 00 06 09 0d 01 0000003f", "canonical"},
           {"45535000 00 010101 01 04 01 00000000 00", "a stored zero"},
           {"45535000 00 010101 01 04 01 0000807f 00", "multiplier and offset"},
           {"45535000 00 010101 01 01 01 20 01 0000c07f", "NaN"},
           {"45535000 05 010104 0000803e00 01 41 02 42 00 0601 871bfa75c200", "left over"},
           {"45535000 05 010104 0000803e00 01 41 02 42 00 0601 871bfa75c101", "canonical"},
       }) {
    const std::string error = body_refused(rule.body);
    CHECK_MESSAGE(error.find(rule.error) != std::string::npos, rule.body << " -> " << error);
    CHECK_MESSAGE(error != "", rule.body);
  }
}

TEST_CASE("a tiny file cannot ask for a large allocation") {
  // A dense layer of 2^10 x 2^14 floats: 64 MB declared by 20 bytes.
  CHECK(body_refused("45535000 00 0101808001 01 01 8008 20").find("at most") != std::string::npos);
  CHECK(body_refused("45535000 01 0101808001 01 01 8008 20").find("at most") != std::string::npos);
  // Batch norm over 2^20 channels, and the same layer a thousand times.
  CHECK(body_refused("45535000 01 0101808040 01 04").find("at most") != std::string::npos);
  CHECK(most_weights(true, 100) * (sizeof(float) + 2 * sizeof(std::int32_t)) < 32u << 20);
  CHECK(most_weights(true, 1 << 20) == kMaxWeights);
}

TEST_CASE("the sparsest level network that range coding can hold is written and read") {
  // The scale after a million zeros pins the stream's length: 0.0007 bits a zero.
  PackedModel model = samples::worked_example();
  model.input_shape = {1, 1, 1 << 19};
  model.layers[0].weight.shape = {2, 1 << 19};
  model.layers[0].weight.levels.assign(1 << 20, 0);
  const Bytes file = write(model);
  CHECK(refused(file) == "");
  CHECK(file.size() > (1u << 20) / kMaxWeightsPerByte);
  CHECK(file.size() < 300);
  // Floats that end in zeros cost nothing: the writer says so.
  PackedModel zeros = samples::worked_example();
  zeros.input = {}, zeros.input_shape = model.input_shape;
  PackedLayer& layer = zeros.layers[0];
  layer = {}, layer.weight.shape = {2, 1 << 19}, layer.weight.values.assign(1 << 20, 0.0f);
  CHECK_THROWS_WITH_AS(write(zeros), doctest::Contains("write them plain"), Error);
  CHECK(refused(write(zeros, Coding::kPlain)) == "");
}
