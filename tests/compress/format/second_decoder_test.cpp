// The C99 decoder, written from FORMAT.md alone, and the reader say the same of every file.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

#include "compress/format/reader.hpp"
#include "core/base/file.hpp"
#include "tests/compress/format/sample_models.hpp"
#include "tests/compress/format/second_decoder.hpp"

using namespace espalier;
using namespace espalier::format;
namespace fs = std::filesystem;
namespace {

std::vector<Bytes> golden_files() {
  std::vector<Bytes> files;
  for (const char* folder : {"v1", "records"})
    for (const auto& entry :
         fs::directory_iterator(fs::path(ESPALIER_SOURCE_DIR "/tests/golden") / folder))
      if (entry.path().extension() == ".esp") files.push_back(read_file(entry.path()));
  return files;
}

// A dense model whose weights are `count` zeros but for some.
PackedModel dense_model(std::int64_t outputs, std::int64_t inputs, int bits, double density) {
  PackedModel model;
  model.input_shape = {1, 1, inputs};
  model.input.scale = 0.5f;
  model.layers = {samples::weighted(LayerKind::kDense, {outputs, inputs}, bits, density)};
  model.layers[0].bias_levels.clear();
  if (bits == 32) model.input = {};
  return model;
}

// What the samples leave out, as far as version 1 has it.
std::vector<Bytes> more_files() {
  std::vector<PackedModel> models;
  // The fast profile: dense and sparse, with dead rows and columns, and nothing but zeros.
  for (const double density : {1.0, 0.8, 0.3, 0.01, 0.0})
    for (const int bits : {2, 4, 8}) models.push_back(dense_model(300, 220, bits, density));
  for (auto& level : models.back().layers[0].weight.levels) level = 0;
  // Flatten, twice; kernels that are empty, which pays for flags; a grid that comes back.
  PackedModel deep;
  deep.input_shape = {12, 12, 8};
  deep.input = {0.25f, 0};
  auto conv = samples::weighted(LayerKind::kConv2d, {8, 5, 5, 8}, 6, 1);
  conv.kernel_h = conv.kernel_w = 5, conv.output = {0.5f, 0}, conv.bias_shift = 7;
  for (auto& b : conv.bias_levels) b = -3;
  for (std::size_t k = 0; k < conv.weight.levels.size(); ++k)
    if (k % 8 != 3) conv.weight.levels[k] = 0;
  PackedLayer flatten;
  flatten.kind = LayerKind::kFlatten;
  auto dense = samples::weighted(LayerKind::kDense, {10, 512}, 5, 0.4);
  dense.bias_levels.clear();
  deep.layers = {conv, flatten, flatten, dense};
  models.push_back(deep);
  // One output: a scale for each is one for all.
  models.push_back(dense_model(1, 20, 3, 0.5));
  // A long file has the long checksum.
  models.push_back(dense_model(64, 64, 32, 1));
  std::vector<Bytes> files;
  for (const auto& model : models)
    for (const auto coding : {Coding::kPlain, Coding::kRange})
      files.push_back(write(model, coding));
  return files;
}

std::vector<Bytes> first_version(std::vector<Bytes> files) {
  std::erase_if(files, [](const Bytes& f) { return version_of(f[0]) != 1; });
  return files;
}

std::vector<Bytes> all_files() {
  std::vector<Bytes> files = golden_files();
  for (auto list : {samples::files(), more_files()})
    for (auto& file : list) files.push_back(std::move(file));
  return first_version(files);
}

}  // namespace

TEST_CASE("second decoder: equal models of every golden file, sample and profile") {
  const auto files = all_files();
  REQUIRE(golden_files().size() == 18);
  REQUIRE(files.size() > 40);
  for (const Bytes& file : files) {
    const SecondReading reading = read_second(file);
    REQUIRE(reading.status == ESP_OK);
    CHECK(reading.model == read(file, "first"));
    CHECK(write(reading.model, coding_of(file)) == file);  // -0.0f is told from 0.0f
  }
}

