// Coordinate descent on the levels of a finished integer network: one level after the other moves
// by one, or to 0, when that lowers loss + lambda * bits, the loss that of the integers on given
// images, the bits those of the file's own coder. What rate-distortion optimised quantization is
// to video (Sullivan & Wiegand 1998, "Rate-distortion optimization for video compression"), with
// the task's loss as the distortion.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "compress/format/packed_model.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::descent {

struct Options {
  double lambda = 1e-5;    // what a bit costs, in the loss's unit, >= 0
  int rounds = 3;          // over all levels; ends sooner when a round changes nothing
  int growing_rounds = 1;  // the first of them, in which zeros may become 1 or -1, too
  std::uint64_t seed = 1;  // of the order in which levels come
  bool quiet = false;      // no progress on standard error
};

struct Report {
  double loss_before = 0, loss_after = 0;  // means over the images
  double bits_before = 0, bits_after = 0;  // of the file, checksum left out
  std::int64_t tried = 0, changed = 0;
};

// The loss of one image, by its place among the images, given its logits.
using ImageLoss = std::function<double(std::int64_t image, std::span<const float> logits)>;

// images: [N H W C] of pixels / 255, in no order that means something: a change that does clearly
// worse on the first of them is not tried on the rest. Each change that is made lowers loss +
// lambda * bits, on all images. Errors: kUsage for models that IncrementalNetwork refuses and
// fewer than one image; kInterrupted.
Report descend(format::PackedModel& model, const Tensor& images, const ImageLoss& loss,
               const Options& options);

}  // namespace espalier::descent
