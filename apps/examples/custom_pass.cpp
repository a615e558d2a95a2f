// A compression pass of one's own: weights of one bit and a scale, trained straight through.
//   w -> s sign(w), s = mean |w|     (Rastegari et al. 2016, XNOR-Net, eq. 6)
#include <cmath>
#include <iostream>

#include "datasets/synthetic_digits.hpp"
#include "layers/tutorial_models.hpp"
#include "optim/training/fit.hpp"

using namespace espalier;

Variable signs(const Variable& w) {
  float sum = 0;
  for (const float v : w.value().values()) sum += std::abs(v);
  Tensor y = w.value().clone();
  for (float& v : y.mutable_values()) v = std::copysign(sum / static_cast<float>(y.elements()), v);
  return record("signs", y, {w},
                [](const BackwardContext& ctx) { return Gradients{ctx.gradient()}; });
}

class OneBitWeights final : public training::Pass {
 public:
  void attach(Layer& model) override {
    model.visit({.parameter = [this](const std::string& name, Parameter& parameter) {
      if (!name.ends_with(".weight")) return;
      parameter.add_transform("signs", signs);
      targets_.push_back(&parameter);
    }});
  }
  void step(const training::StepInfo&) override {}  // no schedule
  void bake() override {
    for (Parameter* target : targets_) {
      target->latent().mutable_value().copy_from(target->effective().value());
      target->remove_transform("signs");
    }
  }

 private:
  std::vector<Parameter*> targets_;
};

int main() {
  const auto [train, test] = datasets::synthetic_digits({.train = 1500, .test = 500});
  Sequential model = small_model(1);
  training::fit(model, *train, {.epochs = 2, .label = "float"});
  const double before = training::accuracy(model, *test);
  OneBitWeights pass;
  training::fit(model, *train, {.epochs = 2, .learning_rate = 5e-4f, .label = "one bit"}, {&pass});
  const double trained = training::accuracy(model, *test);
  pass.bake();
  const double baked = training::accuracy(model, *test);
  std::cout << "accuracy " << before << " in float, " << trained << " with one bit a weight, "
            << baked << " once baked\n";
  return baked == trained && baked > 0.8 ? 0 : 1;
}
