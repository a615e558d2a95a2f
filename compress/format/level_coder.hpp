// The levels of one tensor to bits, seen as [O KH KW I]; one template for all coders. Two profiles,
// chosen by the number of levels: `careful` spends contexts on each, `fast` decodes tens of
// millions a second.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "compress/format/fields.hpp"

namespace espalier::format {

// A dense layer directly after flatten has the window of what was flattened, any other 1 x 1.
struct LevelShape {
  std::size_t outputs = 1, height = 1, width = 1, inputs = 1;
  std::size_t columns() const { return height * width * inputs; }
};
constexpr std::size_t kFastFrom = (1u << 16) + 1;  // levels

// What the careful profile uses: all of it in files. Taken away one by one, it shows what each is
// worth (espalier-bench-coders --ingredients).
struct Ingredients {
  bool neighbours = true;  // significance given the left and upper level
  bool diagonals = true;   // and the two beside the upper one
  bool signs = true;       // sign given the neighbours' signs
  bool magnitudes = true;  // magnitude given the largest neighbour
  bool flags = true;       // empty kernels, where it pays
  bool carry_over = true;  // from tensor to tensor
  bool prior = true;       // zeros are expected before the first level
};

// What the careful profile learns. It goes on from tensor to tensor, but what an earlier tensor
// taught weighs no more than four bits of the next.
struct LevelModels {
  explicit LevelModels(Ingredients wanted = {}) : use(wanted) {
    if (use.prior) nonzero.fill(BitModel(9830, 4));  // P(nonzero) = 0.15
  }
  void next_tensor() {
    if (!use.carry_over) *this = LevelModels(use);
    for (auto& m : nonzero) m.forget();
    for (auto& m : negative) m.forget();
    for (auto& pair : larger)
      for (auto& m : pair) m.forget();
    for (auto& m : beyond.more) m.forget();
  }

  Ingredients use;
  std::array<BitModel, 8> nonzero;
  std::array<BitModel, 3> negative;
  std::array<std::array<BitModel, 2>, 3> larger;
  NumberModel beyond;
  BitModel flagged;  // whether kernels have a flag that they are empty
};

template <class Coder, class T>
class LevelCoder {
 public:
  LevelCoder(Coder& coder, std::span<T> levels, LevelShape shape, int bits, LevelModels& models)
      : coder_(coder),
        levels_(levels),
        shape_(shape),
        bits_(bits),
        top_((1 << (bits - 1)) - 1),
        models_(models) {}

  void code() {
    if constexpr (!Coder::kPlain) {
      if (levels_.size() >= kFastFrom) return fast();
    }
    careful();
  }
  void careful() {
    models_.next_tensor();
    const bool kernels = shape_.height * shape_.width > 1;
    kernel_by_kernel(kernels && coder_.bit(models_.flagged, kernels && flags_pay()));
  }
  // Rows and columns that hold a nonzero; of these, which levels are zero; the others by a table of
  // fixed shares.
  void fast();

  // Decoders in the fast profile call it, if there is one, before they touch a row [KH KW I] with something in
  // it, first rows first: until then the levels of it and of those behind it need not be there.
  std::function<void(std::size_t row, std::size_t bytes_read)> before_row = {};

 private:
  template <class, class>
  friend class LevelCoder;

  // Each output's kernels [KH KW] in the order of the inputs; with flags, an empty one is one bit.
  void kernel_by_kernel(bool flagged) {
    std::array<BitModel, 2> empty;
    for (std::size_t o = 0; o < shape_.outputs; ++o) {
      bool is_empty = false;
      for (std::size_t i = 0; i < shape_.inputs; ++i) {
        if (flagged) {
          is_empty = coder_.bit(empty[is_empty ? 1 : 0], kernel_is_empty(o, i));
          if (is_empty) continue;
        }
        for (std::size_t y = 0; y < shape_.height; ++y)
          for (std::size_t x = 0; x < shape_.width; ++x) code_level(o, y, x, i);
      }
    }
  }

