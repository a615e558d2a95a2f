#include "compress/prune/allocation.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "core/base/error.hpp"
#include "core/base/rng.hpp"

using namespace espalier;
using namespace espalier::prune;
namespace {

Candidate candidate(std::string name, const Shape& shape, float scale = 1) {
  Rng rng(7, name);
  Candidate c{std::move(name), shape, {}};
  for (std::int64_t i = 0; i < shape.elements(); ++i) c.scores.push_back(scale * rng.uniform());
  return c;
}

std::vector<Candidate> network() {
  return {candidate("conv1.weight", {32, 3, 3, 1}), candidate("conv2.weight", {64, 3, 3, 32}),
          candidate("dense.weight", {10, 3136}, 0.1f)};
}

}  // namespace

TEST_CASE("uniform and per-layer shares, to the weight") {
  const auto all = network();
  CHECK(removed_groups(Uniform{}, all, 0.8, 0.8) ==
        std::vector<std::int64_t>{230, 14746, 25088});  // of 288, 18,432, 31,360
  const Allocation given = PerLayer{{{"conv1", 0.5f}, {"dense.weight", 0.9f}}};
  CHECK(removed_groups(given, all, 0.8, 0.8) == std::vector<std::int64_t>{144, 14746, 28224});
  CHECK(removed_groups(given, all, 0.4, 0.8) ==
        std::vector<std::int64_t>{72, 7373, 14112});  // half the way
  CHECK_THROWS_AS(removed_groups(PerLayer{{{"conv3", 0.5f}}}, all, 0.8, 0.8), Error);
  CHECK_THROWS_AS(removed_groups(PerLayer{{{"conv1", 1.0f}}}, all, 0.8, 0.8), Error);
}

TEST_CASE("Erdos-Renyi-Kernel: the model's sparsity, densities in the paper's proportion") {
  const auto all = network();
  const auto removed = removed_groups(Erk{}, all, 0.5, 0.5);
  const auto density = [&](std::size_t i) {
    return 1 - static_cast<double>(removed[i]) / static_cast<double>(all[i].scores.size());
  };
  const double zeros = static_cast<double>(std::accumulate(removed.begin(), removed.end(), 0ll));
  CHECK(zeros / 50080 == doctest::Approx(0.5).epsilon(1e-3));
  CHECK(density(0) == 1);  // would be more than dense: the others make up for it
  const double conv2 = (64 + 3 + 3 + 32) / 18432.0, dense = (10 + 3136) / 31360.0;
  CHECK(density(1) / density(2) == doctest::Approx(conv2 / dense).epsilon(0.02));
}

TEST_CASE("global: the lowest of all go, the model's sparsity is exact, no tensor goes whole") {
  const auto all = network();
  const auto removed = removed_groups(Global{}, all, 0.6, 0.6);
  CHECK(std::accumulate(removed.begin(), removed.end(), 0ll) == std::llround(0.6 * 50080));
  CHECK(static_cast<double>(removed[2]) / 31360 > 0.9);  // a tenth of the others' scores
  CHECK(static_cast<double>(removed[1]) / 18432 < 0.2);
  std::vector<Candidate> lopsided = {candidate("a", {4, 4}), candidate("b", {40, 40}, 1e-3f)};
  CHECK(removed_groups(Global{}, lopsided, 0.995, 0.995) == std::vector<std::int64_t>{9, 1599});
}
