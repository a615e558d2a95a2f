#include "compress/rate/level_code.hpp"

#include <algorithm>
#include <cmath>

namespace espalier::rate {
namespace {

std::size_t magnitude_of(float level, std::size_t most) {
  return std::min(static_cast<std::size_t>(std::abs(level)), most);
}

}  // namespace

LevelCode::LevelCode(int max_level, double decay)
    : decay_(decay), share_({std::int64_t{max_level} + 1}) {
  require(1 <= max_level && max_level <= 127, "LevelCode", "wants 1 to 127 magnitudes, got ",
          max_level);
  require(0 <= decay && decay < 1, "LevelCode", "wants a decay in [0, 1), got ", decay);
}

void LevelCode::observe(const Tensor& levels) {
  const auto share = share_.mutable_values();
  std::vector<double> counts(share.size());
  for (const float level : levels.values()) counts[magnitude_of(level, share.size() - 1)] += 1;
  double seen = 0;
  for (const float s : share) seen += double{s};
  least_ = 0.5 / static_cast<double>(levels.elements());
  const double keep = seen > 0 ? decay_ : 0;  // the first histogram is taken whole
  for (std::size_t k = 0; k < share.size(); ++k)
    share[k] = static_cast<float>(keep * double{share[k]} +
                                  (1 - keep) * counts[k] / static_cast<double>(levels.elements()));
}

double LevelCode::bits(int magnitude) const {
  require(least_ > 0, "LevelCode", "has observed no levels yet");
  const auto share = share_.values();
  const auto k =
      static_cast<std::size_t>(std::clamp(magnitude, 0, static_cast<int>(share.size()) - 1));
  return (k == 0 ? 0.0 : 1.0) - std::log2(std::max<double>(share[k], least_));
}

std::vector<float> LevelCode::slopes(double floor_bits) const {
  std::vector<float> slopes;
  for (int k = 0; k + 1 < static_cast<int>(share_.elements()); ++k) {
    const double floor = k == 0 ? floor_bits : std::log2((k + 1.0) / k);
    slopes.push_back(static_cast<float>(std::max(bits(k + 1) - bits(k), floor)));
  }
  return slopes;
}

double LevelCode::total_bits(const Tensor& levels) const {
  double total = 0;
  for (const float level : levels.values())
    total += bits(
        static_cast<int>(magnitude_of(level, static_cast<std::size_t>(share_.elements()) - 1)));
  return total;
}

void shrink(Tensor& u, const Tensor& square, const std::vector<float>& slopes, float rate) {
  require(square.shape() == u.shape(), "shrink", "wants squares of shape ", u.shape(), ", got ",
          square.shape());
  constexpr float kEpsilon = 1e-7f;  // Adam's
  const std::size_t last = slopes.size() - 1;
  const auto v = square.values();
  const auto latent = u.mutable_values();
  for (std::size_t i = 0; i < v.size(); ++i) {
    const float cost = rate * slopes[magnitude_of(latent[i], last)];
    const float less = std::abs(latent[i]) - cost / (std::sqrt(v[i]) + kEpsilon);
    latent[i] = std::copysign(std::max(0.0f, less), latent[i]);
  }
}

}  // namespace espalier::rate
