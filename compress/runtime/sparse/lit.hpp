// Which windows of an image see anything: of a digit's, a third to a half see background alone, and what
// becomes of background is known beforehand.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compress/runtime/sparse/windows.hpp"

namespace espalier::runtime::sparse {

class LitWindows {
 public:
  // What one allocates, and an image of what background becomes, in floats at most.
  static std::int64_t bytes(const format::PackedLayer& layer, const Shape& padded,
                            const format::PackedLayer* pool);
  // Of images `padded`; pool: the pooling layer behind, or null. Background is `zero_point`.
  LitWindows(const format::PackedLayer& layer, const Shape& padded, const format::PackedLayer* pool,
             std::int32_t zero_point);

  // Looks at one image [H W C], padded; reads up to 7 bytes behind it.
  void find(const std::uint8_t* image);

  // Of the outputs that see more than background: where their windows start, [outputs pool], and which
  // outputs they are.
  std::span<const std::int64_t> starts() const { return {starts_.data(), lit_ * pool_}; }
  std::span<const std::int32_t> outputs() const { return {outputs_.data(), lit_}; }
  bool all() const { return lit_ == outputs_.size(); }

 private:
  template <std::size_t kPool>
  void find_in_row(std::int64_t row);

  std::size_t pool_;          // windows of an output
  std::uint64_t background_;  // eight bytes of it
  std::int64_t row_;          // bytes of the image's
  std::int64_t out_h_, out_w_;
  std::int64_t height_, width_;    // rows and bytes that an output sees
  std::int64_t step_h_, step_w_;   // rows and bytes from one output to the next
  std::vector<std::int64_t> all_;  // starts of all outputs' windows
  std::vector<std::uint8_t>
      seen_;  // of an output row: not 0 where a column is more than background
  std::vector<std::int64_t> starts_;
  std::vector<std::int32_t> outputs_;
  std::size_t lit_ = 0;
};

}  // namespace espalier::runtime::sparse