  // One level, given its neighbours in the kernel: left, upper and the two beside that.
  void code_level(std::size_t o, std::size_t y, std::size_t x, std::size_t i) {
    const auto at = [&](std::size_t v, std::size_t u) { return int{levels_[index(o, v, u, i)]}; };
    const int left = x > 0 ? at(y, x - 1) : 0, upper = y > 0 ? at(y - 1, x) : 0;
    const int before = x > 0 && y > 0 ? at(y - 1, x - 1) : 0;
    const int after = y > 0 && x + 1 < shape_.width ? at(y - 1, x + 1) : 0;
    const auto& use = models_.use;
    const int near = std::min(std::abs(left), 2) + std::min(std::abs(upper), 2);
    const auto context = static_cast<std::size_t>(use.neighbours ? std::min(near, 3) : 0) +
                         (use.diagonals && (before != 0 || after != 0) ? 4u : 0u);
    T& level = levels_[index(o, y, x, i)];
    if (!coder_.bit(models_.nonzero[context], level != 0)) return;

    const int sum = use.signs ? 2 * (left + upper) + before + after : 0;
    const bool negative = coder_.bit(models_.negative[sum == 0 ? 0 : sum < 0 ? 1 : 2], level < 0);
    const int next =
        use.magnitudes
            ? std::max({std::abs(left), std::abs(upper), std::abs(before), std::abs(after)})
            : 0;
    const int magnitude = code_magnitude(std::abs(int{level}), next);
    set(level, negative ? -magnitude : magnitude);
  }

  // In unary up to 7, given whether the largest neighbour is larger; a number from there.
  int code_magnitude(int magnitude, int next) {
    int m = 1;
    while (
        m < top_ && m <= kUnary &&
        coder_.bit(models_.larger[static_cast<std::size_t>(std::min(m, 3) - 1)][next > m ? 1 : 0],
                   magnitude > m))
      ++m;
    if (m <= kUnary || m == top_) return m;
    const auto rest = code_number(coder_, models_.beyond,
                                  static_cast<std::uint64_t>(std::max(magnitude - kUnary, 1)));
    return static_cast<int>(std::min<std::uint64_t>(kUnary + rest, static_cast<unsigned>(top_)));
  }

  // Encoders alone: whether flags make the stream shorter. Whole bytes, so that no machine's
  // logarithm decides.
  bool flags_pay() const {
    if (Coder::kDecodes || !models_.use.flags) return false;
    std::array<std::size_t, 2> bytes{};
    for (const bool flagged : {false, true}) {
      LevelModels models = models_;
      RangeEncoder trial;
      LevelCoder<RangeEncoder, T>(trial, levels_, shape_, bits_, models).kernel_by_kernel(flagged);
      bytes[flagged ? 1 : 0] = trial.finish().size();
    }
    return bytes[1] < bytes[0];
  }

  std::vector<Share> code_table(const std::vector<std::uint64_t>& counts, bool with_zero);

  bool kernel_is_empty(std::size_t o, std::size_t i) const {
    if constexpr (!Coder::kDecodes)
      for (std::size_t k = 0; k < shape_.height * shape_.width; ++k)
        if (levels_[(o * shape_.height * shape_.width + k) * shape_.inputs + i] != 0) return false;
    return true;
  }
  std::size_t index(std::size_t o, std::size_t y, std::size_t x, std::size_t i) const {
    return ((o * shape_.height + y) * shape_.width + x) * shape_.inputs + i;
  }

  static constexpr int kUnary = 6;
  Coder& coder_;
  std::span<T> levels_;
  LevelShape shape_;
  int bits_, top_;  // levels lie in [-top, top]
  LevelModels& models_;
};

template <class Coder, class T>
void LevelCoder<Coder, T>::fast() {
  const std::size_t columns = shape_.columns(), rows = shape_.outputs;
  std::vector<char> row_lives(rows), column_lives(columns);
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(2 * top_ + 1));
  if constexpr (!Coder::kDecodes)
    for (std::size_t k = 0; k < levels_.size(); ++k)
      if (levels_[k] != 0) {
        row_lives[k / columns] = column_lives[k % columns] = 1;
        ++counts[static_cast<std::size_t>(levels_[k] + top_)];
      }
  for (auto* lives : {&row_lives, &column_lives}) {
    std::array<BitModel, 2> model;
    bool last = true;
    for (char& l : *lives) l = last = coder_.bit(model[last ? 1 : 0], l != 0);
  }
  std::vector<std::uint32_t> live;
  for (std::size_t c = 0; c < columns; ++c)
    if (column_lives[c]) live.push_back(static_cast<std::uint32_t>(c));
  if (live.empty()) return;

