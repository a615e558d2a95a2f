// How a small file is trained: everything that its bytes and errors depend on besides the seed and
// the images.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compress/rate/rate_penalty.hpp"
#include "optim/training/distillation.hpp"

namespace espalier::apps {

struct Recipe {
  std::string network = "lenet5";                  // of network_kinds(), unless there is a
  std::string model_json = {};                     // text of one
  std::vector<std::int64_t> widths = {8, 16, 32};  // of its hidden layers
  int epochs = 60;
  std::int64_t batch_size = 128;
  rate::RatePenalty::Options rate = {};
  std::int64_t shift_pixels = 1;  // augmentation; 0: none
  float shift_share = 1;          // of the images that move
  // The teacher's part of the loss; weight 0: there is none.
  training::Distillation::Options teacher = {.temperature = 3, .weight = 0.5f};
  int teachers = 1;  // that answer together
  // Descent on levels after training, on this many training images; 0: none.
  std::int64_t descent_images = 20'000;
  // Where it weighs otherwise than training: what a bit costs, the teacher's part of the loss.
  std::optional<float> descent_lambda = {}, descent_teacher = {};
  int descent_rounds = 3;
  int descent_growing_rounds = 1;  // the first of them, in which zeros may become 1 or -1
};

// One line: "lenet5 8-16-32, 100 epochs, ...". describe_training leaves descent out.
std::string describe(const Recipe& recipe);
std::string describe_training(const Recipe& recipe);

}  // namespace espalier::apps
