// What a Session promises beside its numbers: no allocation in run(), one model for many threads,
// clear errors, and the counts of costs.
#include <cstdlib>
#include <new>
#include <thread>

#include "compress/runtime/costs.hpp"
#include "core/onednn/threads.hpp"
#include "tests/compress/runtime/onednn/models.hpp"

using namespace espalier;
using namespace espalier::runtime;

// The linker sends the calls of operator new in our own objects here (--wrap); those inside of the
// shared libraries, oneDNN's among them, go on as they were.
namespace {
thread_local std::int64_t allocations = 0;
}
extern "C" {
void* __real__Znwm(std::size_t size);
void* __real__ZnwmSt11align_val_t(std::size_t size, std::align_val_t alignment);
void* __wrap__Znwm(std::size_t size) {
  ++allocations;
  return __real__Znwm(size);
}
void* __wrap__ZnwmSt11align_val_t(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  return __real__ZnwmSt11align_val_t(size, alignment);
}
}

namespace {

// Convolution on signed levels with padding, all kinds of pools, batch norm, relu, dense.
PackedModel every_kind() {
  Rng rng(3, "every kind");
  PackedModel model = model_of({12, 12, 2}, {1, 64});
  PackedLayer conv = conv_of(rng, model.input_shape, 8, 8);
  conv.kernel_h = conv.kernel_w = 3, conv.stride_h = conv.stride_w = 1;
  conv.pad_top = conv.pad_bottom = conv.pad_left = conv.pad_right = 1;
  conv.weight.levels.clear(), conv.weight.scales.clear(), conv.bias_levels.clear();
  set_levels(conv, rng, {8, 3, 3, 2}, 8, Weights::kRandom);
  conv.output = {1.5f, 64};
  model.layers.push_back(conv);
  for (const auto kind : {LayerKind::kMaxPool2d, LayerKind::kAveragePool2d}) {
    PackedLayer pool;
    pool.kind = kind, pool.kernel_h = pool.kernel_w = 2, pool.stride_h = pool.stride_w = 2;
    model.layers.push_back(pool);
  }
  PackedLayer norm;
  norm.kind = LayerKind::kBatchNorm;
  norm.multiplier.assign(8, 0.9f), norm.offset.assign(8, 2), norm.output = {1, 3};
  model.layers.push_back(norm);
  for (const auto kind : {LayerKind::kRelu, LayerKind::kFlatten}) {
    model.layers.emplace_back();
    model.layers.back().kind = kind;
  }
  model.layers.push_back(dense_of(rng, 72, 10, 8));
  return model;
}

void make_float(PackedLayer& l) {
  l.weight.values.assign(l.weight.levels.begin(), l.weight.levels.end());
  l.weight.bits = 32;
  l.weight.levels.clear(), l.weight.scales.clear(), l.bias_levels.clear(), l.bias_shift = 0;
}

PackedModel float_twin(PackedModel model) {
  model.input = {};
  for (PackedLayer& l : model.layers) {
    l.output = {};
    if (format::has_weight(l.kind)) make_float(l);
  }
  return model;
}

// A float convolution that yields floats, a pool of them, a batch norm that makes levels of them.
PackedModel mixed_twin(PackedModel model) {
  make_float(model.layers[0]);
  model.layers[0].output = {};
  return model;
}

}  // namespace

TEST_CASE("run allocates nothing, neither from the heap nor from the tensors' pool") {
  for (const PackedModel& packed :
       {every_kind(), float_twin(every_kind()), mixed_twin(every_kind())})
    for (const std::int64_t batch : {1, 8, 40}) {
      const Model model(packed);
      Rng rng(1, "images");
      const Tensor images = images_of(rng, model.packed(), batch);
      for (const auto kernels : {Kernels::kOneDnn, Kernels::kBlocks, Kernels::kScattered,
                                 Kernels::kPlanes, Kernels::kActive}) {
        const std::int64_t before_making = allocations;
        Session session(model, {.batch = batch, .kernels = kernels});
        CHECK(allocations > before_making);  // the counter counts
        session.run(images);                 // makes this thread's stream
        const auto pool = buffer_pool_counts();
        const std::int64_t before = allocations;
        for (int i = 0; i < 10; ++i) session.run(images);
        CHECK(allocations == before);
        CHECK(buffer_pool_counts().fresh == pool.fresh);
        CHECK(buffer_pool_counts().reused == pool.reused);
      }
    }
}

TEST_CASE("threads share one model, each through its session") {
  const Model model(every_kind());
  Rng rng(1, "images");
  const Tensor images = images_of(rng, model.packed(), 4), want = model.run(images);
  std::int64_t wrong[2] = {0, 0};
  const auto work = [&](std::int64_t& wrong_here) {
    Session session(model, {.batch = 4});
    for (int i = 0; i < 50; ++i) {
      const auto got = session.run(images);
      wrong_here += !std::equal(got.begin(), got.end(), want.data());
    }
  };
  std::thread first(work, std::ref(wrong[0])), second(work, std::ref(wrong[1]));
  first.join(), second.join();
  CHECK(wrong[0] + wrong[1] == 0);
}

