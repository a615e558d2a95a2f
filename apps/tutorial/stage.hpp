// The account that is kept of a stage of the lesson, and how it is measured.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "core/tensor/tensor.hpp"
#include "datasets/dataset.hpp"

namespace espalier::apps {

struct Stage {
  std::string name;                   // "baseline", "pruned", "post_training", "quantized"
  std::filesystem::path file;         // the complete .esp
  double accuracy = 0;                // of the file, by the runtime; a fraction
  double sparsity = 0;                // zeros among the weights, a fraction
  std::size_t raw_bytes = 0;          // of the float parameters
  std::size_t deflate_bytes = 0;      // of the same, by zlib level 9
  std::size_t file_bytes = 0;         // of the .esp
  double latency_us = 0;              // median of one image, one thread
  std::int64_t peak_bytes = 0;        // activations of one image
  std::int64_t differing_logits = 0;  // trainer against runtime, and runtime against reference
  double seconds = 0;                 // of training and writing
};

// What the runtime finds of `stage.file` on the test images, filled in: bytes, latency, peak memory,
// accuracy, and how many logits differ from those that the trainer computes for the same batch
// [N H W C] -> [N K]. Errors: kInterrupted; as runtime::Model::load.
void measure(Stage& stage, const datasets::Dataset& test, int threads,
             const std::function<Tensor(const Tensor&)>& trainer_logits);

}  // namespace espalier::apps
