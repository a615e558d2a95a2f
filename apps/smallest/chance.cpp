#include "apps/smallest/chance.hpp"

#include <algorithm>
#include <cmath>

namespace espalier::apps {

double most_frequent_share(const datasets::Dataset& images) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(images.classes()));
  for (std::int64_t i = 0; i < images.size(); ++i)
    ++counts[static_cast<std::size_t>(images.get(i).label)];
  return static_cast<double>(std::ranges::max(counts)) / static_cast<double>(images.size());
}

bool is_at_chance(double accuracy, const datasets::Dataset& images) {
  const double chance = most_frequent_share(images);
  return accuracy <=
         chance + 0.5 * std::sqrt(chance * (1 - chance) / static_cast<double>(images.size()));
}

}  // namespace espalier::apps
