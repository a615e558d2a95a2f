#include "apps/bench/rounds.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

#include "apps/bench/models.hpp"

using namespace espalier;
using namespace espalier::bench;
namespace {

Job job(std::function<void()> run) {
  return {.suite = "", .model = "", .variant = "", .unit = "", .run = std::move(run)};
}

}  // namespace

TEST_CASE("a round runs the job as often as it says, and at least once") {
  int runs = 0;
  const Job quick = job([&] { ++runs; });
  CHECK(time_round(quick, 0).runs == 1);
  CHECK(runs == 1);
  const Round round = time_round(quick, 0.005);
  CHECK(round.runs == runs - 1);
  CHECK(round.runs > 100);
  CHECK(round.seconds * static_cast<double>(round.runs) >= 0.005);
  const Job slow = job([] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); });
  CHECK(time_round(slow, 0.001).runs == 1);
  CHECK(time_round(slow, 0.001).seconds >= 0.005);
}

TEST_CASE("jobs take turns; the first round is not counted") {
  std::string order;
  const std::vector<Job> jobs = {job([&] { order += 'a'; }), job([&] { order += 'b'; })};
  const auto seconds = interleaved(jobs, {.rounds = 3, .seconds = 0});
  CHECK(order == "abababab");
  REQUIRE(seconds.size() == 2);
  CHECK(seconds[0].size() == 3);
  CHECK(seconds[1].size() == 3);
}

TEST_CASE("pruned: the share of zeros, in whole blocks of the smallest sums") {
  format::PackedModel dense;
  dense.layers.resize(1);
  auto& weight = dense.layers[0].weight;
  weight.shape = {4, 8}, weight.bits = 8;
  for (int i = 0; i < 32; ++i) weight.levels.push_back(static_cast<std::int8_t>(i + 1));
  const auto zeros = [&](const Zeros& z) {
    const auto levels = pruned(dense, z).layers[0].weight.levels;
    std::string drawn;
    for (std::size_t i = 0; i < levels.size(); ++i)
      drawn += std::string(levels[i] == 0 ? "." : "#") + (i % 8 == 7 ? " " : "");
    return drawn;
  };
  CHECK(zeros({}) == "######## ######## ######## ######## ");
  CHECK(zeros({.share = 0.5}) == "........ ........ ######## ######## ");
  CHECK(zeros({.share = 0.25, .outputs = 2, .inputs = 4}) ==
        "....#### ....#### ######## ######## ");
  // Three rows of blocks at most cover four outputs: the last block is of one.
  CHECK(zeros({.share = 0.5, .outputs = 3, .inputs = 8}) == "######## ######## ######## ........ ");
}
