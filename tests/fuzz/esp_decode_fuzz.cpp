// The second decoder beside the reader: what the reader accepts in version 1 the decoder decodes
// equally; what the decoder refuses, the reader refuses; a small arena is never left.
#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "tests/compress/format/sample_models.hpp"
#include "tests/compress/format/second_decoder.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;
using namespace espalier::format;

namespace {

void compare(const Bytes& bytes) {
  const SecondReading second = read_second(bytes);
  bool accepted = false;
  fuzz::may_refuse([&] {
    const PackedModel first = read(bytes, "fuzz.esp");
    if (version_of(bytes[0]) != 1) return;
    accepted = true;
    fuzz::promise(second.status == ESP_OK && second.model == first);
    fuzz::promise(write(second.model, coding_of(bytes)) == bytes);  // -0.0f is not 0.0f
  });
  if (bytes.size() >= 4 && version_of(bytes[0]) != 1) fuzz::promise(second.status != ESP_OK);
  fuzz::promise(second.status == ESP_OK || !accepted);
  if (!accepted) return;
  // Just enough, at a bad address; and never enough.
  fuzz::promise(read_second_in(bytes, second.arena_bytes, kMaxWeights, 3).status == ESP_OK);
  fuzz::promise(read_second_in(bytes, second.arena_bytes - 16).status == ESP_ARENA);
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  auto seeds = samples::files();
  std::erase_if(seeds, [](const Bytes& file) { return version_of(file[0]) != 1; });
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, data + size);
  compare(bytes);
  compare(samples::sealed(bytes));  // past the checksum
  return 0;
}
