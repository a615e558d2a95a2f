// Weights as registers of 16 outputs x 4 inputs, those of zeros left out, with where the inputs of each
// are: what blocks and depthwise columns have in common.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/tensor.hpp"

namespace espalier::runtime::sparse {

struct RegisterGroup {
  std::span<const std::int32_t> offsets;  // of each register's inputs, from a window's start
  const std::int8_t* weights;             // [registers 16 4]
};

// Registers in the order of their groups of outputs.
class Registers {
 public:
  static constexpr std::int64_t kBytes = 64;

  explicit Registers(std::int64_t count) : weights_({count * kBytes}, DType::kInt8) {}

  // The next one, of zeros, to be filled.
  std::int8_t* add(std::int64_t offset) {
    offsets_.push_back(static_cast<std::int32_t>(offset));
    return weights_.mutable_data<std::int8_t>() + (std::ssize(offsets_) - 1) * kBytes;
  }
  void end_group() { ends_.push_back(offsets_.size()); }

  RegisterGroup group(std::int64_t g) const {
    const auto i = static_cast<std::size_t>(g);
    const std::size_t begin = i ? ends_[i - 1] : 0;
    return {std::span(offsets_).subspan(begin, ends_[i] - begin),
            weights_.data<std::int8_t>() + static_cast<std::int64_t>(begin) * kBytes};
  }

 private:
  std::vector<std::int32_t> offsets_;
  std::vector<std::size_t> ends_;  // of each group's
  Tensor weights_;                 // int8
};

}  // namespace espalier::runtime::sparse
