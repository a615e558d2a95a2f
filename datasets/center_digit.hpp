// Any picture of one digit to MNIST's form, as MNIST was made (LeCun, Bottou, Bengio, Haffner 1998,
// section III.A): the digit fills 20 x 20 pixels, its proportions kept, and its centre of mass lies
// in the middle of 28 x 28; light ink on black.
#pragma once

#include <string>

#include "core/tensor/tensor.hpp"

namespace espalier::datasets {

struct CenteredDigit {
  Tensor image;              // [28 28 1], 0 (paper) to 1 (ink)
  bool inverted = false;     // the picture was dark on light
  bool taken_as_is = false;  // it already had MNIST's form: nothing was changed
};

// `image`: float32 [H W 1], 0..1. The ink is dark when the border is brighter than the picture on
// average; `invert` turns that verdict round. The border's median is the paper; what stands out
// from it by less than a tenth of the strongest ink is paper too. 28 x 28 pixels with a black
// border (below 0.1 on average) are MNIST's form already, and are taken as they are.
// Errors: kUsage, naming `name`, when every pixel has the same brightness.
CenteredDigit center_digit(const Tensor& image, bool invert, const std::string& name);

}  // namespace espalier::datasets
