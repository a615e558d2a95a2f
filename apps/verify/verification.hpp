// How far two models for the same images are from each other: in their answers, their logits, and
// layer by layer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/number_scores.hpp"
#include "compress/runtime/model.hpp"
#include "datasets/dataset.hpp"

namespace espalier::apps {

// What a convolution or dense layer yields, with the batch norm and relu directly behind it, which
// one of the models may have folded into it.
struct LayerNoise {
  std::string name;              // the first model's
  bool compared = false;         // both yield tensors of one shape
  double signal = 0, noise = 0;  // sums over the images of b^2 and of (a - b)^2
  double decibels() const;       // 10 log10(signal / noise); infinite without noise
};

struct Verification {
  std::int64_t images = 0, a_right = 0, b_right = 0;
  std::int64_t agree = 0;  // images to which both give the same answer
  // Of models of numbers, whose images are rows: in place of what is right. In the table's unit, as are
  // the two below.
  std::optional<NumberScores> a_numbers, b_numbers;
  // Over all images and classes: |a - b|, where it was found, and the largest |b|.
  double largest_difference = 0, largest_logit = 0;
  std::int64_t image = 0, label = 0;
  std::int64_t noise_images = 0;   // the first of the images: layers are looked at on these
  std::vector<LayerNoise> layers;  // of a's convolutions and dense layers, in order
};

// The layers of the two are matched in their order; none is compared where their numbers differ.
// `progress` hears how many images are done. Errors: kUsage when the models take other images than
// the data's or tell other numbers of classes apart; kCorrupt for logits that are not finite.
Verification verify(const runtime::Model& a, const runtime::Model& b, const datasets::Dataset& data,
                    std::int64_t noise_images,
                    const std::function<void(std::int64_t)>& progress = {});

}  // namespace espalier::apps
