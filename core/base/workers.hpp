// Threads that stay, for work that comes again and again in items: a batch's parts, step after step.
// Who waits sleeps. (OpenMP's threads belong to the kernels, and each of these may use some.)
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace espalier {

class Workers {
 public:
  // So many threads, the one that calls run() among them: 1 or less starts none. Errors:
  // std::system_error where the system gives no more.
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Calls job(0) to job(items - 1), each once, on whichever thread is free next, and returns when all
  // are done. What they throw is thrown here, of several the lowest item's. One caller at a time.
  void run(int items, const std::function<void(int)>& job);

 private:
  void work();
  void stop();
  // Takes items until there are none. `lock` is held before and after.
  void take(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;  // of all below
  std::condition_variable came_, done_;
  const std::function<void(int)>* job_ = nullptr;
  int items_ = 0, next_ = 0, running_ = 0;
  int failed_ = 0;  // the item of failure_
  std::exception_ptr failure_;
  bool stop_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace espalier
