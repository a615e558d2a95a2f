#include <doctest/doctest.h>

#include <cmath>

#include "core/base/rng.hpp"
#include "core/onednn/threads.hpp"
#include "core/ops/ops.hpp"
#include "optim/optimizer.hpp"

using namespace espalier;
using namespace espalier::optim;
namespace {

// Sets the gradient of w to `g` by way of a loss that is linear in w.
void give_gradient(Variable& w, float g) {
  w.clear_gradient();
  backward(ops::sum(ops::multiply(w, Variable(Tensor::full(w.shape(), g)))));
}

}  // namespace

TEST_CASE("SGD with momentum and weight decay follows its formula") {
  Variable w(Tensor::full({1}, 1), true);
  Sgd sgd({w}, {.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 0.5f});
  give_gradient(w, 2);
  sgd.step();  // v = 2.5, w = 0.75
  CHECK(w.value().item() == doctest::Approx(0.75));
  give_gradient(w, 2);
  sgd.step(0.5f);  // v = 2.25 + 2 + 0.375 = 4.625, w = 0.75 - 0.05 * 4.625
  CHECK(w.value().item() == doctest::Approx(0.51875));
  CHECK(w.gradient().item() == 2);  // a step never changes a gradient
  CHECK_THROWS_AS(Sgd({w}, {.learning_rate = 0}), Error);
  CHECK_THROWS_AS(Sgd({Variable(Tensor({1}))}, {}), Error);
}

TEST_CASE("Nesterov's momentum looks a step ahead") {
  Variable w(Tensor::full({1}, 1), true);
  Sgd sgd({w}, {.learning_rate = 0.1f, .momentum = 0.9f, .nesterov = true});
  give_gradient(w, 2);
  sgd.step();  // v = 2, w = 1 - 0.1 * (2 + 1.8)
  CHECK(w.value().item() == doctest::Approx(0.62));
  give_gradient(w, -1);
  sgd.step();  // v = 0.8, w = 0.62 - 0.1 * (-1 + 0.72)
  CHECK(w.value().item() == doctest::Approx(0.648));
}

TEST_CASE("AdamW: the decay is decoupled from the gradient's scale") {
  for (const float gradient : {3.0f, 300.0f}) {
    Variable w(Tensor::full({1}, 2), true);
    Adam adam({w}, {.learning_rate = 0.1f, .weight_decay = 0.5f});
    give_gradient(w, gradient);
    adam.step(0.5f);  // 2 - 0.05 * (1 + 0.5 * 2)
    CHECK(w.value().item() == doctest::Approx(1.9));
  }
  Variable w(Tensor::full({1}, 2), true);
  CHECK_THROWS_AS(Adam({w}, {.weight_decay = -1}), Error);
}

TEST_CASE("Adam: the first step is the learning rate, the second follows algorithm 1") {
  Variable w(Tensor::full({1}, 1), true), idle(Tensor::full({1}, 5), true);
  Adam adam({w, idle}, {.learning_rate = 0.1f});
  give_gradient(w, 3);
  adam.step();
  CHECK(w.value().item() == doctest::Approx(0.9));
  give_gradient(w, -1);
  adam.step();
  const double m = (0.9 * 0.3 - 0.1) / (1 - 0.81);
  const double v = (0.999 * 0.009 + 0.001) / (1 - 0.999 * 0.999);
  CHECK(w.value().item() == doctest::Approx(0.9 - 0.1 * m / std::sqrt(v)).epsilon(1e-4));
  CHECK(idle.value().item() == 5);
  CHECK_THROWS_AS(Adam({w}, {.beta1 = 1}), Error);
}

TEST_CASE("a gradient that is not finite is reported and moves nothing") {
  for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
    Variable w(Tensor::full({3000}, 1), true);
    give_gradient(w, bad);
    CHECK_FALSE(Adam({w}, {}).step());
    CHECK_FALSE(Sgd({w}, {}).step());
    CHECK(w.value().values()[0] == 1);
    give_gradient(w, 1);
    CHECK(Adam({w}, {}).step());
    // Late in the gradient: nothing that is not finite reaches a weight.
    Variable late(Tensor::full({3000}, 1), true);
    Tensor factors = Tensor::full({3000}, 1);
    factors.mutable_values()[2999] = bad;
    backward(ops::sum(ops::multiply(late, Variable(factors))));
    CHECK_FALSE(Adam({late}, {}).step());
    CHECK(late.value().values()[2999] == 1);
    CHECK(std::ranges::all_of(late.value().values(), [](float v) { return std::isfinite(v); }));
  }
}

TEST_CASE("the bits of a step do not depend on the number of threads") {
  const auto trained = [](int threads) {
    const ThreadsInScope scope(threads);
    Rng rng(1, "gradients");
    Tensor factors({300007});
    for (float& f : factors.mutable_values()) f = rng.uniform(-1, 1);
    std::vector<Variable> w;
    for (int i = 0; i < 2; ++i) w.emplace_back(Tensor::full(factors.shape(), 1), true);
    Adam adam({w[0]}, {.weight_decay = 0.01f});
    Sgd sgd({w[1]}, {.momentum = 0.9f, .nesterov = true});
    for (int i = 0; i < 3; ++i) {
      for (Variable& v : w) {
        v.clear_gradient();
        backward(ops::sum(ops::multiply(v, Variable(factors))));
      }
      CHECK((adam.step() && sgd.step()));
    }
    std::vector<float> all(w[0].value().values().begin(), w[0].value().values().end());
    all.insert(all.end(), w[1].value().values().begin(), w[1].value().values().end());
    return all;
  };
  const auto want = trained(1);
  CHECK(trained(2) == want);
  CHECK(trained(3) == want);
}

TEST_CASE("clear_state drops the moments of removed weights only") {
  Variable w(Tensor::full({2}, 1), true);
  Adam adam({w}, {});
  give_gradient(w, 3);
  adam.step();
  adam.clear_state(w, Tensor::from({2}, {1, 0}));
  int seen = 0;
  adam.visit_state([&](const std::string& name, Tensor& t) {
    if (name == "steps") return;
    ++seen;
    CHECK(t.values()[0] != 0);
    CHECK(t.values()[1] == 0);
  });
  CHECK(seen == 2);
  CHECK_THROWS_AS(adam.clear_state(w, Tensor({3})), Error);
  CHECK_THROWS_AS(adam.clear_state(Variable(Tensor({2}), true), Tensor({2})), Error);
}
