#include "optim/training/chance.hpp"

#include <algorithm>
#include <cmath>

namespace espalier::training {

namespace {

std::vector<double> shares_of(const datasets::Dataset& images) {
  std::vector<double> shares(static_cast<std::size_t>(images.classes()));
  for (std::int64_t i = 0; i < images.size(); ++i)
    shares[static_cast<std::size_t>(images.get(i).label)] += 1;
  for (double& share : shares) share /= static_cast<double>(images.size());
  return shares;
}

}  // namespace

double most_frequent_share(const datasets::Dataset& images) {
  return std::ranges::max(shares_of(images));
}

double loss_of_chance(const datasets::Dataset& images) {
  double loss = 0;
  for (const double share : shares_of(images))
    if (share > 0) loss -= share * std::log(share);
  return loss;
}

double variance_of_targets(const datasets::Dataset& rows) {
  double mean = 0, spread = 0;
  for (std::int64_t i = 0; i < rows.size(); ++i) {
    const double target = rows.get(i).target, step = target - mean;  // Welford 1962
    mean += step / static_cast<double>(i + 1);
    spread += step * (target - mean);
  }
  return spread / static_cast<double>(rows.size());
}

bool is_at_chance(double accuracy, const datasets::Dataset& images) {
  const double chance = most_frequent_share(images);
  return accuracy <=
         chance + 0.5 * std::sqrt(chance * (1 - chance) / static_cast<double>(images.size()));
}

}  // namespace espalier::training
