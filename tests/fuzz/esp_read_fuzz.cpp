// The .esp reader alone, on small files that declare few weights, for many runs; esp_fuzz.cpp has
// the large ones and the runtime.
#include "compress/format/reader.hpp"
#include "tests/compress/format/sample_models.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;

namespace {
constexpr std::uint64_t kWeightLimit = 1024;
}

std::vector<Bytes> fuzz::seeds() {
  auto seeds = format::samples::files();
  std::erase_if(seeds, [](const Bytes& file) { return file.size() > 256; });
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = format::samples::sealed(Bytes(data, data + size));  // past the checksum
  fuzz::may_refuse([&] {
    const auto packed = format::read(bytes, "fuzz.esp", kWeightLimit);
    fuzz::promise(format::write(packed, format::coding_of(bytes)) == bytes);
  });
  return 0;
}
