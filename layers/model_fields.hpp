// Every kind of layer of model.json and each of its keys, once: with its limits and what it is.
// Reading and the schema walk the same list.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "layers/init.hpp"
#include "layers/pool2d.hpp"
#include "layers/sliding_window.hpp"

namespace espalier::model_json {

constexpr std::size_t kMaxLayers = 1024, kMaxNameBytes = 64;
constexpr std::int64_t kMaxSize = 1 << 20, kMaxWindow = 4096;

// From 0 to 1. Whether the bounds themselves are allowed, the layer checks; the schema says it.
struct Share {
  bool above_zero = false, below_one = false;
};

template <class E>
using Names = std::vector<std::pair<std::string, E>>;

// What a record says. Sizes follow from the shapes, and are not in it.
enum class Activation { kLinear, kRelu };
struct Conv2dRecord {
  SlidingWindow window;
  std::int64_t filters = 0;
  Activation activation = Activation::kLinear;
  Init init = Init::kHeNormal;
};
struct DepthwiseConv2dRecord {
  SlidingWindow window;
  Activation activation = Activation::kLinear;
  Init init = Init::kHeNormal;
};
template <class Layer>
struct PoolRecord {
  Size2d size = 2;
  std::optional<Size2d> strides;  // none: the size
  Padding padding;
};
struct GlobalAveragePool2dRecord {};
struct BatchNormRecord {
  float momentum = 0.99f, epsilon = 1e-3f;
};
struct DenseRecord {
  std::int64_t units = 0;
  Activation activation = Activation::kLinear;
  Init init = Init::kGlorotUniform;
};
struct DropoutRecord {
  float rate = 0;
};
struct ReluRecord {};
struct FlattenRecord {};
struct ResidualRecord {
  std::string with;
  Activation activation = Activation::kLinear;
};

// A walker has: required_integer(key, int64&, min, max, text), required_size(key, Size2d&, text),
// size(key, optional<Size2d>& or Size2d&, text), padding(key, Padding&, text),
// number(key, float&, Share, text), required_number(...) likewise, choice(key, E&, names, text),
// required_layer(key, string&, text).
template <class Walker, class Record>
void activation(Walker& w, Record& r) {
  w.choice("activation", r.activation,
           Names<Activation>{{"linear", Activation::kLinear}, {"relu", Activation::kRelu}},
           "What follows; relu is a layer of its own, NAME_relu");
}
template <class Walker, class Record>
void activation_and_init(Walker& w, Record& r) {
  activation(w, r);
  w.choice("init", r.init,
           Names<Init>{{"he_normal", Init::kHeNormal}, {"glorot_uniform", Init::kGlorotUniform}},
           "How the first weights are drawn; he_normal suits a relu behind it");
}
template <class Walker>
void strides_and_padding(Walker& w, SlidingWindow& window) {
  w.size("strides", window.stride, "Pixels from one window to the next");
  w.padding("padding", window.padding, "Zeros around the image");
}

template <class Walker>
void fields(Walker& w, Conv2dRecord& r) {
  w.required_integer("filters", r.filters, 1, kMaxSize, "Channels that it yields");
  w.required_size("kernel_size", r.window.kernel, "The window's height and width");
  strides_and_padding(w, r.window);
  activation_and_init(w, r);
}
template <class Walker>
void fields(Walker& w, DepthwiseConv2dRecord& r) {
  w.required_size("kernel_size", r.window.kernel, "The window's height and width");
  strides_and_padding(w, r.window);
  activation_and_init(w, r);
}
template <class Walker, class Layer>
void fields(Walker& w, PoolRecord<Layer>& r) {
  w.size("pool_size", r.size, "The window's height and width");
  w.size("strides", r.strides, "Pixels from one window to the next (default: pool_size)");
  w.padding("padding", r.padding, "Around the image; it counts in no maximum and no mean");
}
template <class Walker>
void fields(Walker&, GlobalAveragePool2dRecord&) {}
template <class Walker>
void fields(Walker& w, BatchNormRecord& r) {
  w.number("momentum", r.momentum, Share{.below_one = true},
           "What the running statistics keep of themselves in a step; 1 minus PyTorch's");
  w.number("epsilon", r.epsilon, Share{.above_zero = true},
           "Added to the variance; PyTorch's is 1e-5");
}
template <class Walker>
void fields(Walker& w, DenseRecord& r) {
  w.required_integer("units", r.units, 1, kMaxSize, "Numbers that it yields");
  activation_and_init(w, r);
}
template <class Walker>
void fields(Walker& w, DropoutRecord& r) {
  w.required_number("rate", r.rate, Share{.below_one = true}, "Share of the values that become 0");
}
template <class Walker>
void fields(Walker&, ReluRecord&) {}
template <class Walker>
void fields(Walker&, FlattenRecord&) {}
template <class Walker>
void fields(Walker& w, ResidualRecord& r) {
  w.required_layer("with", r.with, "The other summand: what the layer of this name yields");
  activation(w, r);
}

// use(type, stem, record of the defaults, text); nameless layers are stem_1, stem_2, ...
template <class Use>
void for_each_kind(Use use) {
  use("Conv2d", "conv2d", Conv2dRecord(), "Convolution: [H W C] to [OH OW filters]");
  use("DepthwiseConv2d", "depthwise_conv2d", DepthwiseConv2dRecord(),
      "Convolution with a kernel a channel: [H W C] to [OH OW C]");
  use("MaxPool2d", "max_pool2d", PoolRecord<MaxPool2d>(), "The largest of each window");
  use("AveragePool2d", "average_pool2d", PoolRecord<AveragePool2d>(), "The mean of each window");
  use("GlobalAveragePool2d", "global_average_pool2d", GlobalAveragePool2dRecord(),
      "The mean of each channel: [H W C] to [C]");
  use("BatchNorm", "batch_norm", BatchNormRecord(),
      "Batch normalisation of each channel, before or behind a relu");
  use("Dense", "dense", DenseRecord(), "Each output sums all inputs: [F] to [units]");
  use("Dropout", "dropout", DropoutRecord(), "Zeros at random, in training only");
  use("Relu", "relu", ReluRecord(), "max(0, x)");
  use("Flatten", "flatten", FlattenRecord(), "[H W C] to [H W C] numbers in a row, as Dense wants");
  use("Residual", "residual", ResidualRecord(), "Adds two layers of one shape");
}

}  // namespace espalier::model_json
