// What a plan says of itself: which layers run as one, what is multiplied and what is left out.
#include "core/onednn/isa.hpp"
#include "tests/compress/runtime/onednn/models.hpp"

using namespace espalier;
using namespace espalier::runtime;
namespace {

// Convolution, pool, norm, flatten, dense; every second block of 16 x 4 of the dense layer is zero.
PackedModel sparse_model() {
  Rng rng(4, "plan");
  PackedModel model = model_of({10, 10, 1}, {1, 0});
  PackedLayer conv;
  conv.kind = LayerKind::kConv2d;
  conv.kernel_h = conv.kernel_w = 3;
  set_levels(conv, rng, {16, 3, 3, 1}, 8, Weights::kRandom);
  conv.relu = true, conv.output = {1.5f, 0};
  model.layers.push_back(conv);
  PackedLayer pool;
  pool.kind = LayerKind::kMaxPool2d;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  model.layers.push_back(pool);
  PackedLayer norm;
  norm.kind = LayerKind::kBatchNorm;
  norm.multiplier.assign(16, 0.9f), norm.offset.assign(16, 2), norm.output = {1, 3};
  model.layers.push_back(norm);
  model.layers.emplace_back();
  model.layers.back().kind = LayerKind::kFlatten;
  PackedLayer dense = dense_of(rng, 4 * 4 * 16, 16, 8);
  for (std::size_t i = 0; i < dense.weight.levels.size(); ++i)
    dense.weight.levels[i] = i / 4 % 2 ? 0 : 1;
  model.layers.push_back(dense);
  return model;
}

}  // namespace

TEST_CASE("a plan names its steps, counts MACs done and skipped, and times them") {
  const Model model(sparse_model());
  Session session(model, {.batch = 2, .kernels = Kernels::kBlocks});
  const auto steps = session.plan(3);
  REQUIRE(steps.size() == 3);
  CHECK(steps[0].layers == 0);
  CHECK(steps[1].first == 0);
  CHECK(steps[1].layers == 3);  // convolution, pool and norm in one pass
  CHECK(steps[1].kernel == "blocks");
  CHECK(steps[1].macs == 2 * 64 * 16 * 3 * 4);  // 3 taps a row, padded to 4
  CHECK(steps[1].skipped == 0);
  CHECK(steps[2].first == 4);
  CHECK(steps[2].macs == 2 * 16 * 128);
  CHECK(steps[2].skipped == 2 * 16 * 128);
  for (const auto& step : steps) {
    CHECK(step.us > 0);
    CHECK(step.bytes > 0);
  }
  Session plain(model, {.kernels = Kernels::kOneDnn});
  CHECK(plain.plan().size() == 5);
  CHECK(plain.plan()[1].us == 0);
  Session reference(model, {.executor = Executor::kReference});
  CHECK_THROWS_AS(reference.plan(), Error);
  constexpr int kForever = 1 << 30;
  CHECK(session.plan(kForever, 0.01)[1].us > 0);  // time is up first
}

TEST_CASE("the fixed choice takes our kernels where this processor has vectors for them") {
  const Model model(sparse_model());
  Session session(model);
  const auto steps = session.plan();
  CHECK((steps[1].kernel == "blocks") == (vector_isa() != VectorIsa::kPlain));
}

TEST_CASE("one image of a dense layer that is dense: rows, of which nothing is packed") {
  Rng rng(4, "rows");
  PackedModel packed = model_of({1, 1, 2048}, {1, 5});  // a grid on which 0 is no usual level
  packed.layers = {dense_of(rng, 2048, 30, 8)};
  const Model model(packed);
  const bool vectors = vector_isa() != VectorIsa::kPlain;
  Session one(model), many(model, {.batch = 2});
  const auto step = one.plan()[1];
  CHECK((step.kernel == "rows") == vectors);
  if (vectors) CHECK(step.bytes == 2048 * 30 + 8 + 2048 + 4 * 30);
  if (vectors) CHECK(step.macs == 2048 * 32);  // whole groups of 16 outputs
  CHECK(many.plan()[1].kernel != "rows");
}

