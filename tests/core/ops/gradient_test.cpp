// Every op against central differences, at several shapes: loss = sum(y * r) with r random, so that
// no error cancels. Values keep clear of kinks: they lie on a grid wider than the step.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "core/base/rng.hpp"
#include "core/kernels/integer.hpp"
#include "core/ops/ops.hpp"

using namespace espalier;
namespace {

using Op = std::function<Variable(const std::vector<Variable>&)>;

// The tolerance is relative to the largest gradient. float32 outputs of size 1 to 10 carry errors
// of about 1e-6, which a quotient divides by two steps; the truncation error is step^2 / 6 times
// the third derivative.
struct Precision {
  float step, tolerance;
};
constexpr Precision kLinear{0.1f, 1e-4f};      // in each input: no truncation; rounding 5e-6
constexpr Precision kPiecewise{0.03f, 1e-4f};  // linear between kinks at least 0.07 apart
constexpr Precision kSmall{1e-3f, 2e-3f};   // so small that no maximum of these sums changes hands
constexpr Precision kCurved{1e-2f, 1e-3f};  // truncation 2e-5, rounding 5e-5, derivatives near 1
constexpr Precision kNormalized{1e-2f, 2e-3f};  // third derivatives grow with 1 / deviation^3
constexpr Precision kRounded{1e-2f, 1e-3f};     // whole levels of 0.01 or 0.005: no truncation

struct Case {
  const char* name;
  Op op;
  std::vector<std::vector<Shape>> shapes;  // of the inputs, one list a check
  Precision precision;
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

void check(const Case& c, const std::vector<Shape>& shapes) {
  Rng rng(11, c.name);
  std::vector<Variable> inputs;
  for (const Shape& shape : shapes) inputs.emplace_back(spread(shape, rng), true);
  CAPTURE(c.name);
  CAPTURE(shapes.front());
  const Variable y = c.op(inputs);
  Tensor r(y.shape());
  for (float& v : r.mutable_values()) v = rng.uniform(-1, 1);
  backward(ops::sum(ops::multiply(y, Variable(r))));
  const auto loss = [&] {
    const NoGradient guard;
    const Tensor out = c.op(inputs).value();
    return std::inner_product(out.values().begin(), out.values().end(), r.values().begin(), 0.0);
  };
  const auto [step, tolerance] = c.precision;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Tensor gradient = inputs[k].gradient();
    float largest = 1e-3f;
    for (const float g : gradient.values()) largest = std::max(largest, std::abs(g));
    for (std::size_t i = 0; i < gradient.values().size(); ++i) {
      float& x = inputs[k].mutable_value().mutable_values()[i];
      const float before = x;
      x = before + step;
      const double up = loss();
      x = before - step;
      const double down = loss();
      x = before;
      const double numeric = (up - down) / (2 * step);
      CHECK_MESSAGE(std::abs(numeric - gradient.values()[i]) <= tolerance * largest,
                    "input " << k << " value " << i << ": " << numeric << " against "
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
  // Padding "same" of a kernel as large as the image, and of a stride 2 that meets odd sizes.
  const kernels::Window same5{
      .kernel_h = 5, .kernel_w = 5, .pad_top = 2, .pad_left = 2, .pad_bottom = 2, .pad_right = 2};
  const kernels::Window same_strided{.kernel_h = 3,
                                     .kernel_w = 4,
                                     .stride_h = 2,
                                     .stride_w = 2,
                                     .pad_top = 1,
                                     .pad_left = 1,
                                     .pad_bottom = 1,
                                     .pad_right = 2};
  const auto conv = [](const kernels::Window& w) -> Op {
    return [=](V v) { return ops::conv2d(v[0], v[1], v[2], w); };
  };
  const auto depthwise = [](const kernels::Window& w) -> Op {
    return [=](V v) { return ops::depthwise_conv2d(v[0], v[1], w); };
  };
  const auto max = [](const kernels::Window& w) -> Op {
    return [=](V v) { return ops::max_pool2d(v[0], w); };
  };
  const auto average = [](const kernels::Window& w) -> Op {
    return [=](V v) { return ops::average_pool2d(v[0], w); };
  };
  const Op entropy = [](V v) {
    std::vector<int> labels;
    for (int i = 0; i < v[0].shape()[0]; ++i)
      labels.push_back((2 * i + 1) % static_cast<int>(v[0].shape()[1]));
    return ops::cross_entropy(v[0], labels);
  };
  const Op soft_entropy = [](V v) {  // rows that need not sum to 1
    Tensor targets(v[0].shape());
    for (std::int64_t i = 0; i < targets.elements(); ++i)
      targets.mutable_data()[i] = 0.1f * static_cast<float>(i % 4);
    return ops::soft_cross_entropy(v[0], targets, 0.8f);
  };
  const std::vector<std::vector<Shape>> any = {{{2, 3}}, {{1}}, {{2, 1, 3, 2}}};
  const std::vector<std::vector<Shape>> pairs = {
      {{2, 3}, {2, 3}}, {{1}, {1}}, {{2, 1, 3}, {2, 1, 3}}};
  const std::vector<Case> table = {
      {"matmul",
       [](V v) { return ops::matmul(v[0], v[1]); },
       {{{3, 4}, {4, 2}}, {{1, 5}, {5, 1}}, {{4, 1}, {1, 3}}},
       kLinear},
      {"matmul_transposed",
       [](V v) { return ops::matmul(v[0], v[1], {.transpose_b = true}); },
       {{{3, 4}, {5, 4}}, {{1, 5}, {1, 5}}, {{4, 1}, {3, 1}}},
       kLinear},
      {"add", [](V v) { return ops::add(v[0], v[1]); }, pairs, kLinear},
      {"add_to_itself", [](V v) { return ops::add(v[0], v[0]); }, any, kLinear},
      {"multiply", [](V v) { return ops::multiply(v[0], v[1]); }, pairs, kLinear},
      {"add_bias",
       [](V v) { return ops::add_bias(v[0], v[1]); },
       {{{2, 2, 2, 3}, {3}}, {{4, 1}, {1}}, {{1, 5}, {5}}},
       kLinear},
      {"conv2d",
       conv(valid3),
       {{{2, 5, 4, 2}, {3, 3, 3, 2}, {3}},
        {{1, 3, 3, 1}, {1, 3, 3, 1}, {1}},
        {{3, 3, 5, 1}, {2, 3, 3, 1}, {2}}},
       kLinear},
      {"conv2d_explicit",
       conv(odd),
       {{{1, 5, 4, 1}, {2, 3, 2, 1}, {2}}, {{2, 3, 3, 2}, {1, 3, 2, 2}, {1}}},
       kLinear},
      {"conv2d_same",
       conv(same5),
       {{{1, 5, 5, 1}, {2, 5, 5, 1}, {2}}, {{2, 2, 4, 2}, {1, 5, 5, 2}, {1}}},
       kLinear},
      {"conv2d_same_strided",
       conv(same_strided),
       {{{1, 5, 5, 2}, {3, 3, 4, 2}, {3}}, {{2, 3, 7, 1}, {2, 3, 4, 1}, {2}}},
       kLinear},
      {"depthwise_conv2d",
       depthwise(valid3),
       {{{2, 5, 4, 3}, {3, 3, 3, 1}}, {{1, 3, 3, 1}, {1, 3, 3, 1}}, {{1, 4, 3, 17}, {17, 3, 3, 1}}},
       kLinear},
      {"depthwise_conv2d_explicit", depthwise(odd), {{{2, 5, 4, 2}, {2, 3, 2, 1}}}, kLinear},
      {"depthwise_conv2d_same", depthwise(same5), {{{1, 5, 5, 2}, {2, 5, 5, 1}}}, kLinear},
      {"depthwise_conv2d_same_strided",
       depthwise(same_strided),
       {{{1, 5, 5, 4}, {4, 3, 4, 1}}, {{2, 3, 7, 1}, {1, 3, 4, 1}}},
       kLinear},
      {"max_pool2d", max(pool), {{{2, 4, 5, 3}}, {{1, 2, 2, 1}}, {{3, 3, 2, 2}}}, kPiecewise},
      {"relu_max_pool2d",
       [pool](V v) { return ops::relu_max_pool2d(v[0], pool); },
       {{{2, 4, 5, 3}}, {{1, 2, 2, 1}}, {{3, 3, 2, 20}}},
       kPiecewise},
      {"relu_max_pool2d_explicit",
       [odd](V v) { return ops::relu_max_pool2d(v[0], odd); },
       {{{1, 5, 4, 2}}},
       kPiecewise},
      {"conv2d_relu_max_pool2d",
       [pool, same5](V v) { return ops::conv2d_relu_max_pool2d(v[0], v[1], v[2], same5, pool); },
       {{{1, 4, 6, 1}, {3, 5, 5, 1}, {3}}, {{2, 4, 4, 2}, {1, 5, 5, 2}, {1}}},
       kSmall},
      {"max_pool2d_explicit", max(odd), {{{1, 5, 4, 2}}, {{2, 3, 3, 1}}}, kPiecewise},
      {"max_pool2d_same", max(same5), {{{1, 5, 5, 2}}, {{2, 2, 4, 1}}}, kPiecewise},
      {"max_pool2d_same_strided", max(same_strided), {{{1, 5, 5, 2}}, {{2, 3, 7, 1}}}, kPiecewise},
      {"average_pool2d", average(pool), {{{2, 4, 5, 3}}, {{1, 2, 2, 1}}}, kLinear},
      {"average_pool2d_explicit", average(odd), {{{2, 5, 4, 2}}, {{2, 3, 3, 1}}}, kLinear},
      {"average_pool2d_same", average(same5), {{{1, 5, 5, 2}}, {{2, 2, 4, 1}}}, kLinear},
      {"average_pool2d_same_strided",
       average(same_strided),
       {{{1, 5, 5, 2}}, {{2, 3, 7, 1}}},
       kLinear},
      {"relu", [](V v) { return ops::relu(v[0]); }, {{{3, 5}}, {{1}}, {{2, 2, 3, 2}}}, kPiecewise},
      {"reshape", [](V v) { return ops::reshape(v[0], {v[0].value().elements()}); }, any, kLinear},
      {"sum", [](V v) { return ops::sum(v[0]); }, any, kLinear},
      {"mean", [](V v) { return ops::mean(v[0]); }, any, kLinear},
      {"log_softmax",
       [](V v) { return ops::log_softmax(v[0]); },
       {{{3, 4}}, {{1, 2}}, {{2, 10}}},
       kCurved},
      {"batch_norm",
       [](V v) { return ops::batch_norm(v[0], v[1], v[2], 1e-3f).y; },
       {{{2, 2, 2, 3}, {3}, {3}}, {{6, 2}, {2}, {2}}, {{2, 1, 3, 1}, {1}, {1}}},
       kNormalized},
      {"batch_norm_inference",
       [](V v) {
         const Shape channels{v[0].shape()[-1]};
         return ops::batch_norm_inference(v[0], v[1], v[2], Tensor::full(channels, -0.2f),
                                          Tensor::full(channels, 0.5f), 1e-3f);
       },
       {{{2, 2, 2, 3}, {3}, {3}}, {{6, 2}, {2}, {2}}},
       kLinear},
      {"dropout",
       [](V v) {
         Rng rng(3, "dropout");  // the same mask at every call
         return ops::dropout(v[0], 0.4f, rng);
       },
       {{{4, 5}}, {{2, 2, 2, 2}}},
       kLinear},
      // A step of whole levels, with no value within a step of the clamp, makes the
      // straight-through gradient the true difference quotient. Largest values: clamped, gradient
      // 0.
      {"fake_quant",
       [](V v) {
         return ops::fake_quant(
             v[0], {.scales = {0.01f}, .zero_point = 3, .min_level = -14, .max_level = 20});
       },
       {{{2, 3}}, {{1}}, {{2, 1, 2, 3}}},
       kRounded},
      {"fake_quant_per_channel",
       [](V v) {
         return ops::fake_quant(v[0],
                                {.scales = {0.01f, 0.005f}, .min_level = -17, .max_level = 17});
       },
       {{{2, 3}}, {{2, 1}}, {{2, 2, 1, 2}}},
       kRounded},
      {"cross_entropy", entropy, {{{3, 4}}, {{1, 2}}, {{2, 10}}}, kCurved},
      {"soft_cross_entropy", soft_entropy, {{{3, 4}}, {{1, 2}}, {{2, 10}}}, kCurved},
  };
  for (const Case& c : table)
    for (const auto& shapes : c.shapes) check(c, shapes);
}

TEST_CASE("errors name the op and both shapes") {
  const Variable a(Tensor({2, 3})), b(Tensor({4, 5}));
  CHECK_THROWS_WITH_AS(ops::matmul(a, b), "gemm: inner sizes differ: [2x3] . [4x5]", Error);
  CHECK_THROWS_AS(ops::cross_entropy(a, std::vector<int>{0, 3}), Error);
  CHECK_THROWS_AS(ops::soft_cross_entropy(a, Tensor({2, 4})), Error);
  CHECK_THROWS_AS(ops::soft_cross_entropy(a, Tensor({2, 3}), 0), Error);
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

TEST_CASE("fake_quant of means: the level that integers average to, ties and all") {
  constexpr float kScale = 0.0137f;
  for (const int n : {2, 4, 6, 9, 16, 49})
    for (const int zero_point : {0, 3, 64}) {
      std::vector<float> means;
      for (int sum = 0; sum <= 127 * n; ++sum) {
        float reals = 0;  // as a pool sums them: n levels that share `sum` evenly
        for (int k = 0; k < n; ++k)
          reals += kScale * static_cast<float>((sum + k) / n - zero_point);
        means.push_back(reals / static_cast<float>(n));
      }
      Tensor x({std::ssize(means)});
      std::ranges::copy(means, x.mutable_data());
      const Variable y = ops::fake_quant(Variable(x), {.scales = {kScale},
                                                       .zero_point = zero_point,
                                                       .min_level = 0,
                                                       .max_level = 127,
                                                       .means = true});
      for (int sum = 0; sum <= 127 * n; ++sum)
        CHECK(std::lround(y.value().values()[static_cast<std::size_t>(sum)] / kScale) +
                  zero_point ==
              kernels::average_level(sum, n));
    }
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

TEST_CASE("graph_dump writes the same graph for Graphviz") {
  const Variable x(Tensor({2, 3}), true);
  CHECK(graph_dump(ops::sum(ops::add(x, Variable(Tensor({2, 3})))), GraphFormat::kDot) ==
        R"(digraph {
  n0 [shape=box, label="parameter [2x3]"];
  n1 [shape=box, label="constant [2x3]"];
  n2 [label="add [2x3]"];
  n0 -> n2;
  n1 -> n2;
  n3 [label="sum []"];
  n2 -> n3;
}
)");
  // A name with quotes stays one label.
  const Variable odd = record("a\"b", Tensor({1}), {x}, [](auto&) { return Gradients(); });
  CHECK(graph_dump(odd, GraphFormat::kDot).find(R"(label="a\"b [1]")") != std::string::npos);
}
