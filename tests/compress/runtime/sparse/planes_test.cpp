// Convolutions by planes: which weights are multiplied and in which order, each instruction set like the plain loops,
// and both like the reference.
#include "compress/runtime/sparse/planes.hpp"

#include <map>
#include <numeric>

#include "compress/runtime/sparse/transpose.hpp"
#include "tests/compress/runtime/onednn/models.hpp"

using namespace espalier;
using namespace espalier::runtime;
using namespace espalier::runtime::sparse;
namespace {

// Stride 1, any padding; `share` of the weights are 0.
PackedLayer conv_of_stride_1(Rng& rng, const std::array<std::int64_t, 3>& input,
                             std::int64_t outputs, float share, Weights weights) {
  PackedLayer l = conv_of(rng, input, outputs, 8, weights);
  l.stride_h = l.stride_w = 1;
  for (std::int8_t& level : l.weight.levels)
    if (rng.uniform() < share) level = 0;
  return l;
}

}  // namespace

TEST_CASE("taps are the weights that are not 0; eights that say so stay within 16 bits") {
  Rng rng(7, "taps");
  std::int64_t small = 0, others = 0;
  for (int i = 0; i < 60; ++i) {
    const std::array<std::int64_t, 3> input{7, 9, pick<std::int64_t>(rng, {1, 3, 16})};
    const PackedLayer l = conv_of_stride_1(rng, input, 5, pick(rng, {0.0f, 0.5f, 0.9f, 1.0f}),
                                           pick(rng, {Weights::kRandom, Weights::kExtreme}));
    const Planes planes = planes_of(l, {1, input[0], input[1], input[2]});
    const PlaneWeights weights(l, planes);
    std::int64_t count = 0;
    const std::int8_t* level = l.weight.levels.data();
    for (std::int64_t o = 0; o < 5; ++o) {
      std::multimap<std::int32_t, std::int8_t> wanted, got;
      for (std::int64_t h = 0; h < l.kernel_h; ++h)
        for (std::int64_t w = 0; w < l.kernel_w; ++w)
          for (std::int64_t c = 0; c < input[2]; ++c, ++level)
            if (*level) wanted.emplace(c * planes.plane() + h * planes.width + w, *level);
      const PlaneTaps taps = weights.taps(o);
      count += std::ssize(taps.offsets);
      REQUIRE(taps.offsets.size() == taps.weights.size());
      REQUIRE(taps.offsets.size() % 4 == 0);
      REQUIRE(taps.small % 8 == 0);
      for (std::size_t t = 0; t < taps.offsets.size(); ++t)
        if (taps.weights[t]) got.emplace(taps.offsets[t], taps.weights[t]);
      CHECK(got == wanted);
      for (std::size_t t = 0; t < static_cast<std::size_t>(taps.small); t += 8)
        for (const std::size_t first : {t, t + 2}) {
          int sum = 0;
          for (const std::size_t n : {first, first + 1, first + 4, first + 5})
            sum += std::abs(taps.weights[n]);
          CHECK(sum * 127 <= INT16_MAX);
        }
      small += taps.small, others += std::ssize(taps.offsets) - taps.small;
    }
    CHECK(count == PlaneWeights::count(l));
  }
  CHECK(small > 100);  // both had their turn
  CHECK(others > 100);
}