  // A table with 0 in it saves a dense tensor the question whether a level is 0.
  const auto cells = live.size() * static_cast<std::size_t>(std::ranges::count(row_lives, 1));
  std::uint64_t nonzeros = 0;
  for (const auto count : counts) nonzeros += count;
  BitModel even;
  const bool dense = coder_.bit(even, 4 * nonzeros > 3 * cells);
  if (dense) counts[static_cast<std::size_t>(top_)] = cells - nonzeros;
  const std::vector<Share> shares = code_table(counts, dense);
  std::vector<std::int8_t> level_at;
  if constexpr (Coder::kDecodes) {
    level_at.resize(1u << kShareBits);
    for (std::size_t s = 0; s < shares.size(); ++s)
      std::fill_n(level_at.begin() + shares[s].first, shares[s].count,
                  static_cast<std::int8_t>(static_cast<int>(s) - top_));
  }

  // A copy, which the compiler can keep in registers: levels are bytes and may alias anything.
  Coder coder = std::move(coder_);
  const auto code_share = [&coder, table = shares.data(), at = level_at.data(),
                           top = top_](T& level) {
    if constexpr (Coder::kDecodes) level = at[coder.place()];
    coder.share(table[level + top]);
  };
  std::array<BitModel, 16> nonzero;
  std::vector<std::uint8_t> above(live.size());
  for (std::size_t r = 0; r < rows; ++r) {
    if (!row_lives[r]) continue;
    if constexpr (Coder::kDecodes) {
      if (before_row) before_row(r, coder.bytes_read());
    }
    T* const row = levels_.data() + r * columns;
    if (dense) {
      for (const auto column : live) code_share(row[column]);
      continue;
    }
    unsigned left = 0;
    for (std::size_t k = 0; k < live.size(); ++k) {
      T& level = row[live[k]];
      const bool is = coder.bit(nonzero[left + above[k]], level != 0);
      left = (left >> 1) | (is ? 2u : 0u);
      above[k] = static_cast<std::uint8_t>(((above[k] >> 1) & 4u) | (is ? 8u : 0u));
      if (is) code_share(level);
    }
  }
  coder_ = std::move(coder);
}

// Counts, scaled so that they add up to 2^14. A decoder makes any counts add up; no encoder wrote
// those, which the reader finds out.
template <class Coder, class T>
std::vector<Share> LevelCoder<Coder, T>::code_table(const std::vector<std::uint64_t>& counts,
                                                    bool with_zero) {
  constexpr std::uint32_t kTotal = 1u << kShareBits;
  std::vector<Share> shares(counts.size());
  if constexpr (!Coder::kDecodes) {
    std::uint64_t total = 0, kinds = 0;
    for (const auto count : counts) total += count, kinds += count > 0;
    std::uint32_t used = 0;
    std::size_t largest = 0;
    for (std::size_t s = 0; s < counts.size(); ++s) {
      if (counts[s] == 0) continue;
      shares[s].count = static_cast<std::uint32_t>(1 + counts[s] * (kTotal - kinds) / total);
      used += shares[s].count;
      if (counts[s] > counts[largest]) largest = s;
    }
    shares[largest].count += kTotal - used;
  }
  NumberModel model;
  std::uint32_t first = 0;
  for (std::size_t s = 0; s < shares.size(); ++s) {
    shares[s].first = first;
    if (s == static_cast<std::size_t>(top_) && !with_zero) continue;
    const auto count = code_number(coder_, model, std::uint64_t{shares[s].count} + 1) - 1;
    shares[s].count = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, kTotal - first));
    first += shares[s].count;
  }
  shares.back().count += kTotal - first;
  return shares;
}

}  // namespace espalier::format
