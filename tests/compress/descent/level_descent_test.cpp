#include "compress/descent/level_descent.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compress/format/writer.hpp"
#include "compress/runtime/model.hpp"
#include "tests/compress/descent/networks.hpp"

using namespace espalier;
using namespace espalier::descent;
namespace {

// Squared distance to logits of a network that differs in some levels.
struct Task {
  Tensor x = images(600);
  Tensor wanted;
  Task() {
    auto other = network();
    Rng rng(3, "other");
    for (auto& layer : other.layers)
      for (auto& level : layer.weight.levels)
        if (rng.below(8) == 0) level = static_cast<std::int8_t>(level > 0 ? level - 1 : level + 1);
    wanted = runtime::Model(other).run(x);
  }
  ImageLoss loss() const {
    return [this](std::int64_t n, std::span<const float> logits) {
      double sum = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        const double d =
            double{logits[k]} - double{wanted.values()[3 * static_cast<std::size_t>(n) + k]};
        sum += d * d;
      }
      return sum;
    };
  }
  double mean_loss(const format::PackedModel& model) const {
    const Tensor got = runtime::Model(model).run(x);
    double sum = 0;
    for (std::int64_t n = 0; n < 600; ++n)
      sum += loss()(n, got.values().subspan(static_cast<std::size_t>(3 * n), 3));
    return sum / 600;
  }
};

double file_bits(const format::PackedModel& model) {
  const auto sizes = format::measure(model);
  return std::accumulate(sizes.layer_bits.begin(), sizes.layer_bits.end(), sizes.head_bits);
}

std::int64_t nonzeros(const format::PackedModel& model) {
  std::int64_t count = 0;
  for (const auto& layer : model.layers)
    count += std::ranges::count_if(layer.weight.levels, [](auto q) { return q != 0; });
  return count;
}

}  // namespace

TEST_CASE("descent: a report tells the truth about the model that it leaves") {
  const Task task;
  auto model = network();
  const Report report =
      descend(model, task.x, task.loss(), {.lambda = 1e-5, .rounds = 1, .quiet = true});
  CHECK(report.changed > 0);
  CHECK(report.tried > report.changed);
  CHECK(report.loss_before == doctest::Approx(task.mean_loss(network())));
  CHECK(report.loss_after == doctest::Approx(task.mean_loss(model)));
  CHECK(report.bits_before == doctest::Approx(file_bits(network())));
  CHECK(report.bits_after == doctest::Approx(file_bits(model)));
  CHECK(report.loss_after + 1e-5 * report.bits_after <
        report.loss_before + 1e-5 * report.bits_before);
}

TEST_CASE("descent: bits for nothing, and the loss alone; bits dear, and little is left") {
  const Task task;
  auto free = network(), dear = network();
  const auto without =
      descend(free, task.x, task.loss(), {.lambda = 0, .rounds = 1, .quiet = true});
  CHECK(without.loss_after < 0.8 * without.loss_before);
  descend(dear, task.x, task.loss(), {.lambda = 1, .rounds = 3, .quiet = true});
  CHECK(nonzeros(dear) < 10);
  CHECK(nonzeros(network()) > 100);
}

TEST_CASE("descent: zeros stay when they may not grow, and a seed is an order") {
  const Task task;
  const Options options{.lambda = 1e-6, .rounds = 1, .growing_rounds = 0, .quiet = true};
  auto first = network(), second = network();
  descend(first, task.x, task.loss(), options);
  descend(second, task.x, task.loss(), options);
  CHECK(first == second);
  const auto start = network();
  for (std::size_t l = 0; l < start.layers.size(); ++l)
    for (std::size_t i = 0; i < start.layers[l].weight.levels.size(); ++i)
      if (start.layers[l].weight.levels[i] == 0) CHECK(first.layers[l].weight.levels[i] == 0);
}

TEST_CASE("descent makes no move that the format does not allow, however the loss likes it") {
  format::PackedModel model;
  model.input_shape = {1, 1, 1040};
  model.input = {1.0f / 127, 0};
  format::PackedLayer dense;
  dense.kind = format::LayerKind::kDense;
  dense.weight = {{2, 1040}, 8, {}, std::vector<std::int8_t>(2080, 127), {1}};
  dense.bias_levels = {0, 0}, dense.bias_shift = 12;  // 127 * 1040 * 127 + 4096 is over 2^24
  model.layers = {dense};
  const ImageLoss loss = [](std::int64_t, std::span<const float> logits) {
    return -double{logits[0]};
  };
  descend(model, Tensor::full({1, 1, 1, 1040}, 1), loss, {.lambda = 0, .rounds = 1, .quiet = true});
  CHECK(model.layers[0] == dense);
}

TEST_CASE("descent refuses what it cannot do") {
  auto model = network();
  const ImageLoss none = [](std::int64_t, std::span<const float>) { return 0.0; };
  CHECK_THROWS_AS(descend(model, images(1), none, {.lambda = -1}), Error);
  CHECK_THROWS_AS(descend(model, images(1), none, {.rounds = 0}), Error);
  CHECK_THROWS_AS(descend(model, images(0), none, {}), Error);
}
