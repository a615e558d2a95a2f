// A layer of one's own, with its gradient, checked against differences.
//   y = x where x > 0, else a[c] x     x, y: [N C]   a: [C], trained   (He et al. 2015, eq. 8: PReLU)
#include <cmath>
#include <iostream>

#include "core/ops/ops.hpp"
#include "layers/layer.hpp"

using namespace espalier;

// dx = dy where x > 0, else a dy     da = sum over the batch of x dy where x <= 0
Variable prelu(const Variable& x, const Variable& a) {
  const auto channel = [c = a.value().elements()](std::int64_t i) { return i % c; };
  Tensor y = x.value().clone();
  for (std::int64_t i = 0; i < y.elements(); ++i)
    if (y.data()[i] <= 0) y.mutable_data()[i] *= a.value().data()[channel(i)];
  return record("prelu", y, {x, a}, [channel](const BackwardContext& ctx) {
    const Tensor &dy = ctx.gradient(), &x = ctx.input(0), &a = ctx.input(1);
    Tensor dx = dy.clone(), da(a.shape());
    for (std::int64_t i = 0; i < x.elements(); ++i) {
      if (x.data()[i] > 0) continue;
      dx.mutable_data()[i] *= a.data()[channel(i)];
      da.mutable_data()[channel(i)] += x.data()[i] * dy.data()[i];
    }
    return Gradients{dx, da};
  });
}

class PRelu final : public Layer {
 public:
  explicit PRelu(std::int64_t channels) : slope_(Tensor::full({channels}, 0.25f)) {}
  void visit(const Visitor& visitor) override { visitor("slope", slope_); }
  std::string describe() const override { return "PRelu()"; }
  Shape output_shape(const Shape& input) const override { return input; }
  Parameter& slope() { return slope_; }

 private:
  Variable forward(const Variable& x, const ForwardContext&) override {
    return prelu(x, slope_.effective());
  }
  Parameter slope_;
};

int main() {
  PRelu layer(2);
  const Variable x(Tensor::from({3, 2}, {1, -2, -0.5f, 3, 2, -1}));
  const auto loss = [&] { return ops::sum(ops::multiply(layer(x), layer(x))); };
  backward(loss());
  float& slope = layer.slope().latent().mutable_value().mutable_data()[1];
  slope += 0.01f;
  const float up = loss().value().item();
  slope -= 0.02f;
  const float numeric = (up - loss().value().item()) / 0.02f;
  const float gradient = layer.slope().latent().gradient().data()[1];
  std::cout << "gradient " << gradient << ", by differences " << numeric << '\n';
  return std::abs(gradient - numeric) < 1e-3f * std::abs(gradient) ? 0 : 1;
}
