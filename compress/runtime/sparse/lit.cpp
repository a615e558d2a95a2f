#include "compress/runtime/sparse/lit.hpp"

#include <algorithm>
#include <cstring>

namespace espalier::runtime::sparse {
namespace {

constexpr std::int64_t kWord = sizeof(std::uint64_t);

std::uint64_t word_at(const std::uint8_t* from) {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

}  // namespace

std::int64_t LitWindows::bytes(const format::PackedLayer& l, const Shape& padded,
                               const format::PackedLayer* pool) {
  const std::int64_t windows = windows_per_image(l, padded, pool),
                     over = pool ? pool->kernel_h * pool->kernel_w : 1,
                     of_window = 2 * sizeof(std::int64_t),
                     of_output = sizeof(std::int32_t) + sizeof(float) * l.weight.shape[0];
  return windows * of_window + windows / over * of_output + padded[1] * padded[2] * padded[3];
}

LitWindows::LitWindows(const format::PackedLayer& l, const Shape& padded,
                       const format::PackedLayer* pool, std::int32_t zero_point)
    : background_(static_cast<std::uint64_t>(zero_point) * 0x0101010101010101),
      row_(padded[2] * padded[3]) {
  const Windows windows = windows_of(l, padded, pool);
  const kernels::Window over = pool ? window_of(*pool) : kernels::Window{};
  pool_ = static_cast<std::size_t>(windows.pool);
  out_h_ = over.out_h((padded[1] - l.kernel_h) / l.stride_h + 1);
  out_w_ = over.out_w((padded[2] - l.kernel_w) / l.stride_w + 1);
  height_ = (over.kernel_h - 1) * l.stride_h + l.kernel_h;
  width_ = ((over.kernel_w - 1) * l.stride_w + l.kernel_w) * padded[3];
  step_h_ = over.stride_h * l.stride_h;
  step_w_ = over.stride_w * l.stride_w * padded[3];
  all_ = windows.starts;
  seen_.resize(static_cast<std::size_t>(row_ + 2 * kWord));
  starts_.resize(all_.size());
  outputs_.resize(all_.size() / pool_);
}

// Every output is written down, and the next one over it if this one is dark: no branch to guess.
template <std::size_t kPool>
void LitWindows::find_in_row(std::int64_t row) {
  const std::int64_t whole = (width_ - 1) / kWord * kWord;
  const std::uint64_t last = ~std::uint64_t{0} >> (8 * (kWord - (width_ - whole)));
  std::size_t lit = lit_;
  for (std::int64_t q = 0; q < out_w_; ++q) {
    const std::uint8_t* columns = seen_.data() + q * step_w_;
    std::uint64_t any = word_at(columns + whole) & last;
    for (std::int64_t i = 0; i < whole; i += kWord) any |= word_at(columns + i);
    const auto output = static_cast<std::size_t>(row * out_w_ + q);
    std::copy_n(all_.data() + output * kPool, kPool, starts_.data() + lit * kPool);
    outputs_[lit] = static_cast<std::int32_t>(output);
    lit += any != 0;
  }
  lit_ = lit;
}

void LitWindows::find(const std::uint8_t* image) {
  lit_ = 0;
  for (std::int64_t p = 0; p < out_h_; ++p) {
    const std::uint8_t* top = image + p * step_h_ * row_;
    // Words, as a row is too short for loops that the compiler vectorises; the last reads behind the row.
    for (std::int64_t i = 0; i < row_; i += kWord) {
      std::uint64_t seen = 0;
      for (std::int64_t h = 0; h < height_; ++h) seen |= word_at(top + h * row_ + i) ^ background_;
      std::memcpy(seen_.data() + i, &seen, sizeof(seen));
    }
    switch (pool_) {
      case 1:
        find_in_row<1>(p);
        break;
      case 2:
        find_in_row<2>(p);
        break;
      case 4:
        find_in_row<4>(p);
        break;
      default:
        find_in_row<8>(p);
    }
  }
}

}  // namespace espalier::runtime::sparse
