#include "core/kernels/sparse/density.hpp"

#include <algorithm>

namespace espalier::kernels::sparse {

double density(const Tensor& x) {
  constexpr std::int64_t kRun = 64, kSampled = 1 << 14;
  if (x.elements() == 0) return 1;
  // Not a multiple of usual row lengths: other columns of each row.
  const std::int64_t step = x.elements() > kSampled ? 8 * kRun + 16 : kRun;
  const float* values = x.data();
  std::int64_t seen = 0, found = 0;
  for (std::int64_t i = 0; i < x.elements(); i += step) {
    const std::int64_t end = std::min(i + kRun, x.elements());
    for (std::int64_t j = i; j < end; ++j) found += values[j] != 0;
    seen += end - i;
  }
  return static_cast<double>(found) / static_cast<double>(seen);
}

}  // namespace espalier::kernels::sparse
