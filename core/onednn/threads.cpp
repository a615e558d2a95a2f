#include "core/onednn/threads.hpp"

#include "core/base/error.hpp"

// Of GNU OpenMP (CMakeLists.txt): its header is not on every compiler's path.
extern "C" void omp_set_num_threads(int threads);
extern "C" int omp_get_max_threads();

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

}  // namespace espalier