TEST_CASE("planes times taps, and sums to levels: the plain loops, bit for bit") {
  Rng rng(7, "planes");
  for (int i = 0; i < 100; ++i) {
    const std::array<std::int64_t, 3> input{pick<std::int64_t>(rng, {1, 6, 14}),
                                            pick<std::int64_t>(rng, {3, 9, 28}),
                                            pick<std::int64_t>(rng, {1, 3, 17})};
    PackedLayer l = conv_of_stride_1(rng, input, 3, pick(rng, {0.0f, 0.7f}),
                                     pick(rng, {Weights::kRandom, Weights::kExtreme}));
    l.output = {0.5f, pick(rng, {0, 64})};
    l.relu = rng.below(2);
    const Planes planes = planes_of(l, {1, input[0], input[1], input[2]});
    const PlaneWeights weights(l, planes);
    const bool brightest = rng.below(2);
    std::vector<std::uint8_t> x(static_cast<std::size_t>(planes.bytes()));
    for (std::uint8_t& level : x)
      level = brightest ? 127 : static_cast<std::uint8_t>(rng.below(128));
    PackedLayer norm;
    norm.kind = LayerKind::kBatchNorm;
    norm.multiplier = {0.9f, -1.3f, 0}, norm.offset = {2, 90, 5}, norm.output = {1, 3};
    const Finish finish = finish_of(l, {1, 5}, rng.below(2) ? &norm : nullptr);
    PlanePool pool{.row = planes.width,
                   .out_h = planes.out_h,
                   .out_w = planes.out_w,
                   .height = 1,
                   .width = 1,
                   .stride_h = 1,
                   .stride_w = 1};
    if (rng.below(3) && planes.out_h >= 3 && planes.out_w >= 3) {
      const std::int64_t side = 2 + static_cast<std::int64_t>(rng.below(2));
      pool.height = pool.width = pool.stride_h = pool.stride_w = side;
      pool.out_h /= side, pool.out_w /= side;
    }
    const auto [multiply, finish_plane] = plane_kernels(vector_isa());
    for (std::int64_t o = 0; o < 3; ++o) {
      std::vector<std::int32_t> sums(static_cast<std::size_t>(planes.positions() + kPositions)),
          plain(sums);
      multiply(x.data(), weights.taps(o), planes.positions(), sums.data());
      multiply_planes_plain(x.data(), weights.taps(o), planes.positions(), plain.data());
      REQUIRE(sums == plain);
      std::vector<std::uint8_t> levels(
          static_cast<std::size_t>(pool.out_h * pool.out_w + kPositions)),
          wanted(levels);
      finish_plane(sums.data(), pool, finish, static_cast<std::size_t>(o), levels.data());
      finish_plane_plain(sums.data(), pool, finish, static_cast<std::size_t>(o), wanted.data());
      levels.resize(static_cast<std::size_t>(pool.out_h * pool.out_w)),
          wanted.resize(levels.size());
      CHECK(levels == wanted);
    }
  }
}

TEST_CASE("every convolution of stride 1 by planes is the reference's") {
  Rng rng(7, "reference");
  for (int i = 0; i < 150; ++i) {
    CAPTURE(i);
    PackedModel model =
        model_of({pick<std::int64_t>(rng, {1, 5, 8, 13}), pick<std::int64_t>(rng, {1, 4, 9, 20}),
                  pick<std::int64_t>(rng, {1, 2, 3, 8, 16, 33})},
                 {1, pick(rng, {0, 0, 64, 127})});
    PackedLayer l =
        conv_of_stride_1(rng, model.input_shape, pick<std::int64_t>(rng, {1, 7, 12, 33}),
                         pick(rng, {0.0f, 0.6f, 0.95f, 1.0f}), Weights::kRandom);
    l.relu = rng.below(2);
    l.output = {300, pick(rng, {0, 64})};
    model.layers.push_back(l);
    model.layers.push_back(reveal(end_of(model)[2]));
    const Model loaded(model);
    const std::int64_t batch = pick<std::int64_t>(rng, {1, 3});
    Session session(loaded, {.batch = batch, .kernels = Kernels::kPlanes});
    REQUIRE(session.plan()[1].kernel == "planes");
    CHECK(differing(loaded, images_of(rng, model, batch), batch, Kernels::kPlanes) == 0);
  }
}

