#include "core/onednn/threads.hpp"

#include <exception>
#include <mutex>

#include "core/base/error.hpp"

// Of GNU OpenMP (CMakeLists.txt): its header is not on every compiler's path.
extern "C" void omp_set_num_threads(int threads);
extern "C" int omp_get_max_threads();
extern "C" int omp_get_thread_num();
extern "C" int omp_get_num_threads();
extern "C" void GOMP_parallel(void (*)(void*), void*, unsigned threads, unsigned flags);

namespace espalier {

void set_threads(int threads) {
  require(1 <= threads && threads <= 1024, "threads", "wants 1 to 1024, got ", threads);
  omp_set_num_threads(threads);
}

ThreadsInScope::ThreadsInScope(int threads) : former_(omp_get_max_threads()) {
  set_threads(threads);
}
ThreadsInScope::~ThreadsInScope() {
  omp_set_num_threads(former_);
}

int threads() {
  return omp_get_max_threads();
}

namespace {
// About 80 us of one processor.
constexpr double kLittleWork = 8e6;
}  // namespace

ThreadsForWork::ThreadsForWork(double multiply_adds)
    : scope_(multiply_adds < kLittleWork ? 1 : omp_get_max_threads()) {}

void call_in_parallel(std::int64_t items, double multiply_adds, const void* context,
                      void (*part)(const void*, std::int64_t, std::int64_t)) {
  const int threads = multiply_adds < kLittleWork ? 1 : omp_get_max_threads();
  if (threads == 1 || items < 2) return part(context, 0, items);
  struct Work {
    std::int64_t items;
    const void* context;
    void (*part)(const void*, std::int64_t, std::int64_t);
    std::mutex mutex = {};  // of the error
    std::exception_ptr error = {};
  } work{items, context, part};
  const auto run = [](void* shared) {
    Work& w = *static_cast<Work*>(shared);
    const std::int64_t i = omp_get_thread_num(), n = omp_get_num_threads();
    try {
      w.part(w.context, w.items * i / n, w.items * (i + 1) / n);
    } catch (...) {
      const std::lock_guard lock(w.mutex);
      w.error = std::current_exception();
    }
  };
  GOMP_parallel(run, &work, static_cast<unsigned>(threads), 0);
  if (work.error) std::rethrow_exception(work.error);
}

}  // namespace espalier
