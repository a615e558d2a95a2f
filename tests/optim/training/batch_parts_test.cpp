// Batches in parts: the same gradients as of whole ones, the same bits whatever the threads.
#include "optim/training/batch_parts.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "compress/prune/pruner.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "core/onednn/threads.hpp"
#include "core/ops/ops.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/init.hpp"
#include "layers/residual.hpp"
#include "optim/training/fit.hpp"
#include "tests/optim/training/models.hpp"

using namespace espalier;
using namespace espalier::training;
namespace {

const datasets::TrainTest& digits() {
  static const auto data = datasets::synthetic_digits({.train = 150, .test = 40});
  return data;
}

// Convolution, pooling, a residual, dropout before and behind flatten, dense layers.
Sequential plain_model() {
  Rng rng(1, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 6, .kernel = 3}, rng))
      .add("relu1", Relu())
      .add("pool1", MaxPool2d())
      .add("dropout1", Dropout(0.2f))
      .add("conv2", Conv2d({.in = 6, .out = 6, .kernel = 3, .padding = Padding::same()}, rng))
      .add("sum", Residual(), {.with = "dropout1"})
      .add("relu2", Relu())
      .add("flatten", Flatten())
      .add("dense1", Dense({.in = 6 * 13 * 13, .out = 30}, rng))
      .add("relu3", Relu())
      .add("dropout2", Dropout(0.4f))
      .add("dense2", Dense({.in = 30, .out = 10}, rng));
  return model;
}

datasets::Batch first_digits(std::int64_t n) {
  datasets::Batch batch;
  datasets::for_each_batch(*digits().train, n, n, [&](const datasets::Batch& b) { batch = b; });
  return batch;
}

Variable cross_entropy(const Variable& logits, const datasets::Batch& batch) {
  return ops::cross_entropy(logits, batch.labels);
}

void for_each_gradient(Layer& model,
                       const std::function<void(const std::string&, const Tensor&)>& use) {
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    use(name, p.latent().gradient());
  }});
}

std::vector<float> weights_after(FitOptions options, int threads) {
  const ThreadsInScope scope(threads);
  Sequential model = plain_model();
  options.quiet = true;
  fit(model, *digits().train, options);
  return values_of(model);
}

std::string refusal(Layer& model, FitOptions options, const std::vector<Pass*>& passes = {}) {
  options.quiet = true;
  options.parts = 2;
  try {
    fit(model, *digits().train, options, passes);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kUsage);
    return error.what();
  }
  return "did not refuse";
}

// Says how bright an image is, not what it shows.
class Brightness final : public datasets::Dataset {
 public:
  std::int64_t size() const override { return digits().train->size(); }
  datasets::Example get(std::int64_t i) const override {
    datasets::Example example = digits().train->get(i);
    for (const float v : example.image.values()) example.target += v / 100;
    example.label = 0;
    return example;
  }
  Shape image_shape() const override { return digits().train->image_shape(); }
  int classes() const override { return 1; }
  bool has_targets() const override { return true; }
};

}  // namespace

TEST_CASE("the gradients of parts, their loss and dropout's draws are those of the whole batch") {
  for (const std::int64_t images : {32, 13, 3, 1}) {
    const datasets::Batch batch = first_digits(images);
    for (const int count : {2, 3, 7}) {
      CAPTURE(images);
      CAPTURE(count);
      const ThreadsInScope threads(2);
      Sequential whole = plain_model(), split = plain_model();
      Rng whole_rng(1, "dropout"), split_rng(1, "dropout");
      whole_rng.uniform(), split_rng.uniform();  // in the middle of one of the stream's blocks
      const Variable logits = whole(Variable(batch.images), {.training = true, .rng = &whole_rng});
      const Variable loss = cross_entropy(logits, batch);
      backward(loss);

      BatchParts parts(split, cross_entropy, count);
      const BatchLoss found = parts.run(batch, split_rng);
      CHECK(found.task == doctest::Approx(loss.value().item()).epsilon(1e-6));
      CHECK(found.correct == count_correct(logits.value(), batch.labels));
      CHECK(split_rng.position() == whole_rng.position());
      CHECK(split_rng.position() > 1);

      std::map<std::string, Tensor> wanted;
      for_each_gradient(whole, [&](const auto& name, const Tensor& g) { wanted[name] = g; });
      for_each_gradient(split, [&](const std::string& name, const Tensor& g) {
        CAPTURE(name);
        double difference = 0, size = 0;
        for (std::size_t i = 0; i < g.values().size(); ++i) {
          difference += std::pow(double{g.values()[i] - wanted[name].values()[i]}, 2);
          size += std::pow(double{wanted[name].values()[i]}, 2);
        }
        CHECK(size > 0);
        CHECK(std::sqrt(difference / size) < 5e-6);
      });
    }
  }
}