TEST_CASE(
    "inputs among which zeros are to be expected: active by rule, rows where nothing is copied") {
  Rng rng(4, "active");
  PackedModel packed = model_of({1, 1, 2048}, {1, 0});
  packed.layers = {dense_of(rng, 2048, 64, 8)};
  const Model model(packed);
  const bool vectors = vector_isa() != VectorIsa::kPlain;
  Session fixed(model), lean(model, {.kernels = Kernels::kLean});
  const auto step = fixed.plan()[1];
  CHECK((step.kernel == "active") == vectors);
  CHECK((lean.plan()[1].kernel == "rows") == vectors);
  if (!vectors) return;
  CHECK(step.bytes > 2048 * 64 + 5 * 2048);  // and the list of inputs
  // Half of the images are too full for it: the same logits either way.
  for (const std::int64_t batch : {1, 4})
    for (const int level : {0, 1}) {
      CAPTURE(level);
      Tensor images = images_of(rng, packed, batch);
      if (level == 0)
        for (float& v : images.mutable_values()) v = rng.below(8) ? 0 : v;
      Session session(model, {.batch = batch}),
          one_kernel(model, {.batch = batch, .kernels = Kernels::kOneDnn});
      CHECK(std::ranges::equal(session.run(images), one_kernel.run(images)));
    }
}

TEST_CASE("lean: dense layers of one image as they lie, however few inputs they have") {
  Rng rng(4, "lean");
  PackedModel packed = model_of({1, 1, 300}, {1, 0});
  packed.layers = {dense_of(rng, 300, 100, 8)};
  const Model model(packed);
  Session fixed(model), lean(model, {.kernels = Kernels::kLean});
  const bool vectors = vector_isa() != VectorIsa::kPlain;
  CHECK((lean.plan()[1].kernel == "rows") == vectors);
  CHECK(fixed.plan()[1].kernel != "rows");
}

// A convolution with a pool behind, which oneDNN runs as steps of their own, a norm, and a residual that
// reads their end: where all inputs are multiplied it comes to stand elsewhere than where active ones are.
TEST_CASE("active inputs in front of layers that are steps of their own") {
  Rng rng(4, "pooled");
  for (const bool normed : {false, true})
    for (const bool kept : {false, true}) {
      CAPTURE(normed);
      CAPTURE(kept);
      PackedModel packed = model_of({12, 12, 32}, {1, 0});
      PackedLayer conv;
      conv.kind = LayerKind::kConv2d;
      conv.kernel_h = conv.kernel_w = 3;
      set_levels(conv, rng, {64, 3, 3, 32}, 8, Weights::kRandom);
      conv.relu = true, conv.output = {30, 0};
      PackedLayer pool;
      pool.kind = LayerKind::kMaxPool2d;
      pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
      packed.layers = {conv, pool};
      PackedLayer norm;
      norm.kind = LayerKind::kBatchNorm;
      norm.multiplier.assign(64, 0.9f), norm.offset.assign(64, 2), norm.output = {25, 3};
      if (normed) packed.layers.push_back(norm);
      if (kept) {
        PackedLayer again = reveal(64), sum;
        again.name = "again", again.output = {30, 0};
        sum.kind = LayerKind::kResidual;
        sum.with = 2, sum.output = {40, 0};
        packed.layers.push_back(again);
        packed.layers.push_back(sum);
      }
      packed.layers.push_back(reveal(64));
      const Model model(packed);
      for (const std::int64_t batch : {1, 3, 20}) {
        Session session(model, {.batch = batch});
        CHECK((session.plan()[1].kernel == "active") == (vector_isa() != VectorIsa::kPlain));
        for (const bool dark : {false, true, false}) {
          Tensor images = images_of(rng, packed, batch);
          if (dark)
            for (float& v : images.mutable_values()) v = rng.below(8) ? 0 : v;
          const Tensor want = model.run(images);
          CHECK(std::ranges::equal(session.run(images), want.values()));
        }
      }
    }
}

