// Depthwise convolution by every executor: levels, bit for bit with the reference and by hand, under
// each instruction set; floats alone within rounding; floats among levels in every bit.
#include "compress/runtime/costs.hpp"
#include "compress/runtime/reference/steps.hpp"
#include "tests/compress/runtime/onednn/models.hpp"

using namespace espalier;
using namespace espalier::runtime;
namespace {

ActivationGrid random_grid(Rng& rng) {
  return {pick(rng, {1.0f, 0.013f, 0.7f}), pick(rng, {0, 0, 64, 127, 5})};
}

std::array<std::int64_t, 3> random_shape(Rng& rng) {
  return {pick<std::int64_t>(rng, {1, 4, 5, 7, 12}), pick<std::int64_t>(rng, {1, 3, 6, 9}),
          pick<std::int64_t>(rng, {1, 2, 3, 8, 12, 16, 17, 32, 40})};
}

void make_float(PackedLayer& l) {
  l.weight.values = float_weights(l.weight);
  l.weight.bits = 32;
  for (const std::int32_t level : l.bias_levels) l.bias.push_back(static_cast<float>(level) / 100);
  l.weight.levels.clear(), l.weight.scales.clear(), l.bias_levels.clear(), l.bias_shift = 0;
}

void check_every_bit(const PackedModel& packed, Rng& rng, int level = -1) {
  const Model model(packed);
  const std::int64_t batch = pick<std::int64_t>(rng, {1, 2, 5});
  CAPTURE(batch);
  for (const Kernels kernels : {Kernels::kFixed, Kernels::kOneDnn, Kernels::kDepthwise}) {
    CAPTURE(static_cast<int>(kernels));
    CHECK(differing(model, images_of(rng, packed, batch, level), batch, kernels) == 0);
    CHECK(differing(model, images_of(rng, packed, 1, level), batch, kernels) == 0);
  }
}

}  // namespace

TEST_CASE("depthwise levels: shapes, windows, zero points, widths, relu, logits") {
  Rng rng(1, "depthwise");
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    PackedModel model = model_of(random_shape(rng), random_grid(rng));
    PackedLayer l = depthwise_of(rng, model.input_shape, 2 + static_cast<int>(rng.below(7)));
    l.relu = rng.below(2);
    const bool logits = i % 5 == 0;
    if (!logits) l.output = random_grid(rng);
    model.layers.push_back(l);
    if (!logits) model.layers.push_back(reveal(end_of(model)[2]));
    check_every_bit(model, rng);
  }
}

TEST_CASE("depthwise extremes: every weight and every level the largest") {
  Rng rng(1, "depthwise extremes");
  for (const int zero_point : {0, 64, 127})
    for (const int level : {127, 0})
      for (const std::int64_t channels : {1, 16, 40})
        for (const std::int64_t kernel : {3, 31}) {
          CAPTURE(zero_point);
          CAPTURE(level);
          CAPTURE(channels);
          PackedModel model = model_of({31, 31, channels}, {1, zero_point});
          PackedLayer l;
          l.kind = LayerKind::kDepthwiseConv2d;
          l.kernel_h = l.kernel_w = kernel;
          l.pad_top = l.pad_left = l.pad_bottom = l.pad_right = kernel / 2;
          l.stride_h = l.stride_w = 5;
          set_levels(l, rng, {channels, kernel, kernel, 1}, 8, Weights::kExtreme);
          l.output = {20.0f, 64};
          model.layers = {l, reveal(channels)};
          check_every_bit(model, rng, level);
        }
}

TEST_CASE("a depthwise layer computes what a convolution with its weights on a diagonal does") {
  Rng rng(1, "diagonal");
  for (int i = 0; i < 40; ++i) {
    CAPTURE(i);
    PackedModel model = model_of(random_shape(rng), random_grid(rng));
    PackedLayer l = depthwise_of(rng, model.input_shape, 8);
    l.relu = rng.below(2);
    model.layers = {l};
    PackedModel whole = model;
    PackedLayer& conv = whole.layers[0];
    const std::int64_t channels = l.weight.shape[0], taps = l.kernel_h * l.kernel_w;
    conv.kind = LayerKind::kConv2d;
    conv.weight.shape[3] = channels;
    conv.weight.levels.assign(static_cast<std::size_t>(channels * taps * channels), 0);
    for (std::int64_t k = 0; k < channels * taps; ++k)
      conv.weight.levels[static_cast<std::size_t>(k * channels + k / taps)] =
          l.weight.levels[static_cast<std::size_t>(k)];
    const Tensor images = images_of(rng, model, 2);
    CHECK(std::ranges::equal(Model(model).run(images).values(), Model(whole).run(images).values()));
    CHECK(macs(l, model.input_shape) * channels == macs(conv, model.input_shape));
  }
}

