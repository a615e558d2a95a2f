// Float models: the executors add in different orders.
#include "tests/compress/runtime/onednn/models.hpp"

using namespace espalier;
using namespace espalier::runtime;
namespace {

void set_values(PackedLayer& l, Rng& rng, std::vector<std::int64_t> shape, bool bias) {
  l.weight.shape = std::move(shape);
  std::int64_t count = 1;
  for (const auto size : l.weight.shape) count *= size;
  for (std::int64_t i = 0; i < count; ++i) l.weight.values.push_back(rng.uniform(-1, 1));
  for (std::int64_t o = 0; bias && o < l.weight.shape[0]; ++o) l.bias.push_back(rng.uniform(-1, 1));
}

// Within a relative 1e-5 of the largest logit: sums of at most 500 products, each within a few
// units of 2^-24 (tests/core/kernels/twins.hpp has the sharp bound, kernel by kernel).
void check(const PackedModel& packed, Rng& rng) {
  const Model model(packed);
  const Tensor images = images_of(rng, packed, 3), want = model.run(images);
  Session session(model, {.batch = 4});
  const auto got = session.run(images);
  REQUIRE(static_cast<std::int64_t>(got.size()) == want.elements());
  float largest = 0;
  for (const float v : want.values()) largest = std::max(largest, std::abs(v));
  for (std::size_t i = 0; i < got.size(); ++i)
    CHECK(std::abs(got[i] - want.values()[i]) <= 1e-5f * largest);
}

}  // namespace

TEST_CASE("float layers of every kind, each over random shapes") {
  Rng rng(1, "float");
  for (int i = 0; i < 100; ++i) {
    CAPTURE(i);
    PackedModel model = model_of({pick<std::int64_t>(rng, {5, 8}), pick<std::int64_t>(rng, {4, 9}),
                                  pick<std::int64_t>(rng, {1, 3, 8, 17})},
                                 {});
    model.input_mean = 0.3f, model.input_deviation = 0.5f;
    const std::int64_t channels = model.input_shape[2];
    PackedLayer l;
    l.kind = static_cast<LayerKind>(i % 6 == 1 ? 0 : i % 6);  // dense stands at the end of each
    l.relu = rng.below(2);
    if (format::has_window(l.kind)) set_window(l, rng, model.input_shape);
    if (l.kind == LayerKind::kConv2d) {
      set_values(l, rng, {pick<std::int64_t>(rng, {1, 5, 16}), l.kernel_h, l.kernel_w, channels},
                 rng.below(2));
    } else if (l.kind == LayerKind::kBatchNorm) {
      for (std::int64_t c = 0; c < channels; ++c) {
        l.multiplier.push_back(rng.uniform(-2, 2));
        l.offset.push_back(rng.uniform(-1, 1));
      }
    } else {
      l.relu = false;
    }
    model.layers.push_back(l);
    PackedLayer flatten;
    flatten.kind = LayerKind::kFlatten;
    model.layers.push_back(flatten);
    PackedLayer dense;
    dense.kind = LayerKind::kDense;
    dense.relu = rng.below(2);
    set_values(dense, rng, {10, end_of(model)[2]}, rng.below(2));
    model.layers.push_back(dense);
    check(model, rng);
  }
}
