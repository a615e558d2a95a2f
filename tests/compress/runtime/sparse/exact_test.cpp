// Our kernels compute the reference's integers, bit for bit, wherever they fit: windows, grids, zeros,
// batches, and the pools and norms that they take along. CTest runs this binary under each
// instruction set of oneDNN's, so that every twin has its turn that this machine can run; those that
// it cannot are named.
#include "core/onednn/isa.hpp"
#include "tests/compress/runtime/onednn/models.hpp"

using namespace espalier;
using namespace espalier::runtime;
namespace {

constexpr Kernels kAll[] = {Kernels::kBlocks, Kernels::kScattered, Kernels::kRows,
                            Kernels::kActive, Kernels::kFixed,     Kernels::kLean,
                            Kernels::kPlanes, Kernels::kOneDnn};

ActivationGrid random_grid(Rng& rng) {
  return {pick(rng, {1.0f, 0.013f, 0.7f}), pick(rng, {0, 0, 64, 127, 5})};
}

enum class Holes { kNone, kSingle, kBlocks, kAll, kRows };

// Zeros where pruning would put them; the sums only shrink.
void punch(PackedLayer& l, Rng& rng, Holes holes, float share) {
  const std::int64_t outputs = l.weight.shape[0], inputs = std::ssize(l.weight.levels) / outputs;
  const std::int64_t high = holes == Holes::kBlocks ? 16 : 1, wide = holes == Holes::kBlocks ? 4
                                                                     : holes == Holes::kRows
                                                                         ? inputs
                                                                         : 1;
  if (holes == Holes::kNone) return;
  for (std::int64_t o = 0; o < outputs; o += high)
    for (std::int64_t i = 0; i < inputs; i += wide) {
      if (holes != Holes::kAll && rng.uniform() >= share) continue;
      for (std::int64_t r = o; r < std::min(o + high, outputs); ++r)
        for (std::int64_t c = i; c < std::min(i + wide, inputs); ++c)
          l.weight.levels[static_cast<std::size_t>(r * inputs + c)] = 0;
    }
}

void punch(PackedLayer& l, Rng& rng) {
  punch(l, rng,
        pick(rng, {Holes::kNone, Holes::kSingle, Holes::kBlocks, Holes::kAll, Holes::kRows}),
        pick(rng, {0.5f, 0.9f, 0.98f}));
}

void add_pool(PackedModel& model, Rng& rng) {
  PackedLayer l;
  l.kind = LayerKind::kMaxPool2d;
  const auto end = end_of(model);
  l.kernel_h = std::min<std::int64_t>(pick<std::int64_t>(rng, {1, 2, 2, 2, 3, 4}), end[0]);
  l.kernel_w = std::min<std::int64_t>(pick<std::int64_t>(rng, {1, 2, 2, 2, 3, 4}), end[1]);
  // Windows that overlap, touch, or leave gaps.
  l.stride_h = std::max<std::int64_t>(1, l.kernel_h + static_cast<std::int64_t>(rng.below(4)) - 1);
  l.stride_w = std::max<std::int64_t>(1, l.kernel_w + static_cast<std::int64_t>(rng.below(4)) - 1);
  if (rng.below(4) == 0) l.pad_top = l.kernel_h - 1, l.pad_right = l.kernel_w - 1;
  model.layers.push_back(l);
}

void add_norm(PackedModel& model, Rng& rng) {
  PackedLayer l;
  l.kind = LayerKind::kBatchNorm;
  for (std::int64_t c = 0; c < end_of(model)[2]; ++c) {
    l.multiplier.push_back(rng.uniform(-2, 2));
    l.offset.push_back(rng.uniform(-30, 30));
  }
  l.relu = rng.below(2);
  l.output = random_grid(rng);
  model.layers.push_back(l);
}

// Outside of a random rectangle of each image: background, which is 0, or what level 0 stands for, or as
// it was.
void darken(Tensor& images, Rng& rng, const ActivationGrid& grid) {
  const std::int64_t n = images.shape()[0], h = images.shape()[1], w = images.shape()[2],
                     c = images.shape()[3];
  const auto below = [&](std::int64_t end) {
    return static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(end)));
  };
  if (rng.below(4) == 0) return;
  const float dark = rng.below(2) ? 0 : static_cast<float>(-grid.zero_point) * grid.scale;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t top = below(h), left = below(w), bottom = top + below(h - top + 1),
                       right = left + below(w - left + 1);
    // Of a dense layer the inputs stand in the last dimension.
    const bool scattered = h * w == 1;
    for (std::int64_t k = 0; k < h * w * c; ++k) {
      const std::int64_t y = k / c / w, x = k / c % w;
      const bool inside =
          scattered ? rng.below(5) == 0 : top <= y && y < bottom && left <= x && x < right;
      if (!inside) images.mutable_data()[i * h * w * c + k] = dark;
    }
  }
}