TEST_CASE("second decoder: version 2 is another version, and what is no .esp file is none") {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(ESPALIER_SOURCE_DIR "/tests/golden/v2")) {
    if (entry.path().extension() != ".esp") continue;
    CHECK(read_second(read_file(entry.path())).status == ESP_OTHER_VERSION);
    ++files;
  }
  CHECK(files > 0);
  CHECK(read_second({}).status == ESP_NOT_ESP);
  CHECK(read_second(Bytes{0xE3, 0, 0}).status == ESP_NOT_ESP);
  CHECK(read_second(Bytes{0x45, 0x53, 0x50, 0, 0}).status == ESP_NOT_ESP);
}

TEST_CASE("second decoder: every prefix and every flipped bit of the small files is an error") {
  for (const Bytes& file : first_version(golden_files())) {
    for (std::size_t n = 0; n < file.size(); ++n)
      REQUIRE(read_second(std::span(file).first(n)).status != ESP_OK);
    Bytes flipped = file;
    for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
      flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1u << (bit % 8)));
      REQUIRE(read_second(flipped).status != ESP_OK);
      flipped[bit / 8] = file[bit / 8];
    }
  }
}

TEST_CASE("second decoder: an arena is too small, says by how much, and suffices at that size") {
  for (const Bytes& file : all_files()) {
    const SecondReading whole = read_second(file);
    for (const std::size_t misaligned : {0, 1, 7}) {
      const auto reading = read_second_in(file, whole.arena_bytes, kMaxWeights, misaligned);
      REQUIRE(reading.status == ESP_OK);
      CHECK(reading.model == whole.model);
    }
    CHECK(read_second_in(file, whole.arena_bytes - 16).status == ESP_ARENA);
    // From nothing, by what each attempt asks for.
    std::size_t bytes = 0, attempts = 0;
    for (;; ++attempts) {
      const auto reading = read_second_in(file, bytes);
      if (reading.status == ESP_OK) break;
      REQUIRE(reading.status == ESP_ARENA);
      REQUIRE(reading.arena_bytes > bytes);
      bytes = reading.arena_bytes;
    }
    CHECK(bytes == whole.arena_bytes);
    CHECK(attempts > 1);
  }
}

TEST_CASE("second decoder: the caller's own limit of weights") {
  for (const int bits : {4, 32}) {
    const Bytes file = write(samples::network(bits, 0.3));  // 60, 90, and 5 of batch norm
    CHECK(read_second(file, 155).status == ESP_OK);
    CHECK(read_second(file, 154).status == ESP_TOO_MANY_WEIGHTS);
    CHECK(read_second(file, 0).status == ESP_TOO_MANY_WEIGHTS);
  }
}

TEST_CASE("second decoder: each rule has a file that breaks it, and the error of its kind") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  struct Rule {
    std::function<void(PackedModel&)> change;  // of the network of four bits
    esp_status status;
    int bits = 4;
  };
  const std::vector<Rule> rules = {
      {[](auto& m) { m.input_shape[0] = (1 << 20) + 1; }, ESP_LIMIT},
      {[](auto& m) {
         m.input_shape = {1 << 14, 1 << 14, 2};
       },
       ESP_LIMIT},
      {[](auto& m) { m.input.scale = kInfinity; }, ESP_INVALID},
      {[](auto& m) { m.input_deviation = 0; }, ESP_INVALID},
      {[](auto& m) { m.input_deviation = -1; }, ESP_INVALID},
      {[](auto& m) { m.input_mean = kNan; }, ESP_INVALID},
      {[](auto& m) { m.labels.assign(65537, ""); }, ESP_LIMIT},
      {[](auto& m) { m.labels[1].assign(257, 'x'); }, ESP_LIMIT},
      {[](auto& m) { m.layers.clear(); }, ESP_INVALID},
      {[](auto& m) { m.layers.assign(1025, m.layers[4]); }, ESP_LIMIT},
      {[](auto& m) { m.layers[0].kernel_h = 4097; }, ESP_LIMIT},
      {[](auto& m) { m.layers[0].stride_w = 4097; }, ESP_LIMIT},
      {[](auto& m) { m.layers[0].pad_left = 4097; }, ESP_LIMIT},
      {[](auto& m) { m.layers[0].kernel_h = 10; }, ESP_INVALID},
      {[](auto& m) { m.layers[1].kernel_w = 5; }, ESP_INVALID},
      {[](auto& m) { m.layers.erase(m.layers.begin() + 5); }, ESP_INVALID},  // no flatten
      {[](auto& m) { m.layers[1].output.scale = 1; }, ESP_INVALID},
      {[](auto& m) { m.layers[0].output.scale = kInfinity; }, ESP_INVALID},
      {[](auto& m) { m.layers[0].weight.scales[2] = 0; }, ESP_INVALID},
      {[](auto& m) { m.layers[0].weight.scales[2] = kInfinity; }, ESP_INVALID},
      {[](auto& m) { m.layers[0].bias_shift = 32; }, ESP_LIMIT},
      {[](auto& m) { m.layers[0].bias_shift = -1; }, ESP_LIMIT},
      {[](auto& m) { m.layers[0].bias_levels[4] = -(1 << 24); }, ESP_LIMIT},
      {[](auto& m) { m.layers[0].bias_shift = 8; }, ESP_LIMIT},  // of -70000
      {[](auto& m) { m.layers[3].offset[1] = kNan; }, ESP_INVALID},
      {[](auto& m) { m.layers[0].weight.values[3] = kInfinity; }, ESP_INVALID, 32},
      {[](auto& m) { m.layers[0].bias[4] = kNan; }, ESP_INVALID, 32},
  };
  for (std::size_t i = 0; i < rules.size(); ++i)
    for (const auto coding : {Coding::kPlain, Coding::kRange}) {
      PackedModel model = samples::network(rules[i].bits, 0.3);
      rules[i].change(model);
      CAPTURE(i);
      CHECK(read_second(samples::unchecked(model, coding)).status == rules[i].status);
    }
}

