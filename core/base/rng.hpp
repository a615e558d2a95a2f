// Counter-based random numbers: Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as
// easy as 1, 2, 3"). The i-th number depends on (seed, stream, i) alone, so a stream can be saved,
// resumed and reproduced; one named stream serves one purpose (init, shuffle, augment, dropout), so
// that drawing more of one never shifts another.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace espalier {

// The generator itself: ten rounds over a 128-bit counter with a 64-bit key, low words first.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::uint64_t key);

class Rng {
 public:
  Rng(std::uint64_t seed, std::string_view stream);

  // A further stream of the same seed.
  Rng stream(std::string_view name) const;

  std::uint32_t next();                      // uniform over all 32-bit values
  float uniform();                           // [0, 1), 24 bits
  float uniform(float low, float high);      // [low, high)
  void fill_uniform(std::span<float> out);   // the same numbers as that many uniform(), faster
  float normal();                            // mean 0, variance 1 (Box-Muller)
  std::uint64_t below(std::uint64_t bound);  // [0, bound), without bias; bound >= 1

  // How many 32-bit numbers were drawn; seek() resumes there.
  std::uint64_t position() const { return position_; }
  void seek(std::uint64_t position);

 private:
  std::array<std::uint32_t, 4> block(std::uint64_t index) const;
  std::uint64_t seed_, stream_, position_ = 0;
  std::array<std::uint32_t, 4> block_{};
};

}  // namespace espalier
