// The images of the commands that train.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "datasets/dataset.hpp"

namespace espalier::apps {

struct Digits {
  datasets::TrainTest data;
  bool synthetic = false;
};

// MNIST as find_or_fetch_mnist finds it, or the synthetic digits, if wanted or if there is none; of
// the training images the first `images`. Errors: kUsage when there are fewer.
Digits load_digits(const std::optional<std::filesystem::path>& data, bool synthetic,
                   std::optional<std::int64_t> images);

}  // namespace espalier::apps
