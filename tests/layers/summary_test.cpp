#include "layers/summary.hpp"

#include <doctest/doctest.h>

#include "layers/flatten.hpp"
#include "layers/tutorial_models.hpp"

using namespace espalier;

TEST_CASE("summary of the small tutorial model") {
  Sequential model = small_model(1);
  CHECK(count_parameters(model).trainable == 20410);
  CHECK(summary(model, {28, 28, 1}) ==
        R"(layer (kind)       output shape  parameters    MACs
---------------------------------------------------
input              [28x28x1]              0       0
conv1 (Conv2d)     [26x26x12]           120  73,008
conv1_relu (Relu)  [26x26x12]             0       0
pool1 (MaxPool2d)  [13x13x12]             0       0
flatten (Flatten)  [2028]                 0       0
dense (Dense)      [10]              20,290  20,280

total parameters:         20,410 (81,640 bytes in float32)
trainable parameters:     20,410 (81,640 bytes in float32)
non-trainable parameters: 0 (0 bytes in float32)
MACs for one example:     93,288
)");
}

TEST_CASE(
    "summary of the large tutorial model: 64 of 3,274,762 parameters are running statistics") {
  Sequential model = large_model(1);
  const std::string text = summary(model, {28, 28, 1});
  const auto has = [&](const std::string& line) {
    CHECK_MESSAGE(text.find(line) != std::string::npos, line << "\nnot in\n" << text);
  };
  has("\nconv1 (Conv2d)      [28x28x32]           832     627,200\n");
  has("\nnorm1 (BatchNorm)   [14x14x32]           128           0\n");
  has("\nconv2 (Conv2d)      [14x14x64]        51,264  10,035,200\n");
  has("\nflatten (Flatten)   [3136]                 0           0\n");
  has("\ndense1 (Dense)      [1024]         3,212,288   3,211,264\n");
  has("\ntotal parameters:         3,274,762 (13,099,048 bytes in float32)\n");
  has("\ntrainable parameters:     3,274,698 (13,098,792 bytes in float32)\n");
  has("\nnon-trainable parameters: 64 (256 bytes in float32)\n");
  has("\nMACs for one example:     13,883,904\n");
}

TEST_CASE("summary names the layer that does not fit") {
  Sequential model = small_model(1);
  CHECK_THROWS_WITH_AS(summary(model, {28, 28, 3}),
                       "conv1: conv2d: input [1x28x28x3] has 3 channels, weights [12x3x3x1] want 1",
                       Error);
  CHECK_THROWS_AS(summary(model, {27, 28, 1}), Error);  // 1872 features for the dense layer's 2028
  CHECK_THROWS_AS(summary(model, {784}), Error);
  CHECK_THROWS_AS(summary(model, {1, 28, 28, 1}), Error);
}
