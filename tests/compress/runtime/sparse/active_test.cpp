// Lists of inputs that are not 0, and what is multiplied by them: each instruction set's like the plain ones.
#include "compress/runtime/sparse/active.hpp"

#include <numeric>

#include "compress/runtime/sparse/active_step.hpp"
#include "compress/runtime/step.hpp"
#include "core/onednn/isa.hpp"
#include "tests/compress/runtime/onednn/models.hpp"

using namespace espalier;
using namespace espalier::runtime;
using namespace espalier::runtime::sparse;
namespace {

std::vector<std::uint8_t> random_levels(Rng& rng, std::int64_t count) {
  std::vector<std::uint8_t> levels(static_cast<std::size_t>(count + Activation::kSlack), 1);
  const float share = pick(rng, {0.0f, 0.2f, 0.5f, 1.0f});
  for (std::int64_t i = 0; i < count; ++i)
    levels[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(rng.uniform() < share ? 1 + rng.below(127) : 0);
  return levels;
}

}  // namespace

TEST_CASE("the inputs that are not 0, and how many stand in front of each pixel") {
  Rng rng(6, "find");
  for (int i = 0; i < 200; ++i) {
    const auto pixels = 1 + static_cast<std::int64_t>(rng.below(20)),
               channels = pick<std::int64_t>(rng, {1, 3, 7, 8, 16, 17, 20, 64, 300});
    CAPTURE(pixels);
    CAPTURE(channels);
    const auto x = random_levels(rng, pixels * channels);
    ActiveInputs found(pixels * channels);
    std::vector<std::int32_t> begins(static_cast<std::size_t>(pixels + 1), -1);
    active_kernels(vector_isa()).find(x.data(), pixels, channels, found, begins.data());
    std::size_t n = 0;
    for (std::int64_t k = 0; k < pixels * channels; ++k) {
      if (k % channels == 0)
        CHECK(begins[static_cast<std::size_t>(k / channels)] == static_cast<std::int32_t>(n));
      const std::uint8_t level = x[static_cast<std::size_t>(k)];
      if (level == 0) continue;
      REQUIRE(found.levels[n] == level);
      REQUIRE(found.offsets[n] == k * 64);
      ++n;
    }
    CHECK(found.count == static_cast<std::int64_t>(n));
    CHECK(begins.back() == static_cast<std::int32_t>(n));
    found.fill_up();
    CHECK(found.count % ActiveInputs::kAtOnce == 0);
    CHECK(found.count - static_cast<std::int64_t>(n) < ActiveInputs::kAtOnce);
    CHECK(found.count + ActiveInputs::kChunk <= std::ssize(found.offsets));  // that kernels write
  }
}

TEST_CASE("active inputs times their weights: the sums of all inputs, bit for bit") {
  Rng rng(6, "active");
  for (int i = 0; i < 60; ++i) {
    const std::int64_t inputs = pick<std::int64_t>(rng, {1, 5, 64, 784}),
                       outputs = pick<std::int64_t>(rng, {1, 10, 64, 100, 300});
    CAPTURE(inputs);
    CAPTURE(outputs);
    PackedLayer l = dense_of(rng, inputs, outputs, 8);
    l.output = {0.5f, pick(rng, {0, 60})};
    const ActivationGrid grid{1, 0};
    const Finish finish = finish_of(l, grid, nullptr);
    const ActiveWeights weights(l);
    std::vector<ActiveInputs> windows;
    std::vector<std::int32_t> largest(static_cast<std::size_t>(finish.groups() * kLanes),
                                      INT32_MIN);
    for (int pool = pick(rng, {1, 2, 4}); pool > 0; --pool) {
      const auto x = random_levels(rng, inputs);
      std::int32_t begins[2];
      find_active_plain(x.data(), 1, inputs, windows.emplace_back(inputs), begins);
      windows.back().fill_up();
      for (std::int64_t o = 0; o < std::ssize(largest); ++o) {
        const std::int8_t* row = o < outputs ? l.weight.levels.data() + o * inputs : nullptr;
        const std::int32_t sum = row ? std::inner_product(row, row + inputs, x.begin(), 0) : 0;
        auto& most = largest[static_cast<std::size_t>(o)];
        most = std::max(most, sum);
      }
    }
    std::vector<std::uint8_t> wanted(static_cast<std::size_t>(outputs)), got(wanted);
    const auto tiles = [&](std::int64_t channel, std::vector<std::uint8_t>& y) {
      return Tiles{.x = nullptr,
                   .starts = {},
                   .pool = 1,
                   .finish = finish,
                   .channel = channel,
                   .y = y.data()};
    };
    for (std::int64_t c = 0; c < finish.groups() * kLanes; c += kLanes)
      finish_plain(largest.data() + c, tiles(c, wanted), 0);
    for (const auto multiply : {multiply_active_plain, active_kernels(vector_isa()).multiply}) {
      for (std::int64_t t = 0; t * ActiveWeights::kOutputs < outputs; ++t)
        multiply(weights.tile(t), windows, tiles(t * ActiveWeights::kOutputs, got), 0);
      CHECK(got == wanted);
      std::ranges::fill(got, 0);
    }
  }
}

TEST_CASE("sums at the edge of what 16 bits hold, of the largest weights, keep every bit") {
  constexpr std::int64_t kInputs = 8, kOutputs = 48;
  Rng rng(6, "edge");
  PackedLayer l = dense_of(rng, kInputs, kOutputs, 8);
  l.output = {};  // floats: nothing is clamped
  l.relu = false;
  l.bias_levels.clear();
  for (std::int64_t i = 0; i < kOutputs * kInputs; ++i)
    l.weight.levels[static_cast<std::size_t>(i)] = i / kInputs % 2 ? -127 : 127;
  const ActiveWeights weights(l);
  const Finish finish = finish_of(l, {1, 0}, nullptr);
  // 258 * 127 = 32766 is below 2^15, 259 * 127 is not: of inputs 0, 1, 4, 5, then of the others.
  const std::vector<std::vector<std::uint8_t>> cases{{64, 65, 1, 1, 64, 65, 1, 1},
                                                     {65, 65, 1, 1, 64, 65, 1, 1},
                                                     {1, 1, 65, 64, 1, 1, 65, 64},
                                                     {1, 1, 65, 64, 1, 1, 65, 65},
                                                     {127, 127, 1, 1, 3, 1, 1, 1},
                                                     {127, 127, 1, 1, 3, 2, 1, 1},
                                                     {127, 127, 127, 127, 127, 127, 127, 127},
                                                     {1, 1, 127, 127, 1, 1, 127, 127}};
  for (const auto& levels : cases) {
    CAPTURE(int{levels.front()});
    ActiveInputs inputs(kInputs);
    std::vector<std::uint8_t> x = levels;
    x.resize(kInputs + Activation::kSlack);
    std::int32_t begins[2];
    find_active_plain(x.data(), 1, kInputs, inputs, begins);
    const int sum = std::accumulate(levels.begin(), levels.end(), 0) * 127;
    std::vector<float> got(kOutputs);
    const Tiles tiles{
        .x = nullptr, .starts = {}, .pool = 1, .finish = finish, .channel = 0, .y = got.data()};
    for (const auto multiply : {multiply_active_plain, active_kernels(vector_isa()).multiply}) {
      multiply(weights.tile(0), {&inputs, 1}, tiles, 0);
      for (std::size_t o = 0; o < got.size(); ++o)
        CHECK(got[o] == static_cast<float>(o % 2 ? -sum : sum) * finish.multiplier[o]);
    }
  }
}

TEST_CASE("lines of levels that are taken: the same as of levels that stay") {
  Rng rng(6, "taken");
  for (const std::int64_t outputs : {1, 64, 100, 300})
    for (const std::int64_t inputs : {1, 63, 5000}) {
      CAPTURE(outputs);
      CAPTURE(inputs);
      PackedLayer l = dense_of(rng, inputs, outputs, 8);
      const ActiveWeights kept(l);
      CHECK(std::ssize(l.weight.levels) == outputs * inputs);
      const auto taken = ActiveWeights::of_taken(std::move(l.weight.levels), outputs);
      CHECK(l.weight.levels.capacity() == 0);
      REQUIRE(taken.tiles() == kept.tiles());
      CHECK(std::memcmp(taken.tile(0), kept.tile(0),
                        static_cast<std::size_t>(kept.tiles() * 64 * inputs)) == 0);
    }
}

TEST_CASE(
    "a run multiplies active inputs alone where they are few enough, and else takes the other "
    "step") {
  Rng rng(6, "step");
  PackedLayer l = dense_of(rng, 200, 64, 8);
  l.output = {0.5f, 0};
  std::vector<std::uint8_t> x(2 * 200 + Activation::kSlack), y(2 * 64, 255);
  const Activation from{x.data(), {2, 1, 1, 200}, {1, 0}}, to{y.data(), {2, 1, 1, 64}, l.output};
  int others = 0;
  const Step step = active_step({.linear = &l}, from, to, 0.25, [&] { ++others; });
  for (std::size_t active : {0, 99, 100, 101, 400}) {  // of 400
    CAPTURE(active);
    std::ranges::fill(x, std::uint8_t{0});
    std::fill_n(x.begin(), active, std::uint8_t{3});
    std::ranges::fill(y, std::uint8_t{255});
    others = 0;
    step();
    CHECK(others == (active > 100));
    CHECK((std::ranges::count(y, 255) == 0) == (active <= 100));  // a level is 127 at most
  }
}
