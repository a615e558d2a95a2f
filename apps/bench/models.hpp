// The networks that all contenders run, with the same first weights in training, float32 and int8.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "apps/bench/networks.hpp"
#include "compress/format/packed_model.hpp"
#include "datasets/dataset.hpp"
#include "layers/sequential.hpp"

namespace espalier::bench {

// "small", "lenet5" (LeNet-5-Caffe), "lenet300" (LeNet-300-100), "large", "resnet8", "dscnn" (both
// MLPerf Tiny's, on 28 x 28 x 1 like the others).
const std::vector<std::string>& model_names();

// Errors: kUsage for another name.
Sequential training_model(const std::string& name);
std::int64_t training_batch(const std::string& name);  // as the tutorials': small 32, others 128

// What inference runs: how many activations are 0 depends on what was learnt, and our kernels skip them.
struct TrainedModel {
  Sequential model;
  format::PackedModel float32, int8;  // calibrated on digits()
};
// Trained on digits() for two epochs, but for networks with batch norm: peers take its first state. Made
// once.
TrainedModel& trained_model(const std::string& name);
// The same with this share of each linear layer's blocks at zero, those of the smallest sums of
// magnitudes first; blocks at the far ends may be smaller.
format::PackedModel pruned(format::PackedModel packed, const Zeros& zeros);

// The same 2,048 for all: MNIST's first where it is found ($MNIST_DIR, or fetched), else synthetic
// ones. Training skips what is 0: the figures depend on which.
struct Digits {
  std::shared_ptr<const datasets::Dataset> images;
  std::string name;
};
const Digits& digits_source();
const datasets::Dataset& digits();

}  // namespace espalier::bench
