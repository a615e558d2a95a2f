#include "optim/training/distillation.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "core/ops/ops.hpp"
#include "datasets/synthetic_digits.hpp"
#include "optim/training/fit.hpp"
#include "tests/optim/training/models.hpp"

using namespace espalier;
using namespace espalier::training;
namespace {

const Tensor kLogits = Tensor::from({2, 3}, {0.3f, -1, 2, /**/ 1, 0.5f, -0.7f});
const Tensor kTaught = Tensor::from({2, 3}, {1, 0, 3, /**/ -1, 2, 0.5f});

datasets::Batch batch_of_two() {
  return {Tensor::from({2, 1, 1, 1}, {0.25f, 0.5f}), {2, 1}};
}

float loss_of(Distillation::Options options) {
  Distillation distillation([](const Tensor&) { return kTaught; }, options);
  return distillation.loss(Variable(kLogits), batch_of_two()).value().item();
}

}  // namespace

TEST_CASE("distillation: the formula at its ends and between") {
  const float labels = ops::cross_entropy(Variable(kLogits), std::vector<int>{2, 1}).value().item();
  CHECK(loss_of({.temperature = 3, .weight = 0}) == doctest::Approx(labels));
  // By hand: q_T and p_T in doubles.
  const double t = 3;
  double soft = 0;
  for (std::int64_t row = 0; row < 6; row += 3) {
    double q_sum = 0, p_sum = 0;
    for (std::int64_t k = row; k < row + 3; ++k) {
      q_sum += std::exp(kTaught.data()[k] / t);
      p_sum += std::exp(kLogits.data()[k] / t);
    }
    for (std::int64_t k = row; k < row + 3; ++k)
      soft -=
          std::exp(kTaught.data()[k] / t) / q_sum * (kLogits.data()[k] / t - std::log(p_sum)) / 2;
  }
  CHECK(loss_of({.temperature = 3, .weight = 1}) == doctest::Approx(t * t * soft));
  CHECK(loss_of({.temperature = 3, .weight = 0.25f}) ==
        doctest::Approx(0.75 * labels + 0.25 * t * t * soft));
}

TEST_CASE("distillation: the mean of the images' losses is the batch's") {
  for (const Distillation::Options options : {Distillation::Options{.weight = 0.25f},
                                              {.temperature = 1.5f, .weight = 1},
                                              {.temperature = 4, .weight = 0}}) {
    Distillation distillation([](const Tensor&) { return kTaught; }, options);
    const auto batch = batch_of_two();
    const Tensor q = distillation.softened(batch.images, 3);
    double mean = 0;
    for (std::size_t n = 0; n < 2; ++n)
      mean += distillation.image_loss(kLogits.values().subspan(3 * n, 3), batch.labels[n],
                                      q.values().subspan(3 * n, 3)) /
              2;
    CHECK(mean == doctest::Approx(loss_of(options)));
  }
}

TEST_CASE("distillation: nothing pulls at a network that answers as its teacher does") {
  Distillation distillation([](const Tensor&) { return kLogits; }, {.weight = 1});
  const Variable logits(kLogits, true);
  backward(distillation.loss(logits, batch_of_two()));
  for (const float g : logits.gradient().values()) CHECK(std::abs(g) < 1e-6f);
}

TEST_CASE("distillation: an image is shown to the teacher once, as far as it may be remembered") {
  std::vector<float> seen;
  const auto teacher = [&](const Tensor& images) {
    for (const float v : images.values()) seen.push_back(v);
    Tensor logits({images.shape()[0], 3});
    for (std::int64_t i = 0; i < images.shape()[0]; ++i)
      logits.mutable_data()[3 * i] = images.data()[i];
    return logits;
  };
  const auto batch = batch_of_two();
  const datasets::Batch other{Tensor::from({2, 1, 1, 1}, {0.5f, 0.75f}), {2, 1}};
  Distillation all(teacher, {});
  all.loss(Variable(kLogits), batch);
  const float first = all.loss(Variable(kLogits), other).value().item();
  CHECK(seen == std::vector<float>{0.25f, 0.5f, 0.75f});
  CHECK(all.asked() == 3);
  Distillation none(teacher, {.remembered_images = 0});
  none.loss(Variable(kLogits), batch);
  CHECK(none.loss(Variable(kLogits), other).value().item() == first);
  CHECK(none.asked() == 4);
}

TEST_CASE("distillation: fit learns from a teacher alone, whatever the labels say") {
  const auto data = datasets::synthetic_digits({.train = 1500, .test = 300});
  Sequential teacher = conv_model(1), student = conv_model(2);
  fit(teacher, *data.train, {.epochs = 2, .learning_rate = 3e-3f, .quiet = true});
  Distillation distillation([&](const Tensor& x) { return teacher(Variable(x)).value(); },
                            {.weight = 1});
  fit(student, *data.train,
      {.epochs = 2,
       .learning_rate = 3e-3f,
       .quiet = true,
       .loss = [&](const Variable& logits, const datasets::Batch& batch) {
         return distillation.loss(logits, {batch.images, std::vector<int>(batch.labels.size(), 0)});
       }});
  CHECK(accuracy(student, *data.test) > 0.5);  // the labels alone would teach a tenth
}

TEST_CASE("distillation refuses what cannot work") {
  const auto teacher = [](const Tensor&) { return Tensor({2, 4}); };
  CHECK_THROWS_AS(Distillation(nullptr, {}), Error);
  CHECK_THROWS_AS(Distillation(teacher, {.temperature = 0}), Error);
  CHECK_THROWS_AS(Distillation(teacher, {.weight = 1.5f}), Error);
  Distillation classes(teacher, {});
  CHECK_THROWS_WITH_AS(classes.loss(Variable(kLogits), batch_of_two()),
                       "Distillation: the teacher answers [2x4], the network [2x3]", Error);
}
