// Every op against central differences: loss = sum(y * r) with r random, so that no error cancels.
// An op that is linear in each input takes a large step (no truncation error, little rounding); a
// curved one a small step. Values keep clear of kinks: for relu and max pooling they lie on a grid
// wider than the step.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/rng.hpp"
#include "core/ops/ops.hpp"

using namespace espalier;
namespace {

using Op = std::function<Variable(const std::vector<Variable>&)>;
struct Case {
  const char* name;
  Op op;
  std::vector<Shape> inputs;
  float step, tolerance;  // tolerance relative to the largest gradient
};

// Distinct multiples of 0.07 that are never 0, in random order: any two differ by more than the
// step.
Tensor spread(Shape shape, Rng& rng) {
  Tensor t(shape);
  const auto v = t.mutable_values();
  for (std::size_t i = 0; i < v.size(); ++i) {
    const auto half = static_cast<float>(i / 2 + 1);
    v[i] = 0.07f * (i % 2 ? -half : half);
  }
  for (std::size_t i = v.size(); i > 1; --i) std::swap(v[i - 1], v[rng.below(i)]);
  return t;
}

void check(const Case& c) {
  Rng rng(11, c.name);
  std::vector<Variable> inputs;
  for (const Shape& shape : c.inputs) inputs.emplace_back(spread(shape, rng), true);
  const Variable y = c.op(inputs);
  Tensor r(y.shape());
  for (float& v : r.mutable_values()) v = rng.uniform(-1, 1);
  backward(ops::sum(ops::multiply(y, Variable(r))));
  const auto loss = [&] {
    const NoGradient guard;
    const Tensor out = c.op(inputs).value();
    return std::inner_product(out.values().begin(), out.values().end(), r.values().begin(), 0.0);
  };
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Tensor gradient = inputs[k].gradient();
    float largest = 1e-3f;
    for (const float g : gradient.values()) largest = std::max(largest, std::abs(g));
    for (std::size_t i = 0; i < gradient.values().size(); ++i) {
      float& x = inputs[k].mutable_value().mutable_values()[i];
      const float before = x;
      x = before + c.step;
      const double up = loss();
      x = before - c.step;
      const double down = loss();
      x = before;
      const double numeric = (up - down) / (2 * c.step);
      CHECK_MESSAGE(std::abs(numeric - gradient.values()[i]) <= c.tolerance * largest,
                    c.name << " input " << k << " value " << i << ": " << numeric << " against "
                           << gradient.values()[i]);
    }
  }
}

}  // namespace