// Appends what shows every level, and compares every kernel, at several batches and a last chunk
// that is not full.
void check(PackedModel model, Rng& rng, int level = -1) {
  const PackedLayer& last = model.layers.back();
  if (!format::has_weight(last.kind) || !last.output.is_float())
    model.layers.push_back(reveal(end_of(model)[2]));
  const Model loaded(model);
  const std::int64_t batch = pick<std::int64_t>(rng, {1, 2, 3, 7, 9, 19});
  CAPTURE(batch);
  Tensor images = images_of(rng, model, batch, level);
  if (level < 0) darken(images, rng, model.input);
  for (const Kernels kernels : kAll) {
    CAPTURE(static_cast<int>(kernels));
    CHECK(differing(loaded, images, batch, kernels) == 0);
  }
}

}  // namespace

TEST_CASE("which of our kernels had their turn") {
  MESSAGE("our kernels ran as " << name_of(vector_isa()));
  if (vector_isa() != VectorIsa::kVbmi)
    MESSAGE("skipped: kernels beyond it, up to AVX-512 VBMI; run on a machine that has it");
}

TEST_CASE("convolution with zeros, pools and norms behind") {
  Rng rng(2, "convolution");
  for (int i = 0; i < 200; ++i) {
    CAPTURE(i);
    PackedModel model =
        model_of({pick<std::int64_t>(rng, {1, 5, 8, 13}), pick<std::int64_t>(rng, {1, 4, 9, 10}),
                  pick<std::int64_t>(rng, {1, 1, 2, 3, 6, 16, 33})},
                 random_grid(rng));
    PackedLayer l = conv_of(rng, model.input_shape, pick<std::int64_t>(rng, {1, 4, 12, 16, 33}),
                            2 + static_cast<int>(rng.below(7)));
    punch(l, rng);
    l.relu = rng.below(2);
    if (i % 5) l.output = random_grid(rng);
    model.layers.push_back(l);
    if (i % 5 && rng.below(2)) add_pool(model, rng);
    if (i % 5 && rng.below(2)) add_norm(model, rng);
    check(model, rng);
  }
}

TEST_CASE("dense with zeros, norms behind") {
  Rng rng(2, "dense");
  for (int i = 0; i < 100; ++i) {
    CAPTURE(i);
    PackedModel model =
        model_of({1, 1, pick<std::int64_t>(rng, {1, 7, 31, 32, 63, 64, 127, 128, 129, 300, 2028})},
                 random_grid(rng));
    PackedLayer l = dense_of(rng, model.input_shape[2], pick<std::int64_t>(rng, {1, 10, 16, 67}),
                             2 + static_cast<int>(rng.below(7)));
    punch(l, rng);
    l.relu = rng.below(2);
    if (i % 3) l.output = random_grid(rng);
    model.layers.push_back(l);
    if (i % 3 && rng.below(2)) add_norm(model, rng);
    check(model, rng);
  }
}

TEST_CASE("extremes: every weight and every level the largest, up to sums of 2^24") {
  Rng rng(2, "extremes");
  for (const int zero_point : {0, 64, 127})
    for (const int level : {127, 0}) {
      CAPTURE(zero_point);
      CAPTURE(level);
      for (const std::int64_t inputs : {2, 64, 1030}) {
        PackedModel model = model_of({1, 1, inputs}, {1, zero_point});
        model.layers.push_back(dense_of(rng, inputs, 17, 8, Weights::kExtreme));
        check(model, rng, level);
      }
      PackedModel model = model_of({6, 6, 40}, {1, zero_point});
      PackedLayer l = conv_of(rng, model.input_shape, 16, 8);
      l.kernel_h = l.kernel_w = 5, l.stride_h = l.stride_w = 1;
      l.pad_top = l.pad_bottom = l.pad_left = l.pad_right = 2;
      l.weight.levels.clear(), l.weight.scales.clear(), l.bias_levels.clear();
      set_levels(l, rng, {16, 5, 5, 40}, 8, Weights::kExtreme);
      l.output = {20.0f, 64};
      model.layers.push_back(l);
      add_pool(model, rng);
      check(model, rng, level);
    }
}

TEST_CASE("timed choices compute the same, too") {
  Rng rng(2, "timed");
  for (int i = 0; i < 10; ++i) {
    PackedModel model = model_of({14, 13, pick<std::int64_t>(rng, {1, 3})}, {1, 0});
    PackedLayer conv = conv_of(rng, model.input_shape, 12, 8);
    punch(conv, rng);
    conv.output = {1.5f, 64};
    model.layers.push_back(conv);
    add_pool(model, rng);
    add_norm(model, rng);
    PackedLayer flatten;
    flatten.kind = LayerKind::kFlatten;
    model.layers.push_back(flatten);
    PackedLayer dense = dense_of(rng, end_of(model)[2], 10, 8);
    punch(dense, rng);
    model.layers.push_back(dense);
    const Model loaded(model);
    for (const std::int64_t batch : {1, 5})
      CHECK(differing(loaded, images_of(rng, model, batch), batch, Kernels::kTimed) == 0);
  }
}
