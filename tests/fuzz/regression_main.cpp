// Runs a fuzz target without libFuzzer, as a plain test: its seeds, their prefixes, and a few
// thousand seeded mutations of them. With a folder as argument it writes the seeds there instead,
// as the corpus that libFuzzer starts from.
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "core/base/file.hpp"
#include "core/base/rng.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;

namespace {

void run(const Bytes& input) {
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

// One to four changes: a byte replaced, a bit flipped, a byte put in or taken out.
Bytes mutated(Bytes input, Rng& rng) {
  for (auto left = 1 + rng.below(4); left > 0 && !input.empty(); --left) {
    const auto at = static_cast<std::size_t>(rng.below(input.size()));
    const auto where = input.begin() + static_cast<std::ptrdiff_t>(at);
    const auto byte = static_cast<std::uint8_t>(rng.below(256));
    switch (rng.below(4)) {
      case 0:
        *where = byte;
        break;
      case 1:
        *where = static_cast<std::uint8_t>(*where ^ (1u << rng.below(8)));
        break;
      case 2:
        input.insert(where, byte);
        break;
      default:
        input.erase(where);
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  const auto seeds = fuzz::seeds();
  if (argc > 1) {
    std::filesystem::create_directories(argv[1]);
    for (std::size_t i = 0; i < seeds.size(); ++i)
      write_file(std::filesystem::path(argv[1]) / ("seed" + std::to_string(i)), seeds[i]);
    return 0;
  }
  Rng rng(1, "mutations");
  std::size_t runs = 0;
  for (const Bytes& seed : seeds) {
    const std::size_t step = std::max<std::size_t>(1, seed.size() / 512);
    for (std::size_t n = 0; n <= seed.size(); n += step, ++runs)
      run(Bytes(seed.begin(), seed.begin() + static_cast<std::ptrdiff_t>(n)));
    for (int i = 0; i < 1000; ++i, ++runs) run(mutated(seed, rng));
  }
  std::cout << seeds.size() << " seeds, " << runs << " runs\n";
}
