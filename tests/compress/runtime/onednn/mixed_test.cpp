// Models with float layers among integer ones: the oneDNN executor computes the reference's bits, of
// every crossing between floats and levels. And float models of narrower weights: within float's
// tolerance, and the same as the float32 model that they stand for.
#include "compress/format/half.hpp"
#include "tests/compress/runtime/onednn/models.hpp"

using namespace espalier;
using namespace espalier::runtime;
namespace {

enum class Type { kInteger, kFloat32, kFloat16, kLevels };

// An integer layer's weights and biases as another type's.
void set_type(PackedLayer& l, Rng& rng, Type type) {
  if (type == Type::kInteger) return;
  l.bias_levels.clear(), l.bias_shift = 0;
  const bool biased = rng.below(3);
  for (std::int64_t o = 0; biased && o < l.weight.shape[0]; ++o)
    l.bias.push_back(rng.uniform(-1, 1));
  if (type != Type::kLevels) {
    l.weight.values = float_weights(l.weight);
    l.weight.bits = type == Type::kFloat16 ? 16 : 32;
    l.weight.levels.clear(), l.weight.scales.clear();
  }
  if (type == Type::kFloat16)
    for (auto* values : {&l.weight.values, &l.bias})
      for (float& v : *values) v = from_half(to_half(v));
}

ActivationGrid some_grid(Rng& rng) {
  if (rng.below(2)) return {};
  return {pick(rng, {1.0f, 0.037f, 0.4f}), pick(rng, {0, 0, 64, 127, 5})};
}

ActivationGrid grid_at_end(const PackedModel& model) {
  ActivationGrid grid = model.input;
  for (const auto& l : model.layers) grid = format::grid_behind(l, grid);
  return grid;
}

// A random type that goes with this input: levels by levels are integers.
Type type_for(Rng& rng, const ActivationGrid& input) {
  if (!input.is_float()) return pick(rng, {Type::kInteger, Type::kFloat32, Type::kFloat16});
  return pick(rng, {Type::kFloat32, Type::kFloat16, Type::kLevels});
}

void add_linear(PackedModel& model, Rng& rng, LayerKind kind, std::int64_t outputs) {
  const auto shape = end_of(model);
  const int bits = 2 + static_cast<int>(rng.below(7));
  PackedLayer l = kind == LayerKind::kConv2d ? conv_of(rng, shape, outputs, bits)
                                             : dense_of(rng, shape[2], outputs, bits);
  set_type(l, rng, type_for(rng, grid_at_end(model)));
  l.relu = rng.below(2);
  l.output = some_grid(rng);
  model.layers.push_back(l);
}

PackedModel random_mixture(Rng& rng) {
  PackedModel model = model_of({pick<std::int64_t>(rng, {9, 12}), pick<std::int64_t>(rng, {7, 11}),
                                pick<std::int64_t>(rng, {1, 3, 16})},
                               some_grid(rng));
  model.input_mean = 0.3f, model.input_deviation = 0.7f;
  add_linear(model, rng, LayerKind::kConv2d, pick<std::int64_t>(rng, {1, 5, 12}));
  PackedLayer pool;
  pool.kind = rng.below(2) ? LayerKind::kMaxPool2d : LayerKind::kAveragePool2d;
  set_window(pool, rng, end_of(model));
  model.layers.push_back(pool);
  if (rng.below(2)) {
    PackedLayer norm;
    norm.kind = LayerKind::kBatchNorm;
    for (std::int64_t c = 0; c < end_of(model)[2]; ++c) {
      norm.multiplier.push_back(rng.uniform(-2, 2));
      norm.offset.push_back(rng.uniform(-5, 5));
    }
    norm.relu = rng.below(2);
    norm.output = some_grid(rng);
    model.layers.push_back(norm);
  }
  if (rng.below(2)) {
    model.layers.emplace_back();
    model.layers.back().kind = LayerKind::kRelu;
  }
  add_linear(model, rng, LayerKind::kConv2d, 6);
  model.layers.emplace_back();
  model.layers.back().kind = LayerKind::kFlatten;
  add_linear(model, rng, LayerKind::kDense, pick<std::int64_t>(rng, {7, 32}));
  add_linear(model, rng, LayerKind::kDense, 10);
  model.layers.back().output = {};
  return model;
}

}  // namespace

