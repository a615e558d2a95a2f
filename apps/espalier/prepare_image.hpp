// A picture file to what a model wants to see.
#pragma once

#include <filesystem>
#include <string>

#include "compress/format/packed_model.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::apps {

struct PreparedImage {
  Tensor image;         // [H W C] of the model's input, 0..1
  std::string changes;  // what was done to it, in words
};

// For models of 28 x 28 x 1 whose classes are digits (without names, or the first is "0" or "zero"):
// centred as MNIST was, its polarity found (datasets/center_digit.hpp);
// a picture whose pixels were only repeated (the tutorial's, four times) is first made small again.
// For others: resized to H x W as an image folder's are for training, to the bit, grey or RGB by
// C. `invert` turns light and dark round, in the first
// case against what was found. "-" is standard input. Errors: kUsage for a model whose input has
// neither 1 nor 3 channels or more than kMaxImageSide pixels a side; as load_image and
// center_digit.
PreparedImage prepare_image(const std::filesystem::path& file, const format::PackedModel& model,
                            bool invert);

}  // namespace espalier::apps
