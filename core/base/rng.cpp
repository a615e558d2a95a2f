#include "core/base/rng.hpp"

#include <cmath>

#include "core/base/error.hpp"

namespace espalier {
namespace {

// FNV-1a, 64 bits: turns a stream's name into half of the counter.
std::uint64_t hash(std::string_view name) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (unsigned char c : name) h = (h ^ c) * 0x100000001b3u;
  return h;
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> c, std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = 0xD2511F53ull * c[0], p1 = 0xCD9E8D57ull * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}

Rng::Rng(std::uint64_t seed, std::string_view stream) : seed_(seed), stream_(hash(stream)) {}

Rng Rng::stream(std::string_view name) const {
  return Rng(seed_, name);
}

std::array<std::uint32_t, 4> Rng::block(std::uint64_t index) const {
  return philox({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                 static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)},
                seed_);
}

std::uint32_t Rng::next() {
  const auto lane = position_ % 4;
  if (lane == 0) block_ = block(position_ / 4);
  ++position_;
  return block_[lane];
}

void Rng::fill_uniform(std::span<float> out) {
  std::size_t i = 0;
  while (i < out.size() && position_ % 4 != 0) out[i++] = uniform();
  for (; i + 4 <= out.size(); i += 4, position_ += 4)
    for (std::size_t lane = 0; const std::uint32_t bits : block(position_ / 4))
      out[i + lane++] = static_cast<float>(bits >> 8) * 0x1p-24f;
  while (i < out.size()) out[i++] = uniform();
}

void Rng::seek(std::uint64_t position) {
  position_ = position - position % 4;
  while (position_ < position) next();  // refills the block that position lies in
}

float Rng::uniform() {
  return static_cast<float>(next() >> 8) * 0x1p-24f;
}

float Rng::uniform(float low, float high) {
  return low + (high - low) * uniform();
}

float Rng::normal() {
  const float u = 1.0f - uniform();  // (0, 1]: log is finite
  const float v = uniform();
  return std::sqrt(-2.0f * std::log(u)) * std::cos(6.28318530717958648f * v);
}

std::uint64_t Rng::below(std::uint64_t bound) {
  require(bound >= 1, "Rng::below", "wants a bound of at least 1");
  // Values past the last whole multiple of bound would favour small results: draw again.
  const std::uint64_t limit = ~std::uint64_t{0} - (~std::uint64_t{0} % bound + 1) % bound;
  for (;;) {
    const std::uint64_t high = next(), value = high << 32 | next();
    if (value <= limit) return value % bound;
  }
}

}  // namespace espalier
