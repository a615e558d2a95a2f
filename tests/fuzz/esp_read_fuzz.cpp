// The .esp reader alone, for many runs: on small files that declare few weights, some more, and few
// of one length, as they take a hundred times as long, up to twice what the fast profile begins
// at. esp_fuzz.cpp adds large files and the runtime.
#include "compress/format/reader.hpp"
#include "compress/format/validate.hpp"
#include "tests/compress/format/sample_models.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;

namespace {
constexpr std::uint64_t kFewWeights = 128, kMoreWeights = 1024, kManyWeights = 1 << 17;
}

std::vector<Bytes> fuzz::seeds() {
  auto seeds = format::samples::files();
  std::erase_if(seeds, [](const Bytes& file) { return file.size() > 256; });
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = format::samples::sealed(Bytes(data, data + size));  // past the checksum
  fuzz::may_refuse([&] {
    const int draw =
        size == 0 ? 0 : data[size - 1] % 16;  // the checksum's byte, which is made good
    const auto most = size == 64 && draw == 0 ? kManyWeights
                      : draw < 2              ? kMoreWeights
                                              : kFewWeights;
    const auto any = format::read(bytes, "fuzz.esp", {.weight_limit = most, .canonical = false});
    format::validate(any, ErrorKind::kInternal, "fuzz");  // which may not be refused
    const auto packed = format::read(bytes, "fuzz.esp", {.weight_limit = most});
    fuzz::promise(packed == any);
    fuzz::promise(format::write(packed, format::coding_of(bytes)) == bytes);
  });
  return 0;
}