TEST_CASE("kernels wider than the picture, borders of one side, pools and norms: the reference's") {
  Rng rng(7, "borders");
  for (int i = 0; i < 150; ++i) {
    CAPTURE(i);
    PackedModel model =
        model_of({pick<std::int64_t>(rng, {1, 2, 9}), pick<std::int64_t>(rng, {1, 3, 20}),
                  pick<std::int64_t>(rng, {1, 5, 16})},
                 {1, pick(rng, {0, 64, 127})});
    PackedLayer l;
    l.kind = LayerKind::kConv2d;
    // The picture and its border are never smaller than the kernel.
    l.kernel_h = pick<std::int64_t>(rng, {1, 3, 5}),
    l.kernel_w = pick<std::int64_t>(rng, {1, 4, 7});
    (rng.below(2) ? l.pad_top : l.pad_bottom) = l.kernel_h - 1;
    (rng.below(2) ? l.pad_left : l.pad_right) = l.kernel_w - 1;
    set_levels(l, rng, {pick<std::int64_t>(rng, {1, 9}), l.kernel_h, l.kernel_w, end_of(model)[2]},
               8, pick(rng, {Weights::kRandom, Weights::kExtreme}));
    l.output = {300, pick(rng, {0, 64})};
    model.layers.push_back(l);
    const auto end = end_of(model);
    PackedLayer pool;
    pool.kind = LayerKind::kMaxPool2d;
    pool.kernel_h = std::min(pick<std::int64_t>(rng, {1, 2, 2}), end[0]);
    pool.kernel_w = std::min(pick<std::int64_t>(rng, {1, 2, 2}), end[1]);
    pool.stride_h = pool.kernel_h + static_cast<std::int64_t>(rng.below(2));
    pool.stride_w = pool.kernel_w + static_cast<std::int64_t>(rng.below(2));
    if (rng.below(4)) model.layers.push_back(pool);
    PackedLayer norm;
    norm.kind = LayerKind::kBatchNorm;
    for (std::int64_t c = 0; c < end[2]; ++c)
      norm.multiplier.push_back(rng.uniform(-2, 2)), norm.offset.push_back(rng.uniform(-30, 30));
    norm.output = {1, pick(rng, {0, 5})};
    if (rng.below(2)) model.layers.push_back(norm);
    const std::size_t fused = model.layers.size();
    model.layers.push_back(reveal(end[2]));
    const Model loaded(model);
    const std::int64_t batch = pick<std::int64_t>(rng, {1, 3});
    Session session(loaded, {.batch = batch, .kernels = Kernels::kPlanes});
    REQUIRE(session.plan()[1].kernel == "planes");
    REQUIRE(session.plan()[1].layers == fused);
    CHECK(differing(loaded, images_of(rng, model, batch), batch, Kernels::kPlanes) == 0);
  }
}

TEST_CASE("a plan takes planes where most single weights are 0 and there is no better kernel") {
  Rng rng(7, "plan");
  PackedModel model = model_of({14, 14, 32}, {1, 64});
  PackedLayer l = conv_of(rng, model.input_shape, 64, 8);
  l.kernel_h = l.kernel_w = 5, l.stride_h = l.stride_w = 1;
  l.pad_top = l.pad_left = l.pad_bottom = l.pad_right = 2;
  l.weight.levels.assign(64 * 25 * 32, 0);
  l.weight.shape = {64, 5, 5, 32};
  for (std::size_t i = 0; i < l.weight.levels.size(); i += 20) l.weight.levels[i] = 3;
  l.output = {300, 0};
  model.layers.push_back(l);
  model.layers.push_back(reveal(64));
  const auto kernel = [&] {
    const Model loaded(model);
    return Session(loaded).plan()[1].kernel;
  };
  const bool has_better = vector_isa() != VectorIsa::kAvx2;
  CHECK((kernel() == "planes") == !has_better);
  for (std::int8_t& level : model.layers.front().weight.levels) level = 3;
  CHECK(kernel() != "planes");
}

TEST_CASE("bytes of rows become bytes of columns, and nothing else") {
  Rng rng(7, "transpose");
  for (int i = 0; i < 200; ++i) {
    const auto rows = 1 + static_cast<std::int64_t>(rng.below(20)),
               columns = 1 + static_cast<std::int64_t>(rng.below(20)),
               from_stride = columns + static_cast<std::int64_t>(rng.below(3)),
               to_stride = rows + static_cast<std::int64_t>(rng.below(3));
    std::vector<std::uint8_t> from(static_cast<std::size_t>((rows - 1) * from_stride + columns)),
        to(static_cast<std::size_t>((columns - 1) * to_stride + rows), 255), wanted(to);
    for (std::uint8_t& byte : from) byte = static_cast<std::uint8_t>(rng.below(255));
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t c = 0; c < columns; ++c)
        wanted[static_cast<std::size_t>(c * to_stride + r)] =
            from[static_cast<std::size_t>(r * from_stride + c)];
    transpose_bytes(from.data(), rows, columns, from_stride, to.data(), to_stride);
    CHECK(to == wanted);
  }
}