TEST_CASE("gradients add to what is there, as backward() adds them") {
  const datasets::Batch batch = first_digits(8);
  Sequential once = plain_model(), twice = plain_model();
  Rng rng(1, "dropout");
  BatchParts(once, cross_entropy, 2).run(batch, rng);
  BatchParts parts(twice, cross_entropy, 2);
  for (int i = 0; i < 2; ++i) {
    rng.seek(0);
    parts.run(batch, rng);
  }
  std::vector<float> expected, got;
  for_each_gradient(once, [&](const std::string&, const Tensor& g) {
    for (const float v : g.values()) expected.push_back(2 * v);
  });
  for_each_gradient(twice, [&](const std::string&, const Tensor& g) {
    got.insert(got.end(), g.values().begin(), g.values().end());
  });
  for (std::size_t i = 0; i < got.size(); ++i)
    REQUIRE(got[i] == doctest::Approx(expected[i]).epsilon(1e-5));
}

TEST_CASE("what is trained depends on the number of parts, not on that of threads") {
  std::vector<std::vector<float>> all;
  for (const int parts : {1, 2, 3, 5}) {
    CAPTURE(parts);
    const FitOptions options{.epochs = 2, .batch_size = 32, .parts = parts};  // the last has 22
    all.push_back(weights_after(options, 1));
    if (parts == 1) continue;
    for (const int threads : {2, 3, 8}) {
      CAPTURE(threads);
      CHECK(weights_after(options, threads) == all.back());
    }
  }
  // The numbers of parts differ by rounding, so that this is no accident of the model.
  CHECK(all[1] != all[0]);
  CHECK(all[2] != all[1]);
  for (std::size_t i = 0; i < all[0].size(); ++i)
    REQUIRE(all[1][i] == doctest::Approx(all[0][i]).epsilon(0.02).scale(1));
}

TEST_CASE("parts learn what whole batches learn, and report it: classes and numbers") {
  const auto train = [&](int parts, const datasets::Dataset& data, std::int64_t outputs) {
    const ThreadsInScope scope(2);
    Rng rng(1, "init");
    Sequential model;
    model.add("flatten", Flatten())
        .add("dense1", Dense({.in = 784, .out = 30}, rng))
        .add("relu1", Relu())
        .add("dense2", Dense({.in = 30, .out = outputs}, rng));
    return fit(model, data,
               {.epochs = 3,
                .quiet = true,
                .parts = parts,
                .validation = outputs == 1 ? &data : digits().test.get()});
  };
  const Brightness numbers;
  for (const bool classes : {true, false}) {
    CAPTURE(classes);
    const datasets::Dataset& data =
        classes ? *digits().train : static_cast<const datasets::Dataset&>(numbers);
    const auto whole = train(1, data, classes ? 10 : 1), parts = train(3, data, classes ? 10 : 1);
    REQUIRE(parts.size() == whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
      CHECK(parts[i].loss == doctest::Approx(whole[i].loss).epsilon(1e-4));
      CHECK(parts[i].accuracy == doctest::Approx(whole[i].accuracy).epsilon(1e-6));
      CHECK(parts[i].validation->loss == doctest::Approx(whole[i].validation->loss).epsilon(1e-4));
    }
    CHECK(parts.back().loss < 0.9 * parts.front().loss);
  }
}

TEST_CASE("pruning rides with parts: zeros end on target, and no thread changes a bit") {
  std::vector<std::vector<float>> all;
  for (const int threads : {1, 2}) {
    const ThreadsInScope scope(threads);
    Sequential model = plain_model();
    prune::Pruner pruner({.schedule = prune::polynomial_sparsity({.initial = 0.2f, .final = 0.75f}),
                          .frequency_steps = 2});
    fit(model, *digits().train, {.epochs = 2, .quiet = true, .parts = 2}, {&pruner});
    pruner.bake();
    CHECK(prune::model_sparsity(model) == doctest::Approx(0.75).epsilon(0.01));
    all.push_back(values_of(model));
  }
  CHECK(all[0] == all[1]);
}

