// The synthetic shapes are for small convolutional networks to learn in minutes, not to perfection.
#include "datasets/synthetic_shapes.hpp"

#include <doctest/doctest.h>

#include "layers/model_json.hpp"
#include "optim/training/fit.hpp"

using namespace espalier;

// 3 epochs on 2,000 images, tested on 500: far above chance, far from done.
TEST_CASE("a small network of two convolutions begins to learn the shapes") {
  const auto shapes = datasets::synthetic_shapes({.train = 2000, .test = 500});
  ModelJson network = parse_model_json(R"({"input": [32, 32, 3], "layers": [
    {"type": "Conv2d", "filters": 8, "kernel_size": 3, "strides": 2, "padding": "same"},
    {"type": "BatchNorm", "momentum": 0.9}, {"type": "Relu"}, {"type": "MaxPool2d"},
    {"type": "Conv2d", "filters": 16, "kernel_size": 3, "padding": "same"},
    {"type": "BatchNorm", "momentum": 0.9}, {"type": "Relu"}, {"type": "MaxPool2d"},
    {"type": "Flatten"}, {"type": "Dense", "units": 10}]})",
                                       "shapes");
  training::fit(network.model, *shapes.train, {.epochs = 3, .learning_rate = 4e-3f, .quiet = true});
  const double accuracy = training::accuracy(network.model, *shapes.test);
  CAPTURE(accuracy);
  CHECK(accuracy > 0.3);
  CHECK(accuracy < 0.9);
}
