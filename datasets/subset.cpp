#include "datasets/subset.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace espalier::datasets {
namespace {

void check_count(const Dataset& dataset, std::int64_t count, const char* where) {
  require(count >= 0 && count <= dataset.size(), where, "wants ", count, " of ", dataset.size(),
          " examples");
}

}  // namespace

Subset::Subset(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices)
    : dataset_(std::move(dataset)), indices_(std::move(indices)) {
  require(dataset_ != nullptr, "Subset", "wants a dataset, got none");
  for (const std::int64_t index : indices_) check_index(index, dataset_->size());
}

Example Subset::get(std::int64_t i) const {
  check_index(i, size());
  return dataset_->get(indices_[static_cast<std::size_t>(i)]);
}

std::vector<std::int64_t> permutation(std::int64_t n, Rng& rng) {
  require(n >= 0, "permutation", "wants a count of at least 0, got ", n);
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
  return order;
}

std::shared_ptr<const Dataset> shuffled(std::shared_ptr<const Dataset> dataset, Rng& rng) {
  auto order = permutation(dataset->size(), rng);
  return std::make_shared<Subset>(std::move(dataset), std::move(order));
}

std::shared_ptr<const Dataset> first(std::shared_ptr<const Dataset> dataset, std::int64_t count) {
  check_count(*dataset, count, "first");
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return std::make_shared<Subset>(std::move(dataset), std::move(indices));
}

Split split(std::shared_ptr<const Dataset> dataset, std::int64_t count, Rng& rng) {
  check_count(*dataset, count, "split");
  auto drawn = permutation(dataset->size(), rng);
  std::vector<std::int64_t> others(drawn.begin() + count, drawn.end());
  drawn.resize(static_cast<std::size_t>(count));
  std::ranges::sort(drawn);
  std::ranges::sort(others);
  return {std::make_shared<Subset>(dataset, std::move(drawn)),
          std::make_shared<Subset>(dataset, std::move(others))};
}

}  // namespace espalier::datasets
