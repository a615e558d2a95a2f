// Layers that read other stages than the one before them, and sums: the plan computes the reference's
// bits whatever lies where in its arena.
#include "compress/format/wiring.hpp"
#include "tests/compress/runtime/onednn/models.hpp"

using namespace espalier;
using namespace espalier::runtime;
namespace {

ActivationGrid some_grid(Rng& rng, bool floats) {
  if (floats && rng.below(3) == 0) return {};
  return {pick(rng, {1.0f, 0.037f, 0.4f}), pick(rng, {0, 0, 64, 127, 5})};
}

// A random chain of layers that keep the shape, each of which may read any stage so far.
PackedModel random_branches(Rng& rng, bool floats) {
  PackedModel model =
      model_of({pick<std::int64_t>(rng, {5, 8}), 6, pick<std::int64_t>(rng, {1, 4, 16})},
               some_grid(rng, floats));
  const auto shape = model.input_shape;
  const auto layers = 4 + rng.below(9);
  for (std::uint64_t i = 0; i < layers; ++i) {
    PackedLayer l;
    const auto grids = format::stage_grids(model);
    const auto reach = [&] { return 1 + static_cast<std::int64_t>(rng.below(grids.size())); };
    const std::int64_t from = rng.below(2) ? 1 : reach();
    const ActivationGrid input = grids[grids.size() - static_cast<std::size_t>(from)];
    switch (rng.below(6)) {
      case 0:
      case 1: {
        l.kind = LayerKind::kConv2d;
        l.kernel_h = l.kernel_w = 3;
        l.pad_top = l.pad_left = l.pad_bottom = l.pad_right = 1;
        set_levels(l, rng, {shape[2], 3, 3, shape[2]}, 4, Weights::kRandom);
        if (input.is_float()) l.bias_levels.clear(), l.bias_shift = 0;
        l.output = some_grid(rng, floats);
        l.relu = rng.below(2);
        break;
      }
      case 2:
        l.kind = rng.below(2) ? LayerKind::kRelu : LayerKind::kMaxPool2d;
        if (l.kind == LayerKind::kMaxPool2d) {
          l.kernel_h = l.kernel_w = 3;
          l.pad_top = l.pad_left = l.pad_bottom = l.pad_right = 1;
        }
        break;
      case 3:
        l.kind = LayerKind::kBatchNorm;
        for (std::int64_t c = 0; c < shape[2]; ++c) {
          l.multiplier.push_back(rng.uniform(-2, 2));
          l.offset.push_back(rng.uniform(-5, 5));
        }
        l.output = input.is_float() ? ActivationGrid{} : some_grid(rng, floats);
        break;
      default:
        l.kind = LayerKind::kResidual;
        l.with = reach();
        l.relu = rng.below(2);
        l.output = some_grid(rng, floats);
        if (!input.is_float() && grids[grids.size() - static_cast<std::size_t>(l.with)].is_float())
          l.output = {};
    }
    l.from = from;
    model.layers.push_back(l);
  }
  model.layers.push_back(reveal(shape[2]));  // of levels or, times 1, of floats
  return model;
}

}  // namespace

TEST_CASE("branches: every bit, at any batch, with every choice of kernels") {
  Rng rng(1, "branches");
  int integers = 0, kept = 0, exact = 0;
  for (int i = 0; i < 200; ++i) {
    CAPTURE(i);
    const PackedModel packed = random_branches(rng, i % 2);
    const Model model(packed);
    if (!is_exact(packed)) continue;
    ++exact;
    integers += i % 2 == 0;
    for (const bool k : format::kept_stages(packed)) kept += k;
    const Tensor images = images_of(rng, packed, 3);
    for (const Kernels kernels : {Kernels::kFixed, Kernels::kOneDnn, Kernels::kBlocks,
                                  Kernels::kScattered, Kernels::kTimed})
      CHECK(differing(model, images, 3, kernels) == 0);
    CHECK(differing(model, images, 20) == 0);
  }
  CHECK(integers == 100);
  CHECK(exact > 150);
  CHECK(kept > 400);
}

TEST_CASE("a sum rounds each summand to its own grid, adds, and clamps once") {
  PackedModel model = model_of({1, 1, 2}, {1, 64});
  PackedLayer relu, sum;
  relu.kind = LayerKind::kRelu;  // of levels: at least 64
  sum.kind = LayerKind::kResidual;
  sum.with = 2;
  sum.output = {2, 10};
  model.layers = {relu, sum, reveal(2)};
  Tensor images({1, 1, 1, 2});
  images.mutable_values()[0] = 3;    // 3 / 2 rounds to 2, twice: 4 of 2
  images.mutable_values()[1] = -50;  // relu 0, and -25: below 0 - 10
  const Tensor y = Model(model).run(images);
  CHECK(y.values()[0] == 8.0f);
  CHECK(y.values()[1] == -20.0f);
  model.layers[1].relu = true;
  CHECK(Model(model).run(images).values()[1] == 0.0f);
}
