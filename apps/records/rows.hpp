// The rows of compression records: model, training, and what each must reach.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compress/rate/rate_penalty.hpp"
#include "layers/sequential.hpp"
#include "optim/training/distillation.hpp"

namespace espalier::apps {

struct Row {
  std::string name;          // "M1"
  std::string architecture;  // the network of which this one is a part: "LeNet-5-Caffe"
  std::vector<std::int64_t> widths;
  double most_error = 0;        // of the median, a fraction
  std::int64_t must_bytes = 0;  // of the median file
  int epochs = 60;
  std::int64_t batch_size = 128;
  rate::RatePenalty::Options rate;
  std::int64_t shift_pixels = 1;  // augmentation; 0: none
  // The teacher's part of the loss; weight 0: there is none.
  training::Distillation::Options teacher = {.temperature = 3, .weight = 0.5f};
  // Descent on levels after training, at the same lambda, on this many training images; 0: none.
  std::int64_t descent_images = 20'000;
  int descent_rounds = 2;
};

const std::vector<Row>& rows();
// Errors: kUsage, naming those that exist.
Row row_named(const std::string& name);

// Everything that a result depends on besides seed and data: "8-16-32, 100 epochs of ...".
std::string settings_of(const Row& row);

// The row's network with first values from `seed`.
Sequential row_model(const Row& row, std::uint64_t seed);

}  // namespace espalier::apps
