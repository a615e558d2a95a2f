// One neuron's integer arithmetic, step by step: for a lesson, and to check another implementation.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "compress/format/packed_model.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::apps {

struct TraceOptions {
  std::string layer = {};  // its name, or its number from 1; empty: the first of integers
  std::optional<std::int64_t> unit = {};  // output channel; none: the most active one
};

struct TraceProduct {
  std::int64_t y, x, channel;  // where the input stands
  std::int32_t level;          // q_x, 0..127
  std::int32_t weight;         // q_w
};

// sum = sum over products of (q_x - z_x) q_w; accumulator = sum + bias; then, unless the output is
// real (a logit, or what a float layer takes), level = clamp(rint(accumulator * multiplier) +
// zero_point, 0, 127): compress/INTEGERS.md.
struct Trace {
  std::string layer;
  std::int64_t unit = 0, y = 0, x = 0;  // the output looked at
  bool convolution = false, relu = false, real_output = false, last = false;
  format::ActivationGrid input, output;
  float weight_scale = 0;
  std::vector<TraceProduct> products;  // those that are not 0
  std::int64_t taps = 0;               // all products inside the image
  std::int32_t sum = 0, bias = 0, accumulator = 0;
  float multiplier = 0;           // to the output's levels, or to the real value
  float scaled = 0, rounded = 0;  // accumulator * multiplier, and to the nearest integer
  std::int32_t level = 0;         // unused for a real output
  float real = 0;                 // what it stands for
};

// `image`: [H W C], pixels / 255. A convolution is looked at where that channel is most active.
// Errors: kUsage when there is no such layer or unit, or the layer computes in floats (nothing is
// rounded).
Trace trace_unit(const format::PackedModel& model, const Tensor& image,
                 const TraceOptions& options);

// In plain words.
void print_trace(std::ostream& out, const Trace& trace);

}  // namespace espalier::apps
