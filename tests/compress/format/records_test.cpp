// The smallest files (tests/golden/records/README.md): whole, they are read and written again;
// damaged anywhere, they are refused.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "core/base/file.hpp"

using namespace espalier;
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> records() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(ESPALIER_SOURCE_DIR "/tests/golden/records"))
    if (entry.path().extension() == ".esp") found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

bool is_refused(std::span<const std::uint8_t> bytes) {
  try {
    format::read(bytes, "damaged");
  } catch (const Error& error) {
    return error.kind() == ErrorKind::kCorrupt;
  }
  return false;
}

}  // namespace

TEST_CASE("records: read, and written again byte for byte") {
  REQUIRE(records().size() == 6);
  for (const auto& path : records()) {
    CAPTURE(path.filename().string());
    const Bytes file = read_file(path);
    const auto model = format::read(file, path.string());
    CHECK(format::write(model) == file);
    CHECK(model.input_shape == std::array<std::int64_t, 3>{28, 28, 1});
    CHECK(model.layers.back().weight.shape[0] == 10);
    CHECK(std::ranges::none_of(model.layers,
                               [](const auto& layer) { return !layer.weight.values.empty(); }));
  }
}

TEST_CASE("records: every prefix is refused") {
  for (const auto& path : records()) {
    const Bytes file = read_file(path);
    for (std::size_t size = 0; size < file.size(); ++size)
      REQUIRE_MESSAGE(is_refused(std::span(file).first(size)), path.string() << " to " << size);
  }
}

TEST_CASE("records: every single flipped bit is refused") {
  for (const auto& path : records()) {
    Bytes file = read_file(path);
    for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
      auto& byte = file[bit / 8];
      const auto mask = static_cast<std::uint8_t>(1u << (bit % 8));
      byte ^= mask;
      REQUIRE_MESSAGE(is_refused(file), path.string() << " bit " << bit);
      byte ^= mask;
    }
  }
}