TEST_CASE(
    "parts are refused where whole batches are wanted, naming who wants them and the remedy") {
  const auto says = [](const std::string& text, const char* part) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
    CHECK_MESSAGE(text.find("train with 1 part") != std::string::npos, text);
  };
  Sequential normed = conv_model(), plain = plain_model();
  says(refusal(normed, {}), "layer norm1 wants whole batches, not 2 parts of each");
  quantize::QuantizationAware aware({});
  says(refusal(plain, {}, {&aware}),
       "quantization-aware training wants whole batches, not 2 parts");
  says(refusal(plain, {.loss = cross_entropy}), "the caller's loss may want whole batches");
  plain.layers()[2].layer->set_output_tap([](const Variable& y) { return y; });
  says(refusal(plain, {}), "at layer pool1 a pass meets the activations");
  plain.layers()[2].layer->set_output_tap({});
  CHECK(refusal(plain, {.loss = cross_entropy, .loss_of_parts = true}) == "did not refuse");
  for (const int parts : {0, -1, 1025})
    CHECK_THROWS_WITH_AS(fit(plain, *digits().train, {.parts = parts}),
                         doctest::Contains("wants 1 to 1024 parts"), Error);
}

TEST_CASE("what a part throws is the step's error: the lowest part's, and divergence by layer") {
  const ThreadsInScope scope(3);
  Sequential model = plain_model();
  const Loss fails = [](const Variable& logits, const datasets::Batch& batch) -> Variable {
    require(batch.labels.size() == 10, "this loss", "was given ", batch.labels.size(), " images");
    return ops::cross_entropy(logits, batch.labels);
  };
  const FitOptions options{.batch_size = 32,
                           .quiet = true,
                           .loss = fails,
                           .parts = 3,
                           .loss_of_parts = true};  // of 10, 11 and 11 images
  CHECK_THROWS_WITH_AS(fit(model, *digits().train, options),
                       doctest::Contains("this loss: was given 11 images"), Error);
  for (const std::string name : {"conv2.weight", "dense1.bias"}) {
    Sequential broken = plain_model();
    broken.visit({.parameter = [&](const std::string& which, Parameter& p) {
      if (which == name) p.latent().mutable_value().fill(name == "dense1.bias" ? NAN : 3e38f);
    }});
    CHECK_THROWS_WITH_AS(
        fit(broken, *digits().train, {.quiet = true, .parts = 3}),
        doctest::Contains(name == "dense1.bias" ? "batch 1: dense1.bias is not finite"
                                                : "batch 1: the output of layer conv2 is not"),
        Error);
  }
}

namespace {

// Takes one of two weights, as the first pixel says.
class Either final : public Layer {
 public:
  explicit Either(Rng& rng)
      : light_(initial_weights(Init::kHeNormal, {10, 784}, rng)),
        dark_(initial_weights(Init::kHeNormal, {10, 784}, rng)) {}
  void visit(const Visitor& visitor) override {
    visitor("light", light_);
    visitor("dark", dark_);
  }
  std::string describe() const override { return "Either"; }
  Shape output_shape(const Shape&) const override { return {10}; }

 private:
  Variable forward(const Variable& x, const ForwardContext&) override {
    const Parameter& chosen = x.value().values()[0] > 0 ? light_ : dark_;
    return ops::matmul(x, chosen.effective(), {.transpose_b = true});
  }
  Parameter light_, dark_;
};

}  // namespace

TEST_CASE("a parameter that some parts alone depend on has the gradient of these") {
  const auto gradients_of = [](Layer& model) {
    std::map<std::string, std::vector<float>> all;
    for_each_gradient(model, [&](const std::string& name, const Tensor& g) {
      if (g.defined()) all[name] = {g.values().begin(), g.values().end()};
    });
    return all;
  };
  const auto model_of = [] {
    Rng rng(1, "init");
    Sequential model;
    model.add("flatten", Flatten()).add("either", Either(rng));
    return model;
  };
  datasets::Batch batch = first_digits(6);
  for (const int light : {0, 1, 2}) {  // the part whose first pixel is lit
    CAPTURE(light);
    for (int i = 0; i < 3; ++i) batch.images.mutable_data()[i * 2 * 784] = i == light ? 1.0f : 0.0f;
    Sequential split = model_of(), one = model_of();
    Rng rng(1, "dropout");
    BatchParts(split, cross_entropy, 3).run(batch, rng);
    const auto got = gradients_of(split);
    REQUIRE(got.size() == 2);
    // The lit part by itself.
    datasets::Batch lit = first_digits(2);
    std::copy_n(batch.images.data() + light * 2 * 784, 2 * 784, lit.images.mutable_data());
    lit.labels.assign(batch.labels.begin() + light * 2, batch.labels.begin() + light * 2 + 2);
    backward(cross_entropy(one(Variable(lit.images)), lit));
    const auto expected = gradients_of(one);
    REQUIRE(expected.size() == 1);
    const auto &g = got.at("either.light"), &e = expected.at("either.light");
    for (std::size_t i = 0; i < e.size(); ++i)
      REQUIRE(g[i] == doctest::Approx(e[i] / 3).epsilon(1e-5));
  }
}
