#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/kernels/pool2d.hpp"
#include "core/ops/ops.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/dropout.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "layers/sequential.hpp"

using namespace espalier;
namespace {

Sequential small_convnet(Rng& rng) {
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 4, .kernel = 3, .padding = 1}, rng))
      .add("norm1", BatchNorm({.channels = 4}))
      .add("relu1", Relu())
      .add("pool1", MaxPool2d())
      .add("pool2", AveragePool2d({.kernel = 2}))
      .add("flatten", Flatten())
      .add("dropout", Dropout(0.1f))
      .add("dense1", Dense({.in = 16, .out = 3}, rng));
  return model;
}

Tensor noise(Shape shape, Rng& rng) {
  Tensor t(shape);
  for (float& v : t.mutable_values()) v = rng.normal();
  return t;
}

}  // namespace

TEST_CASE("a model names parameters and state in declaration order, and describes itself") {
  Rng rng(1, "init");
  Sequential model = small_convnet(rng);
  std::vector<std::string> parameters, state;
  model.visit({.parameter = [&](auto& name, Parameter&) { parameters.push_back(name); },
               .state = [&](auto& name, Tensor&) { state.push_back(name); }});
  CHECK(parameters == std::vector<std::string>{"conv1.weight", "conv1.bias", "norm1.gamma",
                                               "norm1.beta", "dense1.weight", "dense1.bias"});
  CHECK(state == std::vector<std::string>{"norm1.mean", "norm1.variance"});
  CHECK(model.describe() ==
        "conv1: Conv2d(1 -> 4, kernel 3, stride 1, padding 1)\nnorm1: BatchNorm(4)\n"
        "relu1: Relu()\npool1: MaxPool2d(kernel 2, stride 2, padding valid)\n"
        "pool2: AveragePool2d(kernel 2, stride 2, padding valid)\nflatten: Flatten()\n"
        "dropout: Dropout(0.1)\ndense1: Dense(16 -> 3)\n");
  CHECK_THROWS_AS(model.add("relu1", Relu()), Error);
  CHECK_THROWS_AS(model.add("a.b", Relu()), Error);
  CHECK_THROWS_AS(model.add("none", std::unique_ptr<Layer>()), Error);
}

TEST_CASE("gradient descent through every layer fits a small batch; evaluation repeats itself") {
  Rng rng(1, "init"), draws(1, "dropout"), data(1, "data");
  Sequential model = small_convnet(rng);
  const Variable x(noise({6, 8, 8, 1}, data));
  const std::vector<int> labels = {0, 1, 2, 0, 1, 2};
  std::vector<Variable> parameters;
  model.visit({.parameter = [&](auto&, Parameter& p) { parameters.push_back(p.latent()); }});
  float first = 0, last = 0;
  for (int step = 0; step < 200; ++step) {
    const Variable loss = ops::cross_entropy(model(x, {.training = true, .rng = &draws}), labels);
    last = loss.value().item();
    if (step == 0) first = last;
    backward(loss);
    for (Variable& p : parameters) {
      REQUIRE(p.gradient().defined());
      const auto g = p.gradient().values();
      const auto w = p.mutable_value().mutable_values();
      for (std::size_t i = 0; i < w.size(); ++i) w[i] -= 0.1f * g[i];
      p.clear_gradient();
    }
  }
  CHECK(last < 0.25f * first);
  const Variable once = model(x), again = model(x);
  CHECK(once.shape() == Shape{6, 3});
  CHECK(std::ranges::equal(once.value().values(), again.value().values()));
  CHECK_THROWS_AS(model(x, {.training = true}), Error);  // dropout has no Rng
}

TEST_CASE("dense computes x . w^T + b with w [OUT x IN]") {
  Rng rng(1, "init");
  Dense dense({.in = 2, .out = 3}, rng);
  dense.visit({.parameter = [](auto& name, Parameter& p) {
    p.latent().mutable_value().copy_from(name == "weight" ? Tensor::from({3, 2}, {1, 2, 3, 4, 5, 6})
                                                          : Tensor::from({3}, {10, 20, 30}));
  }});
  const std::vector<float> wanted = {9, 19, 29};
  CHECK(
      std::ranges::equal(dense(Variable(Tensor::from({1, 2}, {1, -1}))).value().values(), wanted));
}