TEST_CASE("depthwise levels by hand: padding is the real 0, whatever the zero point") {
  PackedModel model = model_of({2, 1, 2}, {1, 10});
  PackedLayer l;
  l.kind = LayerKind::kDepthwiseConv2d;
  l.kernel_h = 3, l.pad_top = 1, l.pad_bottom = 1;
  l.weight = {{2, 3, 1, 1}, 8, {}, {1, 2, 3, -4, 5, -6}, {1, 0.5f}};
  l.bias_levels = {7, -1}, l.bias_shift = 1;
  model.layers = {l};
  Tensor images({1, 2, 1, 2});
  std::ranges::copy(std::vector<float>{3, 4, -2, 9}, images.mutable_values().begin());
  const std::vector<float> wanted = {2 * 3 + 3 * -2 + 14, (5 * 4 - 6 * 9 - 2) * 0.5f,
                                     1 * 3 + 2 * -2 + 14, (-4 * 4 + 5 * 9 - 2) * 0.5f};
  CHECK(std::ranges::equal(Model(model).run(images).values(), wanted));
  CHECK(differing(Model(model), images, 1) == 0);
}

TEST_CASE("float models with depthwise layers: the executors agree within rounding") {
  Rng rng(1, "depthwise floats");
  for (int i = 0; i < 60; ++i) {
    CAPTURE(i);
    PackedModel model = model_of(random_shape(rng), {});
    PackedLayer l = depthwise_of(rng, model.input_shape, 8);
    make_float(l);
    l.relu = rng.below(2);
    model.layers.push_back(l);
    PackedLayer pointwise = reveal(end_of(model)[2]);
    for (auto& level : pointwise.weight.levels) level = static_cast<std::int8_t>(rng.below(9)) - 4;
    make_float(pointwise);
    model.layers.push_back(pointwise);
    const Model loaded(model);
    const Tensor images = images_of(rng, model, 3), want = loaded.run(images);
    Session session(loaded, {.batch = 3});
    const auto got = session.run(images);
    float largest = 1e-6f;
    for (const float v : want.values()) largest = std::max(largest, std::abs(v));
    for (std::size_t k = 0; k < got.size(); ++k)
      CHECK(std::abs(got[k] - want.values()[k]) <= 1e-5f * largest);
  }
}

TEST_CASE("a float depthwise layer among levels, and of 16-bit weights: every bit") {
  Rng rng(1, "depthwise mixed");
  for (int i = 0; i < 80; ++i) {
    CAPTURE(i);
    const auto grid = [&] { return rng.below(2) ? random_grid(rng) : ActivationGrid{}; };
    PackedModel model = model_of(random_shape(rng), random_grid(rng));
    PackedLayer first = depthwise_of(rng, model.input_shape, 8);
    if (rng.below(2)) make_float(first);
    first.output = grid();
    model.layers.push_back(first);
    PackedLayer second = depthwise_of(rng, end_of(model), 5);
    make_float(second);
    second.relu = rng.below(2);
    second.output = random_grid(rng);
    model.layers.push_back(second);
    model.layers.push_back(reveal(end_of(model)[2]));
    REQUIRE(is_exact(model));
    check_every_bit(model, rng);
  }
}

TEST_CASE("a depthwise-separable network: what runs it, and no differing logit") {
  Rng rng(1, "separable");
  for (const std::int64_t channels : {8, 20, 64}) {
    PackedModel model = model_of({12, 10, 1}, {1, 0});
    PackedLayer conv;
    conv.kind = LayerKind::kConv2d, conv.name = "conv";
    conv.kernel_h = conv.kernel_w = 3;
    set_levels(conv, rng, {channels, 3, 3, 1}, 8, Weights::kRandom);
    conv.relu = true, conv.output = {1.5f, 0};
    model.layers.push_back(conv);
    for (int block = 0; block < 2; ++block) {
      PackedLayer depthwise;
      depthwise.kind = LayerKind::kDepthwiseConv2d, depthwise.name = "depthwise";
      depthwise.kernel_h = depthwise.kernel_w = 3;
      depthwise.pad_top = depthwise.pad_left = depthwise.pad_bottom = depthwise.pad_right = 1;
      set_levels(depthwise, rng, {channels, 3, 3, 1}, 7, Weights::kRandom);
      depthwise.relu = true, depthwise.output = {2, 0};
      model.layers.push_back(depthwise);
      PackedLayer pointwise;
      pointwise.kind = LayerKind::kConv2d;
      set_levels(pointwise, rng, {channels, 1, 1, channels}, 6, Weights::kRandom);
      pointwise.relu = block == 0, pointwise.output = {3, block ? 64 : 0};
      model.layers.push_back(pointwise);
    }
    PackedLayer pool;
    pool.kind = LayerKind::kAveragePool2d, pool.kernel_h = 10, pool.kernel_w = 8;
    model.layers.push_back(pool);
    model.layers.push_back(dense_of(rng, channels, 10, 8));
    const Model loaded(model);
    for (const auto kernels : {Kernels::kFixed, Kernels::kTimed, Kernels::kOneDnn})
      for (const std::int64_t batch : {1, 4})
        CHECK(differing(loaded, images_of(rng, model, batch), batch, kernels) == 0);
    Session session(loaded, {.kernels = Kernels::kOneDnn});
    CHECK(session.plan()[2].kernel == "oneDNN");
    CHECK(session.plan()[2].macs == 10 * 8 * channels * 9);
  }
}
