#include <doctest/doctest.h>

#include "core/ops/ops.hpp"
#include "layers/parameter.hpp"

using namespace espalier;

TEST_CASE("transforms apply in order, pass gradients on, and come off by name") {
  Parameter p(Tensor::from({3}, {1, 2, 3}));
  p.add_transform("mask", [](const Variable& w) {
    return ops::multiply(w, Variable(Tensor::from({3}, {1, 0, 1})));
  });
  p.add_transform("shift",
                  [](const Variable& w) { return ops::add(w, Variable(Tensor::full({3}, 10))); });
  CHECK(p.effective().value().values()[1] == 10);
  CHECK(p.effective().value().values()[2] == 13);
  backward(ops::sum(p.effective()));
  CHECK(p.latent().gradient().values()[0] == 1);
  CHECK(p.latent().gradient().values()[1] == 0);
  CHECK_THROWS_AS(p.add_transform("mask", [](const Variable& w) { return w; }), Error);
  p.remove_transform("mask");
  CHECK(p.effective().value().values()[1] == 12);
  CHECK_THROWS_AS(p.remove_transform("mask"), Error);
  p.add_transform("broken", [](const Variable& w) { return ops::sum(w); });
  CHECK_THROWS_AS(p.effective(), Error);
}

TEST_CASE("a settled value stands, whatever is still attached") {
  Parameter p(Tensor::from({2}, {1, 2}));
  p.add_transform("double", [](const Variable& w) { return ops::add(w, w); });
  p.settle(Tensor::from({2}, {5, 6}));
  CHECK(p.settled());
  CHECK(p.effective().value().values()[1] == 6);
  CHECK_THROWS_AS(p.add_transform("late", [](const Variable& w) { return w; }), Error);
  p.remove_transform("double");
  CHECK_FALSE(p.settled());
  CHECK(p.effective().value().values()[0] == 5);
  p.settle(Tensor::from({2}, {7, 8}));  // nothing is left to pass over
  CHECK_FALSE(p.settled());
}