TEST_CASE(
    "one image: behind active inputs stands a kernel of ours, which keeps oneDNN out of memory") {
  Rng rng(4, "behind");
  PackedModel packed = model_of({12, 12, 32}, {1, 0});
  PackedLayer conv;
  conv.kind = LayerKind::kConv2d;
  conv.kernel_h = conv.kernel_w = 3;
  set_levels(conv, rng, {252, 3, 3, 32}, 8, Weights::kRandom);
  conv.relu = true, conv.output = {30, 0};
  packed.layers = {conv, reveal(252)};
  const Model model(packed);
  if (vector_isa() == VectorIsa::kPlain) return;
  Session one(model), two(model, {.batch = 2});
  const auto of_one = one.plan()[1], of_two = two.plan()[1];
  CHECK(of_one.kernel == "active");
  CHECK(of_one.macs == 100 * 256 * 9 * 32);  // in groups of 16 outputs
  if (vector_isa() != VectorIsa::kAvx2) return;
  CHECK(of_two.kernel == "active");
  CHECK(of_two.macs == 2 * 100 * 252 * 9 * 32);  // oneDNN's count
  // Its threads would outrun ours.
  Session threads(model, {.threads = 2});
  CHECK(threads.plan()[1].kernel == "active");
  CHECK(threads.plan()[1].macs == 100 * 252 * 9 * 32);
}

TEST_CASE("an image of a plan that is timed is the model's, and one") {
  const Model model(sparse_model());
  Session session(model);
  CHECK(session.plan(1, 1, Tensor::full({1, 10, 10, 1}, 0))[1].us > 0);
  CHECK_THROWS_AS(session.plan(1, 1, Tensor({1, 9, 10, 1})), Error);
  CHECK_THROWS_AS(session.plan(1, 1, Tensor({2, 10, 10, 1})), Error);
}

TEST_CASE("a depthwise layer: ours, with the norm behind; registers of zeros are left out") {
  Rng rng(4, "depthwise");
  PackedModel packed = model_of({8, 8, 32}, {1, 5});
  PackedLayer l;
  l.kind = LayerKind::kDepthwiseConv2d;
  l.kernel_h = l.kernel_w = 3;
  l.pad_top = l.pad_bottom = l.pad_left = l.pad_right = 1;
  set_levels(l, rng, {32, 3, 3, 1}, 8, Weights::kExtreme);
  // The middle column of the first 16 channels.
  for (std::size_t c = 0; c < 16; ++c)
    for (std::size_t i = 0; i < 3; ++i) l.weight.levels[c * 9 + i * 3 + 1] = 0;
  l.output = {20, 3};
  PackedLayer norm;
  norm.kind = LayerKind::kBatchNorm;
  norm.multiplier.assign(32, 0.9f), norm.offset.assign(32, 2), norm.output = {1, 3};
  packed.layers = {l, norm, reveal(32)};
  const Model model(packed);
  Session session(model, {.kernels = Kernels::kDepthwise});
  const auto step = session.plan()[1];
  CHECK(step.kernel == "depthwise");
  CHECK(step.layers == 2);
  CHECK(step.macs == 64 * (2 + 3) * 64);  // positions, registers, products of each
  CHECK(differing(model, images_of(rng, packed, 1), 1, Kernels::kDepthwise) == 0);
  Session fixed(model);
  CHECK((fixed.plan()[1].kernel == "depthwise") == (vector_isa() != VectorIsa::kPlain));
}

TEST_CASE("however many layers a file has, kernels of ours take no more than their share") {
  PackedModel packed = model_of({1, 1 << 18, 14}, {1, 0});
  for (int i = 0; i < 32; ++i) {
    PackedLayer l;
    l.kind = LayerKind::kDepthwiseConv2d;
    l.kernel_h = 2, l.kernel_w = 1, l.pad_top = 1;
    l.weight = {{14, 2, 1, 1}, 8, {}, std::vector<std::int8_t>(28, 1), {1}};
    l.output = {2, 0};
    packed.layers.push_back(l);
  }
  packed.layers.push_back(reveal(14));
  const Model model(packed);
  Session session(model, {.kernels = Kernels::kDepthwise});
  std::int64_t ours = 0;
  for (const auto& step : session.plan()) ours += step.kernel == "depthwise";
  constexpr std::int64_t kColumns = (std::int64_t{1} << 18) * 14 * 4;  // bytes, of each
  CHECK(ours > 1);
  CHECK(ours * kColumns < 1 << 28);
}

TEST_CASE("a plan counts levels that floats are multiplied by as the floats that they become") {
  PackedModel packed = model_of({1, 1, 4}, {});
  PackedLayer dense;
  dense.weight = {{2, 4}, 8, {}, {1, 2, 3, 4, 5, 6, 7, 8}, {0.5f}};
  packed.layers = {dense};
  const Model model(packed);
  Session session(model);
  CHECK(session.plan()[1].bytes == 4 * (2 * 4 + 4 + 2));
}
