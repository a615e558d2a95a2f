// Windows of background: those that are found are those that see something, pixel by pixel.
#include "compress/runtime/sparse/lit.hpp"

#include "compress/runtime/linear_parts.hpp"
#include "tests/compress/runtime/onednn/models.hpp"

using namespace espalier;
using namespace espalier::runtime;
namespace {

// `gap`: pixels between its windows.
PackedLayer pool_of(std::int64_t h, std::int64_t w, std::int64_t gap) {
  PackedLayer l;
  l.kind = LayerKind::kMaxPool2d;
  l.kernel_h = h, l.kernel_w = w;
  l.stride_h = h + gap, l.stride_w = w + gap;
  return l;
}

bool sees(const std::vector<std::uint8_t>& image, const Shape& s, const PackedLayer& l,
          std::int64_t start, std::uint8_t background) {
  for (std::int64_t r = 0; r < l.kernel_h; ++r)
    for (std::int64_t i = 0; i < l.kernel_w * s[3]; ++i)
      if (image[static_cast<std::size_t>(start + r * s[2] * s[3] + i)] != background) return true;
  return false;
}

}  // namespace

TEST_CASE("lit windows are those that see more than background") {
  Rng rng(5, "lit");
  std::size_t dark = 0, lit_ones = 0;
  for (int i = 0; i < 200; ++i) {
    CAPTURE(i);
    const std::int64_t channels = pick<std::int64_t>(rng, {1, 1, 3, 4});
    const std::array<std::int64_t, 3> input{9 + static_cast<std::int64_t>(rng.below(20)),
                                            9 + static_cast<std::int64_t>(rng.below(20)), channels};
    PackedLayer l = conv_of(rng, input, 4, 8);
    l.stride_h = l.stride_w = 1 + static_cast<std::int64_t>(rng.below(2));
    const PackedLayer pool =
        pool_of(pick<std::int64_t>(rng, {1, 2}), pick<std::int64_t>(rng, {1, 2, 4}),
                pick<std::int64_t>(rng, {0, 0, 1}));
    const Shape s = padded_shape(l, 1, input);
    const auto fits = [&](std::int64_t size, std::int64_t kernel, std::int64_t over) {
      return (size - kernel) / l.stride_h + 1 >= over;
    };
    const bool pools = rng.below(3) && fits(s[1], l.kernel_h, pool.kernel_h) &&
                       fits(s[2], l.kernel_w, pool.kernel_w);
    const PackedLayer* behind = pools ? &pool : nullptr;
    const auto background = static_cast<std::uint8_t>(pick(rng, {0, 0, 64, 127}));
    std::vector<std::uint8_t> image(static_cast<std::size_t>(s.elements() + Activation::kSlack),
                                    background);
    for (int spots = static_cast<int>(rng.below(6)); spots > 0; --spots)
      image[rng.below(static_cast<std::uint64_t>(s.elements()))] =
          static_cast<std::uint8_t>(rng.below(128));

    const auto all = sparse::windows_of(l, s, behind);
    std::vector<std::int64_t> starts;
    std::vector<std::int32_t> outputs;
    const auto pooled = static_cast<std::size_t>(all.pool);
    for (std::size_t o = 0; o * pooled < all.starts.size(); ++o) {
      const auto begin = all.starts.begin() + static_cast<std::ptrdiff_t>(o * pooled);
      if (std::none_of(begin, begin + all.pool,
                       [&](std::int64_t start) { return sees(image, s, l, start, background); }))
        continue;
      outputs.push_back(static_cast<std::int32_t>(o));
      starts.insert(starts.end(), begin, begin + all.pool);
    }
    sparse::LitWindows lit(l, s, behind, background);
    for (int again = 0; again < 2; ++again) lit.find(image.data());
    // What lies between the windows of a pool, where the convolution's stride is larger than its kernel,
    // may be seen, too.
    if (l.stride_h <= l.kernel_h && l.stride_w <= l.kernel_w) {
      CHECK(std::ranges::equal(lit.starts(), starts));
      CHECK(std::ranges::equal(lit.outputs(), outputs));
    } else {
      CHECK(std::ranges::includes(lit.outputs(), outputs));
    }
    lit_ones += outputs.size(), dark += all.starts.size() / pooled - outputs.size();
  }
  CHECK(dark > 1000);
  CHECK(lit_ones > 1000);
}
