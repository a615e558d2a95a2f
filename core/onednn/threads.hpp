// How many threads a kernel may use. With as many as there are cores, a parallel region stalls for
// tens of milliseconds whenever another process wants one of them: programs start with one, and say
// so. OpenMP keeps the number per calling thread.
#pragma once

#include <cstdint>

namespace espalier {

// For the kernels that the calling thread runs from now on. Errors: kUsage below 1 or above 1024.
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

int threads();  // that the calling thread's kernels may use

// Until the end of the scope one thread, where the work is too little to pay for waking others: a
// thread that waits for a busy processor costs milliseconds.
class ThreadsForWork {
 public:
  explicit ThreadsForWork(double multiply_adds);

 private:
  ThreadsInScope scope_;
};

// Loops over memory count so many multiply-adds a byte that they read or write, for the same time: four
// megabytes are worth a second thread.
inline constexpr double kWorkOfByte = 2;

// The plain form of in_parallel() below: `part` gets `context` back.
void call_in_parallel(std::int64_t items, double multiply_adds, const void* context,
                      void (*part)(const void* context, std::int64_t begin, std::int64_t end));

// Calls part(begin, end) with parts of [0, items), one a thread, of as many threads as the calling
// one was given (oneDNN's own) and the work pays for, and returns when all are done. A part's error is
// thrown again here.
template <class Part>
void in_parallel(std::int64_t items, double multiply_adds, const Part& part) {
  call_in_parallel(items, multiply_adds, &part,
                   [](const void* part, std::int64_t begin, std::int64_t end) {
                     (*static_cast<const Part*>(part))(begin, end);
                   });
}

}  // namespace espalier
