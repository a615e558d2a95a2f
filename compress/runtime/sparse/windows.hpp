// A convolution or dense layer as windows over bytes: the window of every output position is the
// same few rows of bytes from another start. A dense layer is one row, and a position an image.
#pragma once

#include <vector>

#include "compress/runtime/stages.hpp"
#include "compress/runtime/step.hpp"

namespace espalier::runtime::sparse {

// The bytes that a window sees, counted from its start: `rows` rows of `length` bytes, `stride`
// apart. Weights [O KH KW I] or [OUT IN] lie in that order.
struct WindowRows {
  std::int64_t rows = 1, length = 0, stride = 0;
};
WindowRows window_rows(const format::PackedLayer& layer, const Shape& padded);
// Whether offsets of 31 bits reach all of a window. Errors: kUsage if not, naming `where`.
void check_reach(const format::PackedLayer& layer, const WindowRows& rows, std::string_view where);

// Where the windows start. Those whose sums meet in one maximum (a pooling layer behind) stand one
// after the other, `pool` of them: 1, 2, 4 or 8.
struct Windows {
  std::vector<std::int64_t> starts;  // of one image: [outputs pool]
  int pool = 1;
  std::int64_t images = 1, image_bytes = 0;
  std::int64_t outputs() const { return static_cast<std::int64_t>(starts.size()) / pool; }
};
// Of x, padded; pool: the pooling layer behind, or null. Errors: none; see pools_with().
Windows windows_of(const format::PackedLayer& layer, const Shape& padded,
                   const format::PackedLayer* pool);
// starts.size() of these, without making them.
std::int64_t windows_per_image(const format::PackedLayer& layer, const Shape& padded,
                               const format::PackedLayer* pool);

// Whether `pool` takes the maximum of windows that neither overlap nor leave the image, and are 1,
// 2, 4 or 8 positions large.
bool pools_with(const format::PackedLayer& pool);

}  // namespace espalier::runtime::sparse
