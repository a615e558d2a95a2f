// The recipe to start from: `espalier new` writes it, `espalier train` without --recipe takes it.
#pragma once

#include <cstdint>
#include <string>

namespace espalier::apps {

// Small data gets small batches: at least 32 of them an epoch, where that leaves 8 examples in each;
// 128 examples from 4,096 on.
std::int64_t batch_for(std::int64_t examples);

struct StartingData {
  std::int64_t examples = 60'000;  // to train on
  bool table = false;              // rows of numbers, no pictures
};

// JSON with comments: plain training, four fifths of the weights pruned (of a table half: its networks
// are small), integers. Epochs and batches
// go by the data: some thousand steps, however few examples there are, and 4, 4 and 2 epochs at least.
std::string starting_recipe(const StartingData& data = {});

}  // namespace espalier::apps