TEST_CASE("the bits do not depend on the number of threads") {
  const Model model(every_kind());
  Rng rng(1, "images");
  const Tensor images = images_of(rng, model.packed(), 6), want = model.run(images);
  Session session(model, {.batch = 6, .threads = 2});
  const auto got = session.run(images);
  CHECK(std::equal(got.begin(), got.end(), want.data()));
}

TEST_CASE("a session takes fewer images than its batch, none too, and refuses more") {
  const Model model(every_kind());
  Rng rng(1, "images");
  for (const auto executor : {Executor::kPlan, Executor::kReference}) {
    Session session(model, {.executor = executor, .batch = 3});
    CHECK(session.classes() == 10);
    const Tensor two = images_of(rng, model.packed(), 2), want = model.run(two);
    session.run(images_of(rng, model.packed(), 3));
    const auto got = session.run(two);
    CHECK(got.size() == 20);
    CHECK(std::equal(got.begin(), got.end(), want.data()));
    CHECK(session.run(Tensor({0, 12, 12, 2})).empty());
    CHECK_THROWS_AS(session.run(Tensor({4, 12, 12, 2})), Error);
    CHECK_THROWS_AS(session.run(Tensor({1, 12, 13, 2})), Error);
  }
  CHECK_THROWS_AS(Session(model, {.batch = 0}), Error);
  CHECK_THROWS_AS(Session(model, {.threads = 0}), Error);
}

TEST_CASE("a batch longer than a chunk, and one that ends within a chunk") {
  const Model model(every_kind());
  Rng rng(1, "images");
  Session session(model, {.batch = 2 * Session::kChunk + 3});
  for (const std::int64_t n : {2 * Session::kChunk + 3, 2 * Session::kChunk, Session::kChunk + 1}) {
    const Tensor images = images_of(rng, model.packed(), n), want = model.run(images);
    const auto got = session.run(images);
    REQUIRE(static_cast<std::int64_t>(got.size()) == want.elements());
    CHECK(std::equal(got.begin(), got.end(), want.data()));
  }
}

TEST_CASE("a session may move") {
  const Model model(every_kind());
  Rng rng(1, "images");
  const Tensor one = images_of(rng, model.packed(), 1), want = model.run(one);
  Session session(model);
  Session moved = std::move(session);
  const auto got = moved.run(one);
  CHECK(std::equal(got.begin(), got.end(), want.data()));
}

TEST_CASE("records that do not fit together are refused when the model is made") {
  const auto refused = [](auto change) {
    PackedModel model = every_kind();
    model.layers[0].bias_levels.assign(8, 1), model.layers.back().bias_levels.assign(10, 1);
    Model{model};
    change(model);
    CHECK_THROWS_AS(Model{model}, Error);
  };
  refused([](PackedModel& m) { m.input = {}; });                     // bias levels of a float layer
  refused([](PackedModel& m) { m.layers[3].output = {}; });          // and after floats
  refused([](PackedModel& m) { m.layers.back().output = {1, 0}; });  // ends in levels
  refused([](PackedModel& m) { m.layers[1].pad_top = 2; });          // padding alone in a window
}

TEST_CASE("costs: multiply-adds of a layer, live activations of a model") {
  const PackedModel model = every_kind();
  CHECK(macs(model.layers[0], {12, 12, 2}) == 12 * 12 * 8 * 3 * 3 * 2);
  CHECK(macs(model.layers[1], {12, 12, 8}) == 0);
  CHECK(macs(model.layers[6], {1, 1, 72}) == 720);
  // The first pool: 12x12x8 levels in, 6x6x8 out.
  CHECK(peak_activation_bytes(model) == 12 * 12 * 8 + 6 * 6 * 8);
  CHECK(peak_activation_bytes(float_twin(model)) == 4 * (12 * 12 * 8 + 6 * 6 * 8));
  CHECK(peak_activation_bytes(mixed_twin(model)) == 4 * (12 * 12 * 8 + 6 * 6 * 8));
}

TEST_CASE("latency is a positive time, of sessions of batch 1 alone") {
  const Model model(every_kind());
  Session one(model), two(model, {.batch = 2});
  CHECK(latency_us(one, {.warm_up = 1, .runs = 5}) > 0);
  CHECK_THROWS_AS(latency_us(two), Error);
  CHECK_THROWS_AS(latency_us(one, {.runs = 0}), Error);
}

TEST_CASE("threads in scope: the former number comes back") {
  set_threads(3);
  { const ThreadsInScope scope(1); }
  CHECK_THROWS_AS(ThreadsInScope(0), Error);
  set_threads(1);
}
