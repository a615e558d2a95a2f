// Training asks nothing of the heap and makes no primitive once it is warm: fit() as the programs
// call it, with its loader. This program's own operator new counts, in every thread and library.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <thread>

#include "apps/bench/models.hpp"
#include "core/base/sanitized.hpp"
#include "core/onednn/onednn.hpp"
#include "core/onednn/threads.hpp"
#include "datasets/synthetic_digits.hpp"
#include "optim/training/fit.hpp"

using namespace espalier;
namespace {

enum class Thread { kWorker, kTraining, kLoader };
thread_local Thread thread = Thread::kWorker;  // one of OpenMP's, unless it says who it is
std::atomic<int> executing{0};                 // threads inside of oneDNN
thread_local int inside = 0;                   // this one is
std::atomic<bool> alone{false};                // each thread's kernels run on it alone
std::atomic<std::int64_t> ours{0}, onednn{0}, primitives{0};

void count() {
  const bool theirs = (alone ? inside > 0 : executing > 0) && thread != Thread::kLoader;
  ++(theirs ? onednn : ours);
}

// Says who calls.
class Digits final : public datasets::Dataset {
 public:
  explicit Digits(std::int64_t size)
      : digits_(datasets::synthetic_digits({.train = size, .test = 1}).train) {}
  std::int64_t size() const override { return digits_->size(); }
  datasets::Example get(std::int64_t i) const override {
    if (thread != Thread::kTraining) thread = Thread::kLoader;
    return digits_->get(i);
  }
  Shape image_shape() const override { return digits_->image_shape(); }
  int classes() const override { return digits_->classes(); }

 private:
  std::shared_ptr<const datasets::Dataset> digits_;
};

}  // namespace

void* operator new(std::size_t size) {
  count();
  if (void* block = std::malloc(size > 0 ? size : 1)) return block;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  count();
  const auto a = static_cast<std::size_t>(alignment);
  if (void* block = std::aligned_alloc(a, (size + a - 1) / a * a)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
  std::free(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  std::free(block);
}

extern "C" {
dnnl_status_t __real_dnnl_primitive_execute(const_dnnl_primitive_t, dnnl_stream_t, int,
                                            const dnnl_exec_arg_t*);
dnnl_status_t __wrap_dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream,
                                            int arguments, const dnnl_exec_arg_t* list) {
  ++executing, ++inside;
  const dnnl_status_t status = __real_dnnl_primitive_execute(primitive, stream, arguments, list);
  --executing, --inside;
  return status;
}
dnnl_status_t __real_dnnl_primitive_create(dnnl_primitive_t*, const_dnnl_primitive_desc_t);
dnnl_status_t __wrap_dnnl_primitive_create(dnnl_primitive_t* made,
                                           const_dnnl_primitive_desc_t desc) {
  ++primitives;
  return __real_dnnl_primitive_create(made, desc);
}
}

namespace {

constexpr std::int64_t kBatch = 16, kWarm = 40, kSteps = 50;

// `most`: what may be asked of the heap, and of buffers, in ten warm steps.
void check_steps(const std::string& name, int threads, int parts, std::int64_t most) {
  CAPTURE(name);
  CAPTURE(threads);
  CAPTURE(parts);
  static const Digits digits(kBatch * (kSteps + 1));
  const ThreadsInScope scope(threads);
  alone = parts > 1;
  Sequential model = bench::training_model(name);
  struct Counts {
    std::int64_t ours, onednn, primitives;
    BufferPoolCounts pool;
  };
  const auto now = [] { return Counts{ours, onednn, primitives, buffer_pool_counts()}; };
  const Counts start = now();
  Counts warm{}, end{};
  training::FitOptions options{.batch_size = kBatch, .quiet = true, .parts = parts};
  options.on_step = [&](const training::StepReport& step) {
    // The loader's thread runs ahead as far as it may: it will not hold more later on.
    if (step.info.step < 3) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (step.info.step == kWarm) warm = now();
    if (step.info.step == kSteps) end = now();
  };
  training::fit(model, digits, options);
  CHECK(warm.ours > start.ours);  // the counters count
  CHECK(end.pool.reused > warm.pool.reused);
  CHECK(end.primitives == warm.primitives);
  CHECK(end.ours - warm.ours < most);
  CHECK(static_cast<std::int64_t>(end.pool.fresh - warm.pool.fresh) < most);
  MESSAGE(name << ", threads " << threads << ", parts " << parts
               << ": heap calls in ten steps, inside of oneDNN: " << end.onednn - warm.onednn
               << ", ours: " << end.ours - warm.ours);
}

}  // namespace

TEST_CASE("a warm training step asks nothing of the heap and makes no primitive") {
  if (kSanitized) return;  // there, every block comes from the heap
  thread = Thread::kTraining;
  // Not one a step; a few at most, where the loader holds its most while training does.
  for (const std::string name : {"small", "lenet5", "resnet8"})
    for (const int threads : {1, 2}) check_steps(name, threads, 1, 5);
  CHECK(primitives > 0);  // and this one, too
}

TEST_CASE("so does one in parts, but where all threads hold their most at once") {
  if (kSanitized) return;
  thread = Thread::kTraining;
  for (const std::string name : {"small", "lenet5"})
    for (const int threads : {1, 2}) check_steps(name, threads, 2, threads == 1 ? 5 : 20);
}