TEST_CASE("float layers among integer ones: every bit, at any batch and number of threads") {
  Rng rng(1, "mixed");
  int exact = 0, crossing = 0;
  for (int i = 0; i < 120; ++i) {
    CAPTURE(i);
    const PackedModel packed = random_mixture(rng);
    const Model model(packed);
    const Tensor images = images_of(rng, packed, 3);
    if (!is_exact(packed)) continue;
    ++exact;
    for (const auto& l : packed.layers) crossing += l.kind == LayerKind::kBatchNorm;
    CHECK(differing(model, images, 3) == 0);
    CHECK(differing(model, images, 5) == 0);
    Session session(model, {.batch = 3, .threads = 2});
    const Tensor want = model.run(images);
    CHECK(std::ranges::equal(session.run(images), want.values()));
  }
  CHECK(exact > 90);
  CHECK(crossing > 30);
}

TEST_CASE(
    "a float layer reads levels as level - zero point steps, and rounds as INTEGERS.md says") {
  PackedModel model = model_of({1, 1, 2}, {0.5f, 64});
  PackedLayer l;
  l.name = "half";
  l.weight = {{3, 2}, 32, {1, 0, 0, 2, 0.25f, 0.25f}, {}, {}};
  l.bias = {0, 0, 100};
  l.output = {1, 10};
  model.layers = {l, reveal(3)};
  model.layers[1].kind = LayerKind::kDense, model.layers[1].weight.shape = {3, 3};
  Tensor images({1, 1, 1, 2});
  images.mutable_values()[0] = 2.6f;   // level 64 + rint(5.2) = 69: the real 2.5
  images.mutable_values()[1] = -7.5f;  // level 49: -7.5
  const Tensor y = Model(model).run(images);
  // 2.5 rounds to 2 (half to even), -15 + 10 is below 0, 98.75 to 99.
  CHECK(y.values()[0] == 2.0f);
  CHECK(y.values()[1] == -10.0f);
  CHECK(y.values()[2] == 99.0f);
}

TEST_CASE("float16 and dynamic range run as the float32 models that they stand for") {
  Rng rng(1, "narrow");
  for (const Type type : {Type::kFloat16, Type::kLevels})
    for (int i = 0; i < 30; ++i) {
      CAPTURE(i);
      PackedModel narrow = model_of({8, 9, 3}, {});
      for (const auto kind : {LayerKind::kConv2d, LayerKind::kFlatten, LayerKind::kDense}) {
        PackedLayer l;
        l.kind = kind;
        if (kind == LayerKind::kConv2d) l = conv_of(rng, {8, 9, 3}, 5, 8);
        if (kind == LayerKind::kDense) l = dense_of(rng, end_of(narrow)[2], 10, 6);
        if (kind != LayerKind::kFlatten) set_type(l, rng, type);
        narrow.layers.push_back(l);
      }
      PackedModel wide = narrow;
      for (auto& l : wide.layers) {
        if (l.weight.shape.empty()) continue;
        l.weight.values = float_weights(l.weight);
        l.weight.bits = 32;
        l.weight.levels.clear(), l.weight.scales.clear();
      }
      const Model model(narrow), twin(wide);
      const Tensor images = images_of(rng, narrow, 4), want = twin.run(images);
      CHECK(std::ranges::equal(model.run(images).values(), want.values()));
      Session session(model, {.batch = 4}), other(twin, {.batch = 4});
      const auto got = session.run(images);
      CHECK(std::ranges::equal(got, other.run(images)));
      float largest = 0;
      for (const float v : want.values()) largest = std::max(largest, std::abs(v));
      for (std::size_t k = 0; k < got.size(); ++k)
        CHECK(std::abs(got[k] - want.values()[k]) <= 1e-5f * largest);
    }
}