TEST_CASE("second decoder: bytes and bits after the model, and a plain file that is cut") {
  const auto longer = [](Bytes file, std::size_t by, std::uint8_t last) {
    file.insert(file.end() - 2, by, last);
    return read_second(samples::sealed(file)).status;
  };
  int filled = 0;
  for (const int bits : {2, 4, 8}) {
    const Bytes plain = write(samples::network(bits, 0.3), Coding::kPlain);
    CHECK(longer(plain, 1, 0) == ESP_LEFT_OVER);
    CHECK(longer(plain, 1, 1) == ESP_LEFT_OVER);
    Bytes filling = plain, cut = plain;
    auto& last = filling[filling.size() - 3];
    last = static_cast<std::uint8_t>(last | 0x80);  // filling, or the last bit of the model
    const auto status = read_second(samples::sealed(filling)).status;
    CHECK(status != ESP_OK);
    filled += status == ESP_LEFT_OVER;
    cut.erase(cut.end() - 3);
    CHECK(read_second(samples::sealed(cut)).status == ESP_CUT);
    // The decoder looks four bytes ahead: within them only writing again finds another spelling.
    const Bytes coded = write(samples::network(bits, 0.3));
    CHECK(longer(coded, 1, 0) == ESP_LEFT_OVER);
    CHECK(longer(coded, 5, 1) == ESP_LEFT_OVER);
  }
  CHECK(filled > 0);
}

TEST_CASE("second decoder: a tiny file cannot ask for a large arena") {
  for (const int bits : {4, 32}) {
    PackedModel model = samples::worked_example();
    model.input_shape = {1, 1, 1 << 14};
    PackedLayer& layer = model.layers[0];
    layer.bias_levels.clear();
    layer.weight.shape = {1 << 10, 1 << 14};
    layer.weight.bits = bits;
    if (bits == 4) layer.weight.levels.assign(1 << 24, 0);
    const auto reading = read_second(samples::unchecked(model, Coding::kRange));
    CHECK(reading.status == ESP_LIMIT);
    CHECK(reading.arena_bytes < 1 << 14);
  }
  // Zeros stand for ever behind a range-coded stream: time is bounded by the limit of weights.
  Bytes file = write(samples::worked_example());
  file.resize(5);
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    file[1] = static_cast<std::uint8_t>(seed), file[2] = static_cast<std::uint8_t>(seed >> 3);
    const auto reading = read_second(samples::sealed(file));
    CHECK(reading.arena_bytes < 16u << 20);
  }
}
