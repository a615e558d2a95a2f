// A layer maps one activation to the next, names its parameters and describes itself. It sees only
// tensors: order belongs to Sequential, compression to transforms and taps. What its forward pass
// writes, visit() hands out as state: a model without state may run on several threads at once.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "core/base/rng.hpp"
#include "layers/parameter.hpp"

namespace espalier {

// Where the examples at hand lie in a batch of which they are a part: from number `first`, of `whole`.
struct BatchPart {
  std::int64_t first = 0, whole = 0;  // whole 0: they are the batch
};

struct ForwardContext {
  bool training = false;
  Rng* rng = nullptr;               // the dropout stream; layers that draw fail without it
  const Variable* other = nullptr;  // a residual's second summand
  BatchPart part = {};              // layers that draw take the whole batch's numbers for it
};

// What visit() hands out, in the order of declaration: the optimizer, checkpoints, pruning,
// quantization, packing and reports all walk a model through it.
struct Visitor {
  std::function<void(const std::string& name, Parameter&)> parameter = {};
  std::function<void(const std::string& name, Tensor&)> state = {};  // not trained: running means

  void operator()(const std::string& name, Parameter& p) const {
    if (parameter) parameter(name, p);
  }
  void operator()(const std::string& name, Tensor& s) const {
    if (state) state(name, s);
  }
};

class Layer {
 public:
  // On the output: receives what forward() returned; what the tap returns is the layer's output (the
  // same variable where it only watches). On the input likewise. Observers and fake quantization of
  // activations sit here.
  using Tap = std::function<Variable(const Variable&)>;

  virtual ~Layer() = default;

  Variable operator()(const Variable& x, const ForwardContext& context = {}) {
    return tap(forward(tap_input(x), context));
  }
  // What the output's tap makes of `y`, for who computed it in forward()'s stead.
  Variable tap(const Variable& y) const { return output_tap_ ? output_tap_(y) : y; }
  Variable tap_input(const Variable& x) const { return input_tap_ ? input_tap_(x) : x; }
  virtual void visit(const Visitor&) {}
  virtual std::string describe() const = 0;  // "Dense(784 -> 10)"
  // Shapes of one example, without the batch axis: [H W C] or [F]. Errors: the input does not fit.
  virtual Shape output_shape(const Shape& input) const = 0;
  // Multiplications with accumulation for one example, as convolution and dense layers do them.
  virtual std::int64_t macs(const Shape&) const { return 0; }

  void set_output_tap(Tap tap) { output_tap_ = std::move(tap); }  // {} takes it off
  void set_input_tap(Tap tap) { input_tap_ = std::move(tap); }
  bool taps_input() const { return static_cast<bool>(input_tap_); }
  bool taps_output() const { return static_cast<bool>(output_tap_); }

 protected:
  Layer() = default;
  // A copy would share its parameters' memory: layers only move.
  Layer(Layer&&) = default;
  Layer& operator=(Layer&&) = default;

 private:
  virtual Variable forward(const Variable& x, const ForwardContext& context) = 0;
  Tap input_tap_, output_tap_;
};

}  // namespace espalier
