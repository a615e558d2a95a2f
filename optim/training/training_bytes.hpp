// How much memory a training takes, from the shapes of its layers alone.
#pragma once

#include <cstdint>

#include "layers/sequential.hpp"

namespace espalier::training {

struct TrainingBytesOptions {
  std::int64_t batch_size = 32;  // >= 1
  // Passes ride: transforms hold masks and effective weights, and each layer's output is kept once
  // more, as its tap rounded it.
  bool transformed = false;
  int parts = 1;  // FitOptions::parts: each has gradients, effective weights and its images
};

// Bytes at the peak of a step of fit(), beside the program and its data set: values, gradients and two
// states an optimizer keeps of each parameter; what each layer yields for a batch, kept until backward()
// has passed it, and the gradients of the largest layer's output and input; the batches that are loaded
// ahead; a quarter more, by which the pool of buffers may round up. Not counted: what kernels need besides
// (reordered weights, padded inputs), nor packing and testing a file.
// What a process held before training and this together were 0.8 to 1.2 times its VmHWM: espalier train of
// tutorial-small, tutorial-large, lenet5 and resnet8, by one epoch in batches of 128 and of 1,024, and by
// prune and quantize. Errors: a layer does not fit `input`, [H W C] or [F].
std::int64_t training_bytes(Sequential& model, const Shape& input,
                            const TrainingBytesOptions& options = {});

}  // namespace espalier::training