TEST_CASE("batch norm moves its running statistics while training, and evaluates with them") {
  BatchNorm norm({.channels = 1, .momentum = 0.5f, .epsilon = 1e-6f});
  const Variable x(Tensor::from({2, 1}, {2, 6}));  // mean 4, variance 4
  norm(x, {.training = true});
  float mean = 0, variance = 0;
  norm.visit(
      {.state = [&](auto& name, Tensor& s) { (name == "mean" ? mean : variance) = s.item(); }});
  CHECK(mean == 2);         // 0.5 * 0 + 0.5 * 4
  CHECK(variance == 2.5f);  // 0.5 * 1 + 0.5 * 4
  CHECK(norm(x).value().values()[1] == doctest::Approx((6 - 2) / std::sqrt(2.5)));
  CHECK_THROWS_AS(BatchNorm({.channels = 1, .momentum = 1}), Error);
}

TEST_CASE("an output tap may watch or replace the output, and comes off") {
  Relu relu;
  const Variable x(Tensor::from({2}, {-1, 3}));
  float largest = 0;
  relu.set_output_tap([&](const Variable& y) {
    largest = std::ranges::max(y.value().values());
    return ops::add(y, y);
  });
  CHECK(relu(x).value().values()[1] == 6);
  CHECK(largest == 3);
  relu.set_output_tap({});
  CHECK(relu(x).value().values()[1] == 3);
}

TEST_CASE("convolution, relu and max pooling run as one op, unless somebody looks in between") {
  // With two channels in, what this processor has vectors for runs as one; with five, relu and pool.
  const kernels::Window tiles{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  const bool loops = kernels::loops::pools(tiles);
  for (const std::int64_t channels : {2, 5}) {
    CAPTURE(channels);
    const auto model = [&] {
      Rng rng(1, "init");
      Sequential m;
      m.add("conv", Conv2d({.in = channels, .out = 4, .kernel = 3}, rng))
          .add("relu", Relu())
          .add("pool", MaxPool2d());
      return m;
    };
    Rng rng(2, "x");
    const Tensor x = noise({2, 9, 8, channels}, rng);
    struct Result {
      Tensor y, dw, db;
      std::string graph;
    };
    const auto result_of = [&](Sequential& m) {
      const Variable y = m(Variable(x));
      Result r;
      r.y = y.value(), r.graph = graph_dump(y);
      backward(ops::sum(ops::multiply(y, y)));
      m.visit({.parameter = [&](const std::string& name, Parameter& p) {
        (name == "conv.weight" ? r.dw : r.db) = p.latent().gradient();
      }});
      return r;
    };
    const auto close = [](const Tensor& a, const Tensor& b) {
      return std::ranges::equal(a.values(), b.values(),
                                [](float p, float q) { return std::abs(p - q) < 1e-4f; });
    };
    Sequential one = model();
    const Result fused = result_of(one);
    CHECK((fused.graph.find("= conv_relu_pool(") != std::string::npos) == (loops && channels == 2));
    CHECK((fused.graph.find("= relu_max_pool2d(") != std::string::npos) ==
          (loops && channels == 5));
    for (const std::size_t looked_at : {0, 1}) {
      CAPTURE(looked_at);
      Sequential two = model();
      int seen = 0;
      two.layers()[looked_at].layer->set_output_tap([&](const Variable& y) { return ++seen, y; });
      const Result apart = result_of(two);
      CHECK(seen == 1);
      CHECK(apart.graph.find("= conv2d(") != std::string::npos);
      CHECK((apart.graph.find("= relu(") != std::string::npos) == (looked_at == 1 || !loops));
      CHECK(std::ranges::equal(fused.y.values(), apart.y.values()));
      CHECK(close(fused.dw, apart.dw));
      CHECK(close(fused.db, apart.db));
    }
    Sequential three = model();  // the tap on the input stays
    three.layers()[0].layer->set_input_tap([&](const Variable& v) { return ops::add(v, v); });
    CHECK(!close(result_of(three).y, fused.y));
  }
}

TEST_CASE("initial weights have the variance of their papers") {
  Rng rng(7, "init");
  const auto variance = [](const Tensor& t) {
    double sum = 0;
    for (const float v : t.values()) sum += double{v} * v;
    return sum / static_cast<double>(t.elements());
  };
  const Shape shape{64, 3, 3, 32};  // fan_in 288, fan_out 576
  CHECK(variance(initial_weights(Init::kHeNormal, shape, rng)) ==
        doctest::Approx(2.0 / 288).epsilon(0.05));
  const Tensor glorot = initial_weights(Init::kGlorotUniform, shape, rng);
  CHECK(variance(glorot) == doctest::Approx(2.0 / (288 + 576)).epsilon(0.05));
  CHECK(std::ranges::max(glorot.values()) <= std::sqrt(6.0f / (288 + 576)));
  CHECK_THROWS_AS(initial_weights(Init::kHeNormal, {3}, rng), Error);
}
