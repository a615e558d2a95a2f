#include "core/onednn/threads.hpp"

#include <omp.h>

#include "core/base/error.hpp"

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
