// How many threads a kernel may use. With as many as there are cores, a parallel region stalls for
// tens of milliseconds whenever another process wants one of them: programs start with one, and say
// so. OpenMP keeps the number per calling thread.
#pragma once

#include <cstdint>
#include <functional>

namespace espalier {

// For the kernels that the calling thread runs from now on. Call it before the first kernel.
// Errors: kUsage below 1 or above 1024.
void set_threads(int threads);

// The same until the end of the scope, then the former number again.
class ThreadsInScope {
 public:
  explicit ThreadsInScope(int threads);
  ~ThreadsInScope();
  ThreadsInScope(const ThreadsInScope&) = delete;
  ThreadsInScope& operator=(const ThreadsInScope&) = delete;

 private:
  int former_;
};

// Calls part(begin, end) with parts of [0, items), one a thread, of as many threads as the calling
// one was given (oneDNN's own), and returns when all are done. A part's error is thrown again here.
void in_parallel(std::int64_t items,
                 const std::function<void(std::int64_t begin, std::int64_t end)>& part);

}  // namespace espalier
