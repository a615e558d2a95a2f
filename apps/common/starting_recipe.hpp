// The network and the recipe to start from: `espalier new` writes them, `espalier train` without --model
// and --recipe takes them.
#pragma once

#include <cstdint>
#include <string>

#include "core/tensor/shape.hpp"

namespace espalier::apps {

// The built-in network that suits the data: tabular for a table, mlp for pictures with a side below 8,
// tutorial-small for grey ones of up to 32 x 32, resnet8 for all others. input: [H W C].
std::string starting_network(const Shape& input, bool table);

// Small data gets small batches: at least 32 of them an epoch, where that leaves 8 examples in each;
// 128 examples from 4,096 on.
std::int64_t batch_for(std::int64_t examples);

struct StartingData {
  std::int64_t examples = 60'000;  // to train on
  bool table = false;              // rows of numbers, no pictures
  bool deep = false;               // the network is resnet8 or dscnn
  bool depthwise = false;          // it is dscnn
  std::int64_t shift_pixels = 0;   // by which a deep one's pictures move
};
StartingData starting_data(const Shape& input, std::int64_t examples, bool table,
                           const std::string& network);

// JSON with comments: plain training, four fifths of the weights pruned (of a table half: its networks
// are small), integers. Epochs and batches go by the data: some thousand steps, however few examples
// there are, and 4, 4 and 2 epochs at least. A deep network trains for longer, in batches of at most 64, on pictures
// that move, and loses seven tenths; depthwise kernels, of nine weights a channel, are not pruned, and keep
// 8 bits.
std::string starting_recipe(const StartingData& data = {});

}  // namespace espalier::apps