TEST_CASE("every op's gradient matches central differences") {
  using V = const std::vector<Variable>&;
  const kernels::Window valid3{.kernel_h = 3, .kernel_w = 3};
  const kernels::Window odd{.kernel_h = 3,
                            .kernel_w = 2,
                            .stride_h = 2,
                            .stride_w = 1,
                            .pad_top = 1,
                            .pad_left = 1,
                            .pad_bottom = 2,
                            .pad_right = 0};
  const kernels::Window pool{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  const std::vector<int> labels = {2, 0, 1};
  const Op entropy = [&](V v) { return ops::cross_entropy(v[0], labels); };
  const std::vector<Case> table = {
      {"matmul", [](V v) { return ops::matmul(v[0], v[1]); }, {{3, 4}, {4, 2}}, 0.1f, 1e-4f},
      {"matmul_transposed",
       [](V v) { return ops::matmul(v[0], v[1], {.transpose_b = true}); },
       {{3, 4}, {5, 4}},
       0.1f,
       1e-4f},
      {"add", [](V v) { return ops::add(v[0], v[1]); }, {{2, 3}, {2, 3}}, 0.1f, 1e-4f},
      {"add_to_itself", [](V v) { return ops::add(v[0], v[0]); }, {{2, 3}}, 0.1f, 1e-4f},
      {"multiply", [](V v) { return ops::multiply(v[0], v[1]); }, {{2, 3}, {2, 3}}, 0.1f, 1e-4f},
      {"add_bias", [](V v) { return ops::add_bias(v[0], v[1]); }, {{2, 2, 2, 3}, {3}}, 0.1f, 1e-4f},
      {"conv2d",
       [=](V v) { return ops::conv2d(v[0], v[1], valid3); },
       {{2, 5, 4, 2}, {3, 3, 3, 2}},
       0.1f,
       1e-4f},
      {"conv2d_padded",
       [=](V v) { return ops::conv2d(v[0], v[1], odd); },
       {{1, 5, 4, 1}, {2, 3, 2, 1}},
       0.1f,
       1e-4f},
      {"max_pool2d",
       [=](V v) { return ops::max_pool2d(v[0], pool); },
       {{2, 4, 5, 3}},
       0.03f,
       1e-4f},
      {"max_pool2d_overlapping",
       [=](V v) { return ops::max_pool2d(v[0], odd); },
       {{1, 5, 4, 2}},
       0.03f,
       1e-4f},
      {"average_pool2d",
       [=](V v) { return ops::average_pool2d(v[0], odd); },
       {{2, 5, 4, 2}},
       0.1f,
       1e-4f},
      {"relu", [](V v) { return ops::relu(v[0]); }, {{3, 5}}, 0.03f, 1e-4f},
      {"reshape", [](V v) { return ops::reshape(v[0], {6}); }, {{2, 3}}, 0.1f, 1e-4f},
      {"sum", [](V v) { return ops::sum(v[0]); }, {{2, 3}}, 0.1f, 1e-4f},
      {"mean", [](V v) { return ops::mean(v[0]); }, {{2, 3}}, 0.1f, 1e-4f},
      {"log_softmax", [](V v) { return ops::log_softmax(v[0]); }, {{3, 4}}, 1e-2f, 1e-3f},
      {"batch_norm",
       [](V v) { return ops::batch_norm(v[0], v[1], v[2], 1e-3f).y; },
       {{2, 2, 2, 3}, {3}, {3}},
       1e-2f,
       2e-3f},
      {"batch_norm_inference",
       [](V v) {
         return ops::batch_norm_inference(v[0], v[1], v[2], Tensor::from({3}, {0.1f, -0.2f, 0}),
                                          Tensor::from({3}, {1, 0.5f, 2}), 1e-3f);
       },
       {{2, 2, 2, 3}, {3}, {3}},
       0.1f,
       1e-4f},
      {"dropout",
       [](V v) {
         Rng rng(3, "dropout");  // the same mask at every call
         return ops::dropout(v[0], 0.4f, rng);
       },
       {{4, 5}},
       0.1f,
       1e-4f},
      // A step of whole levels, with no value within a step of the clamp, makes the
      // straight-through gradient the true difference quotient. Largest values: clamped, gradient
      // 0.
      {"fake_quant",
       [](V v) {
         return ops::fake_quant(
             v[0], {.scales = {0.01f}, .zero_point = 3, .min_level = -14, .max_level = 20});
       },
       {{2, 3}},
       0.01f,
       1e-3f},
      {"fake_quant_per_channel",
       [](V v) {
         return ops::fake_quant(v[0],
                                {.scales = {0.01f, 0.005f}, .min_level = -17, .max_level = 17});
       },
       {{2, 3}},
       0.01f,
       1e-3f},
      {"cross_entropy", entropy, {{3, 4}}, 1e-2f, 1e-3f},
  };
  for (const Case& c : table) check(c);
}

TEST_CASE("errors name the op and both shapes") {
  const Variable a(Tensor({2, 3})), b(Tensor({4, 5}));
  CHECK_THROWS_WITH_AS(ops::matmul(a, b), "gemm: inner sizes differ: [2x3] . [4x5]", Error);
  CHECK_THROWS_AS(ops::cross_entropy(a, std::vector<int>{0, 3}), Error);
  CHECK_THROWS_AS(backward(a), Error);
}

TEST_CASE("the engine refuses a rule that returns a wrong count or shape, naming the op") {
  const Variable x(Tensor({2}), true);
  const auto loss = [&](Gradients grads) {
    return ops::sum(
        record("broken", Tensor({2}), {x}, [grads](const BackwardContext&) { return grads; }));
  };
  CHECK_THROWS_AS(backward(loss({})), Error);
  CHECK_THROWS_AS(backward(loss({Tensor({3})})), Error);
  CHECK_THROWS_AS(backward(loss({Tensor()})), Error);
}

TEST_CASE("nothing is recorded where no gradient is wanted, and long chains do not overflow") {
  const Variable x(Tensor::full({1}, 1), true);
  {
    const NoGradient guard;
    CHECK(!ops::relu(x).needs_gradient());
  }
  CHECK(!ops::relu(Variable(Tensor({1}))).needs_gradient());
  Variable y = x;
  for (int i = 0; i < 200000; ++i) y = ops::reshape(y, {1});
  backward(ops::sum(y));
  CHECK(x.gradient().item() == 1);
}

TEST_CASE("fake_quant rounds half to even onto the grid, clamps, and keeps zero at zero") {
  const Variable x(Tensor::from({2, 3}, {0.5f, 1.5f, 9, -0.75f, -9, 0}), true);
  const Variable y =
      ops::fake_quant(x, {.scales = {1, 0.5f}, .zero_point = 2, .min_level = 0, .max_level = 7});
  const std::vector<float> wanted = {0, 2, 5, -1, -1, 0};
  CHECK(std::ranges::equal(y.value().values(), wanted));
  backward(ops::sum(y));
  const std::vector<float> passes = {1, 1, 0, 1, 0, 1};
  CHECK(std::ranges::equal(x.gradient().values(), passes));
  CHECK_THROWS_AS(ops::fake_quant(x, {.scales = {1, 1, 1}}), Error);
  CHECK_THROWS_AS(ops::fake_quant(x, {.scales = {0}}), Error);
  CHECK_THROWS_AS(ops::fake_quant(x, {.zero_point = 200}), Error);
}

TEST_CASE("dropout drops about its rate and keeps the mean; a rate of 1 is refused") {
  Rng rng(5, "dropout");
  const Variable y = ops::dropout(Variable(Tensor::full({10000}, 1)), 0.25f, rng);
  const auto v = y.value().values();
  const auto zeros = std::ranges::count(v, 0.0f);
  CHECK(zeros > 2300);
  CHECK(zeros < 2700);
  CHECK(std::ranges::count(v, 1 / 0.75f) == 10000 - zeros);
  CHECK_THROWS_AS(ops::dropout(y, 1, rng), Error);
}

TEST_CASE("graph_dump prints every node once, inputs first") {
  const Variable x(Tensor({2, 3}), true), c(Tensor({2, 3}));
  CHECK(graph_dump(ops::sum(ops::add(ops::multiply(x, c), x))) ==
        "%0 = parameter [2x3]\n%1 = constant [2x3]\n%2 = multiply(%0, %1) [2x3]\n"
        "%3 = add(%2, %0) [2x3]\n%4 = sum(%3) []\n");
}
