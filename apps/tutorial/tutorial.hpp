// The MNIST tutorial: train, prune, write, quantize, read back.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "datasets/dataset.hpp"

namespace espalier::apps {

struct TutorialOptions {
  std::optional<std::filesystem::path> data;
  std::filesystem::path out = "espalier-out";
  std::uint64_t seed = 1;
  int weight_bits = 8;
  int threads = 1;
  bool quick = false;  // a tenth of the images
  std::optional<std::filesystem::path> json;
};

struct Stage {
  std::string name;                   // "baseline", "pruned", "post_training", "quantized"
  std::filesystem::path file;         // written under out
  double accuracy = 0;                // of the file, as the runtime runs it; a fraction
  double trainer_accuracy = 0;        // of the model or its integers, as the trainer evaluates it
  double sparsity = 0;                // zeros among the weights, a fraction
  std::size_t raw_bytes = 0;          // of the float parameters
  std::size_t deflate_bytes = 0;      // of the same, by zlib level 9
  std::size_t file_bytes = 0;         // of the complete .esp file
  std::int64_t differing_logits = 0;  // trainer's integers against the runtime's; 0 is the promise
  double seconds = 0;
};

struct TutorialData {
  datasets::TrainTest digits;
  std::string name;  // "MNIST", or "synthetic digits, not MNIST"
};
TutorialData load_data(const TutorialOptions& options);

std::vector<Stage> run_tutorial(const TutorialOptions& options, const TutorialData& data);

void print_table(const std::vector<Stage>& stages, const std::string& data_name);

}  // namespace espalier::apps
