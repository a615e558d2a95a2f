// A session that owns its model: the same bits, each weight once, and what it refuses.
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "core/onednn/isa.hpp"
#include "tests/compress/runtime/onednn/models.hpp"

using namespace espalier;
using namespace espalier::runtime;
namespace {

constexpr Kernels kAllKernels[] = {
    Kernels::kFixed,     Kernels::kLean, Kernels::kTimed,  Kernels::kOneDnn, Kernels::kBlocks,
    Kernels::kScattered, Kernels::kRows, Kernels::kPlanes, Kernels::kActive, Kernels::kDepthwise};

// 1.2 million weights: more than a megabyte. 600 outputs end within a tile of 64.
constexpr std::int64_t kInputs = 2048, kOutputs = 600;

PackedModel large_dense(Rng& rng, int zero_point = 0, bool pruned = false) {
  PackedModel model = model_of({1, 1, kInputs}, {1, zero_point});
  PackedLayer hidden = dense_of(rng, kInputs, kOutputs, 8);
  if (pruned)
    for (std::int8_t& level : hidden.weight.levels)
      if (rng.below(10)) level = 0;
  hidden.relu = true, hidden.output = {40, 0};
  model.layers = {hidden, dense_of(rng, kOutputs, 10, 8)};
  return model;
}

PackedModel convolutions(Rng& rng) {
  PackedModel model = model_of({12, 12, 32}, {1, 0});
  PackedLayer conv, pool, depthwise;
  conv.kind = LayerKind::kConv2d;
  conv.kernel_h = conv.kernel_w = 3;
  set_levels(conv, rng, {64, 3, 3, 32}, 8, Weights::kRandom);
  conv.relu = true, conv.output = {30, 0};
  pool.kind = LayerKind::kMaxPool2d;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  depthwise.kind = LayerKind::kDepthwiseConv2d;
  depthwise.kernel_h = depthwise.kernel_w = 3;
  set_levels(depthwise, rng, {64, 3, 3, 1}, 8, Weights::kRandom);
  depthwise.output = {20, 3};
  model.layers = {conv, pool, depthwise};
  model.layers.emplace_back().kind = LayerKind::kFlatten;
  model.layers.push_back(dense_of(rng, 3 * 3 * 64, 10, 8));
  return model;
}

PackedModel floats(Rng& rng) {
  PackedModel model = model_of({1, 1, 300}, {});
  for (const std::int64_t inputs : {300, 20}) {
    PackedLayer l = dense_of(rng, inputs, inputs == 300 ? 20 : 5, 8);
    l.weight.values.assign(l.weight.levels.begin(), l.weight.levels.end());
    l.weight.bits = 32;
    l.weight.levels.clear(), l.weight.scales.clear(), l.bias_levels.clear(), l.bias_shift = 0;
    model.layers.push_back(l);
  }
  return model;
}

// Half of them mostly zeros, as active kernels like them.
Tensor mixed_images(Rng& rng, const PackedModel& model, std::int64_t n) {
  Tensor images = images_of(rng, model, n);
  const std::int64_t half = images.elements() / 2;
  for (std::int64_t i = 0; i < half; ++i)
    if (rng.below(8)) images.mutable_data()[i] = 0;
  return images;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

const auto& levels_of(const Session& session, std::size_t layer) {
  return session.model().packed().layers[layer].weight.levels;
}

}  // namespace

TEST_CASE("an owned model: the same bits as the reference, whatever the executor and the kernels") {
  Rng rng(8, "owned");
  for (const PackedModel& packed :
       {large_dense(rng), large_dense(rng, 5), large_dense(rng, 0, true), convolutions(rng)}) {
    const Model model(packed);
    for (const std::int64_t batch : {1, 16}) {
      const Tensor images = mixed_images(rng, packed, 16);
      const Tensor want = model.run(images);
      const auto check = [&](Session session) {
        const auto& s = packed.input_shape;
        for (std::int64_t n = 0; n < 16; n += batch) {
          Tensor part({batch, s[0], s[1], s[2]});
          const auto begin = static_cast<std::size_t>(n * part.elements() / batch);
          std::ranges::copy(images.values().subspan(begin, part.values().size()),
                            part.mutable_data());
          const auto got = session.run(part);
          const auto wanted = want.values().subspan(static_cast<std::size_t>(n * 10), got.size());
          REQUIRE(std::ssize(got) == batch * 10);
          CHECK(std::memcmp(got.data(), wanted.data(), got.size_bytes()) == 0);
        }
      };
      for (const Kernels kernels : kAllKernels) {
        CAPTURE(static_cast<int>(kernels));
        check(Session(Model(packed), {.batch = batch, .kernels = kernels}));
      }
      check(Session(Model(packed), {.executor = Executor::kReference, .batch = batch}));
    }
  }
}

TEST_CASE("an owned model of floats: as the shared one, and its weights are let go") {
  Rng rng(8, "floats");
  const PackedModel packed = floats(rng);
  const Model model(packed);
  const Tensor images = images_of(rng, packed, 4);
  Session owning(Model(packed), {.batch = 4}), sharing(model, {.batch = 4});
  CHECK(std::ranges::equal(owning.run(images), sharing.run(images)));
  CHECK(owning.model().packed().layers[0].weight.values.capacity() == 0);
  CHECK(sharing.model().packed().layers[0].weight.values.size() == 300 * 20);
}

TEST_CASE("one copy of a large dense layer: its lines alone where it is shared by nobody") {
  Rng rng(8, "lines");
  const PackedModel packed = large_dense(rng);
  const Model model(packed);
  const bool vectors = vector_isa() != VectorIsa::kPlain;
  for (const Kernels kernels : {Kernels::kFixed, Kernels::kLean, Kernels::kActive}) {
    CAPTURE(static_cast<int>(kernels));
    Session owning(Model(packed), {.kernels = kernels}), sharing(model, {.kernels = kernels});
    CHECK(levels_of(owning, 0).capacity() == 0);
    CHECK(levels_of(sharing, 0) == packed.layers[0].weight.levels);
    const auto step = owning.plan()[1];
    if (!vectors && kernels != Kernels::kActive) continue;
    CHECK(step.kernel == "active");
    CHECK(step.macs == kInputs * 608);  // whole groups of 16
    CHECK(step.skipped == 0);
    CHECK(step.bytes > kInputs * 640);
    CHECK(step.bytes < kInputs * 640 + 8 * kInputs);
  }
  // Of levels as they lie, where these were asked for, or inputs of 0 are not to be expected, nothing is taken.
  Session rows(Model(packed), {.kernels = Kernels::kRows});
  CHECK(rows.plan()[1].kernel == "rows");
  CHECK(levels_of(rows, 0) == packed.layers[0].weight.levels);
  const PackedModel signed_inputs = large_dense(rng, 5);
  Session no_zeros(Model(signed_inputs), {});
  CHECK((no_zeros.plan()[1].kernel == "rows") == vectors);
  CHECK((levels_of(no_zeros, 0) == signed_inputs.layers[0].weight.levels) == vectors);
  CHECK(levels_of(no_zeros, 0).empty() != vectors);
}

TEST_CASE(
    "a large dense layer of few outputs stays as it lies: lines would be three times as large") {
  Rng rng(8, "few");
  PackedModel packed = model_of({1, 1, 60'000}, {1, 0});
  packed.layers = {dense_of(rng, 60'000, 20, 8)};
  for (std::int8_t& level : packed.layers[0].weight.levels) level = rng.below(2) ? 1 : -1;
  if (vector_isa() == VectorIsa::kPlain) return;
  Session lean(Model(packed), {.kernels = Kernels::kLean}), fixed(Model(packed), {});
  CHECK(lean.plan()[1].kernel == "rows");
  for (const Session* session : {&lean, &fixed})
    CHECK(levels_of(*session, 0) == packed.layers[0].weight.levels);
}

TEST_CASE("a small dense layer keeps its levels beside the lines where rows read them") {
  Rng rng(8, "small");
  PackedModel packed = model_of({1, 1, kInputs}, {1, 0});
  packed.layers = {dense_of(rng, kInputs, 64, 8)};
  const bool vectors = vector_isa() != VectorIsa::kPlain;
  Session fixed(Model(packed), {});
  CHECK((fixed.plan()[1].kernel == "active") == vectors);
  CHECK((levels_of(fixed, 0) == packed.layers[0].weight.levels) == vectors);
  Session blocks(Model(packed), {.kernels = Kernels::kBlocks});
  CHECK(levels_of(blocks, 0).capacity() == 0);
}

TEST_CASE("what is not weights stays in an owned model") {
  Rng rng(8, "rest");
  PackedModel packed = large_dense(rng);
  for (int i = 0; i < 10; ++i) packed.labels.push_back("class " + std::to_string(i));
  Session session(Model(packed), {});
  PackedModel left = session.model().packed();
  for (std::size_t i = 0; i < left.layers.size(); ++i)
    left.layers[i].weight.levels = packed.layers[i].weight.levels;
  CHECK(left == packed);
  CHECK(session.classes() == 10);
}

TEST_CASE("sessions that own their model may be moved") {
  Rng rng(8, "moved");
  const PackedModel packed = large_dense(rng), other = convolutions(rng);
  const Tensor images = mixed_images(rng, packed, 1), pictures = mixed_images(rng, other, 1);
  const Tensor want = Model(packed).run(images), of_other = Model(other).run(pictures);
  for (const Executor executor : {Executor::kPlan, Executor::kReference}) {
    std::vector<Session> sessions;
    for (int i = 0; i < 5; ++i) {
      sessions.emplace_back(Model(packed), SessionOptions{.executor = executor});
      sessions.emplace_back(Model(other), SessionOptions{.executor = executor});
    }
    sessions[0] = std::move(sessions[3]);
    sessions[1] = std::move(sessions[4]);
    CHECK(std::ranges::equal(sessions[0].run(pictures), of_other.values()));
    CHECK(std::ranges::equal(sessions[1].run(images), want.values()));
    CHECK(std::ranges::equal(sessions[2].run(images), want.values()));
    CHECK(&sessions[0].model() != &sessions[1].model());
  }
}

TEST_CASE("a model whose weights went to its session: nobody else runs it, and is told why") {
  Rng rng(8, "gone");
  const PackedModel packed = large_dense(rng);
  const Tensor images = images_of(rng, packed, 1);
  Model model(packed);
  Session session(std::move(model), {});
  // By the session's own, by a copy of it, and by the one that was moved from.
  const Model copy = session.model();
  for (const Model* left : {&session.model(), &copy, &std::as_const(model)}) {
    const std::string by_run = message_of([&] { left->run(images); }),
                      by_session = message_of([&] { Session another(*left); });
    for (const std::string& message : {by_run, by_session}) {
      CHECK(message.find("weights went to the session") != std::string::npos);
      CHECK(message.find("load the model once more") != std::string::npos);
    }
  }
  CHECK(std::ranges::equal(session.run(images), Model(packed).run(images).values()));
  // The reference executor runs the model itself, which keeps all.
  Session reference(Model(packed), {.executor = Executor::kReference});
  CHECK(reference.model().packed() == packed);
  Session another(reference.model());
  CHECK(std::ranges::equal(another.run(images), reference.model().run(images).values()));
}

TEST_CASE("options that are refused leave the model as it was") {
  Rng rng(8, "refused");
  const PackedModel packed = convolutions(rng);
  Model model(packed);
  CHECK_THROWS_AS(Session(std::move(model), {.batch = 0}), Error);
  CHECK_THROWS_AS(Session(std::move(model), {.threads = 0}), Error);
  CHECK(model.packed() == packed);
  CHECK(model.run(images_of(rng, packed, 1)).elements() == 10);
}

// A temporary that is const would be gone when the session runs.
static_assert(!std::is_constructible_v<Session, const Model>);
static_assert(std::is_constructible_v<Session, Model>);
static_assert(std::is_constructible_v<Session, const Model&>);

TEST_CASE("a session that was moved from says so, whoever owns the model") {
  Rng rng(8, "moved");
  const PackedModel packed = large_dense(rng);
  const Model model(packed);
  const Tensor images = images_of(rng, packed, 1);
  const auto refused = [&](Session& session) {
    const auto says = doctest::Contains("this one was moved from");
    CHECK_THROWS_WITH_AS(session.run(images), says, Error);
    CHECK_THROWS_WITH_AS(session.plan(), says, Error);
    CHECK_THROWS_WITH_AS(session.model(), says, Error);
    CHECK_THROWS_WITH_AS(latency_us(session), says, Error);
  };
  Session sharing(model), owning((Model(packed)));
  const Tensor want = model.run(images);
  {
    const Session kept = std::move(sharing), last = std::move(owning);
    refused(sharing), refused(owning);
  }
  refused(sharing), refused(owning);
  owning = Session(Model(packed));
  const auto got = owning.run(images);
  CHECK(std::ranges::equal(got, want.values()));
}
