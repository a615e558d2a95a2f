#include "compress/prune/allocation.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.hpp"

namespace espalier::prune {
namespace {

double groups(const Candidate& c) {
  return static_cast<double>(c.scores.size());
}

std::int64_t share_of(const Candidate& c, double sparsity) {
  return std::llround(sparsity * groups(c));
}

// The tensors' densities, 1 for those that stay whole.
std::vector<double> erk_densities(std::span<const Candidate> candidates, double sparsity) {
  std::vector<double> raw, size;
  for (const Candidate& c : candidates) {
    double sum = 0, product = 1;
    for (const auto v : c.shape.sizes())
      sum += static_cast<double>(v), product *= static_cast<double>(v);
    raw.push_back(sum / product);
    size.push_back(product);
  }
  std::vector<char> whole(raw.size());
  double factor = 0;
  for (bool again = true; std::exchange(again, false);) {
    double wanted = 0, weighted = 0;  // weights to keep in tensors that are not whole
    for (std::size_t i = 0; i < raw.size(); ++i) {
      wanted += (1 - sparsity) * size[i] - (whole[i] ? size[i] : 0);
      if (!whole[i]) weighted += raw[i] * size[i];
    }
    factor = weighted > 0 ? wanted / weighted : 0;
    for (std::size_t i = 0; i < raw.size(); ++i)
      if (!whole[i] && factor * raw[i] > 1) whole[i] = 1, again = true;
  }
  std::vector<double> densities;
  for (std::size_t i = 0; i < raw.size(); ++i)
    densities.push_back(whole[i] ? 1 : std::max(0.0, factor * raw[i]));
  return densities;
}

std::vector<std::int64_t> lowest_of_all(std::span<const Candidate> candidates, double sparsity) {
  struct Place {
    float score;
    std::size_t tensor;
  };
  std::vector<Place> all;
  for (std::size_t t = 0; t < candidates.size(); ++t)
    for (const float score : candidates[t].scores) all.push_back({score, t});
  // Of equal scores the later one goes first, as within a tensor.
  std::ranges::reverse(all);
  std::ranges::stable_sort(all, {}, &Place::score);
  auto left = std::llround(sparsity * static_cast<double>(all.size()));
  std::vector<std::int64_t> removed(candidates.size());
  for (const Place& place : all) {
    if (left == 0) break;
    if (removed[place.tensor] + 1 == std::ssize(candidates[place.tensor].scores)) continue;
    ++removed[place.tensor];
    --left;
  }
  return removed;
}

const float* named(const PerLayer& given, const std::string& name) {
  for (const auto& key : {name, name.substr(0, name.rfind('.'))})
    if (const auto found = given.sparsity.find(key); found != given.sparsity.end())
      return &found->second;
  return nullptr;
}

void check_names(const PerLayer& given, std::span<const Candidate> candidates) {
  for (const auto& [name, sparsity] : given.sparsity) {
    require(0 <= sparsity && sparsity < 1, "PerLayer", name, " wants a sparsity in [0, 1), got ",
            sparsity);
    const bool known = std::ranges::any_of(candidates, [&, &key = name](const Candidate& c) {
      return c.name == key || c.name.substr(0, c.name.rfind('.')) == key;
    });
    require(known, "PerLayer", name, " is no selected parameter or layer of the model");
  }
}

}  // namespace

std::vector<std::int64_t> removed_groups(const Allocation& allocation,
                                         std::span<const Candidate> candidates, double sparsity,
                                         double final) {
  if (std::holds_alternative<Global>(allocation)) return lowest_of_all(candidates, sparsity);
  std::vector<std::int64_t> removed;
  if (std::holds_alternative<Erk>(allocation)) {
    const auto densities = erk_densities(candidates, sparsity);
    for (std::size_t i = 0; i < candidates.size(); ++i)
      removed.push_back(share_of(candidates[i], 1 - densities[i]));
    return removed;
  }
  const auto* given = std::get_if<PerLayer>(&allocation);
  if (given) check_names(*given, candidates);
  for (const Candidate& c : candidates) {
    const float* own = given ? named(*given, c.name) : nullptr;
    const double part = final > 0 ? sparsity / final : 0;
    removed.push_back(share_of(c, own ? double{*own} * part : sparsity));
  }
  return removed;
}

}  // namespace espalier::prune
