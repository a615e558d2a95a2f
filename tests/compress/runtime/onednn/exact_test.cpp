// The oneDNN executor computes the reference's integers, bit for bit: every kind of layer over
// random shapes, windows, grids, widths and batches, and the extremes. CTest runs this binary under
// each instruction set that oneDNN can be capped to.
#include "tests/compress/runtime/onednn/models.hpp"

using namespace espalier;
using namespace espalier::runtime;
namespace {

std::array<std::int64_t, 3> random_shape(Rng& rng) {
  return {pick<std::int64_t>(rng, {1, 4, 5, 7, 12}), pick<std::int64_t>(rng, {1, 3, 6, 9}),
          pick<std::int64_t>(rng, {1, 2, 3, 8, 12, 16, 17, 32})};
}

ActivationGrid random_grid(Rng& rng) {
  return {pick(rng, {1.0f, 0.013f, 0.7f}), pick(rng, {0, 0, 64, 127, 5})};
}

// Appends what shows every level, and compares at a full batch, one image, and one short of it.
void check(PackedModel model, Rng& rng, int level = -1) {
  const PackedLayer& last = model.layers.back();
  if (!format::has_weight(last.kind) || !last.output.is_float())
    model.layers.push_back(reveal(end_of(model)[2]));
  const Model loaded(model);
  const std::int64_t batch = pick<std::int64_t>(rng, {1, 2, 5});
  CAPTURE(batch);
  CHECK(differing(loaded, images_of(rng, model, batch, level), batch) == 0);
  CHECK(differing(loaded, images_of(rng, model, 1, level), batch) == 0);
}

}  // namespace

TEST_CASE("convolution: shapes, windows, zero points, widths, relu, logits") {
  Rng rng(1, "convolution");
  for (int i = 0; i < 250; ++i) {
    CAPTURE(i);
    PackedModel model = model_of(random_shape(rng), random_grid(rng));
    PackedLayer l = conv_of(rng, model.input_shape, pick<std::int64_t>(rng, {1, 4, 12, 16, 33}),
                            2 + static_cast<int>(rng.below(7)));
    l.relu = rng.below(2);
    if (i % 5) l.output = random_grid(rng);
    model.layers.push_back(l);
    check(model, rng);
  }
}

TEST_CASE("dense: sizes, zero points, widths, relu, logits") {
  Rng rng(1, "dense");
  for (int i = 0; i < 120; ++i) {
    CAPTURE(i);
    PackedModel model =
        model_of({1, 1, pick<std::int64_t>(rng, {1, 7, 54, 64, 300, 2028})}, random_grid(rng));
    PackedLayer l = dense_of(rng, model.input_shape[2], pick<std::int64_t>(rng, {1, 10, 16, 67}),
                             2 + static_cast<int>(rng.below(7)));
    l.relu = rng.below(2);
    if (i % 3) l.output = random_grid(rng);
    model.layers.push_back(l);
    check(model, rng);
  }
}

TEST_CASE("extremes: every weight and every level the largest, up to sums of 2^24") {
  Rng rng(1, "extremes");
  for (const int bits : {8, 7, 4, 2})
    for (const int zero_point : {0, 64, 127})
      for (const int level : {127, 0}) {
        CAPTURE(bits);
        CAPTURE(zero_point);
        CAPTURE(level);
        for (const std::int64_t inputs : {2, 64, 1030}) {
          PackedModel model = model_of({1, 1, inputs}, {1, zero_point});
          model.layers.push_back(dense_of(rng, inputs, 16, bits, Weights::kExtreme));
          check(model, rng, level);
        }
        for (const std::int64_t channels : {1, 16, 40}) {
          PackedModel model = model_of({6, 6, channels}, {1, zero_point});
          PackedLayer l = conv_of(rng, model.input_shape, 16, bits, Weights::kExtreme);
          l.kernel_h = l.kernel_w = 5, l.stride_h = l.stride_w = 1;
          l.pad_top = l.pad_bottom = l.pad_left = l.pad_right = 2;
          l.weight.levels.clear(), l.weight.scales.clear(), l.bias_levels.clear();
          set_levels(l, rng, {16, 5, 5, channels}, bits, Weights::kExtreme);
          l.output = {20.0f, 64};
          model.layers.push_back(l);
          check(model, rng, level);
        }
      }
}

TEST_CASE("pooling: maximum and average of levels leave the padding out") {
  Rng rng(1, "pooling");
  for (int i = 0; i < 160; ++i) {
    CAPTURE(i);
    PackedModel model = model_of(random_shape(rng), random_grid(rng));
    PackedLayer l;
    l.kind = i % 2 ? LayerKind::kMaxPool2d : LayerKind::kAveragePool2d;
    set_window(l, rng, model.input_shape);
    model.layers.push_back(l);
    check(model, rng, i % 8 == 0 ? 127 : -1);
  }
}

TEST_CASE("batch norm and relu between levels") {
  Rng rng(1, "batch norm");
  for (int i = 0; i < 80; ++i) {
    CAPTURE(i);
    PackedModel model = model_of(random_shape(rng), random_grid(rng));
    PackedLayer l;
    l.kind = i % 4 ? LayerKind::kBatchNorm : LayerKind::kRelu;
    if (l.kind == LayerKind::kBatchNorm) {
      for (std::int64_t c = 0; c < model.input_shape[2]; ++c) {
        l.multiplier.push_back(rng.uniform(-2, 2));
        l.offset.push_back(rng.uniform(-30, 30));
      }
      l.relu = rng.below(2);
      l.output = random_grid(rng);
    }
    model.layers.push_back(l);
    check(model, rng);
  }
}

TEST_CASE("whole networks: convolutions, pools, batch norm, flatten, dense") {
  Rng rng(1, "networks");
  for (int i = 0; i < 20; ++i) {
    CAPTURE(i);
    PackedModel model = model_of({14, 13, pick<std::int64_t>(rng, {1, 3})}, {1, 0});
    PackedLayer conv = conv_of(rng, model.input_shape, 12, 8);
    conv.relu = true, conv.output = {1.5f, 0};
    model.layers.push_back(conv);
    PackedLayer pool;
    pool.kind = i % 2 ? LayerKind::kMaxPool2d : LayerKind::kAveragePool2d;
    set_window(pool, rng, end_of(model));
    model.layers.push_back(pool);
    PackedLayer norm;
    norm.kind = LayerKind::kBatchNorm;
    norm.multiplier.assign(12, 0.8f), norm.offset.assign(12, -3.25f);
    norm.output = {1.5f, 64};
    model.layers.push_back(norm);
    PackedLayer second = conv_of(rng, end_of(model), 7, 4);
    second.output = {0.9f, 5};
    model.layers.push_back(second);
    PackedLayer flatten;
    flatten.kind = LayerKind::kFlatten;
    model.layers.push_back(flatten);
    model.layers.push_back(dense_of(rng, end_of(model)[2], 10, 8));
    check(model, rng);
  }
}
