#include "core/base/workers.hpp"

#include <utility>

namespace espalier {

Workers::Workers(int threads) {
  try {
    for (int i = 1; i < threads; ++i) threads_.emplace_back([this] { work(); });
  } catch (...) {
    stop();  // those that began, or they would be waited for
    throw;
  }
}

Workers::~Workers() {
  stop();
}

void Workers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  came_.notify_all();
}

void Workers::run(int items, const std::function<void(int)>& job) {
  std::unique_lock lock(mutex_);
  job_ = &job, items_ = items, next_ = 0;
  if (items > 1) came_.notify_all();
  take(lock);
  done_.wait(lock, [this] { return running_ == 0; });
  if (const auto failure = std::exchange(failure_, nullptr)) std::rethrow_exception(failure);
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    came_.wait(lock, [this] { return stop_ || next_ < items_; });
    if (stop_) return;
    take(lock);
    if (running_ == 0) done_.notify_one();
  }
}

void Workers::take(std::unique_lock<std::mutex>& lock) {
  while (next_ < items_) {
    const int item = next_++;
    ++running_;
    lock.unlock();
    std::exception_ptr failure;
    try {
      (*job_)(item);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    --running_;
    if (failure && (!failure_ || item < failed_)) failure_ = std::move(failure), failed_ = item;
  }
}

}  // namespace espalier
