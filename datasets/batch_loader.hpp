// Batches made ahead on a thread, so that decoding and augmentation run beside training.
#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/base/recycled.hpp"
#include "datasets/dataset.hpp"

namespace espalier::datasets {

// Batches of so many bytes that may lie ready: 4, and of small ones up to 64, which are 2 MB. A thread
// that another program holds up for some milliseconds must not stop steps that take less.
std::int64_t batches_ahead(std::int64_t batch_bytes);

struct BatchLoaderOptions {
  std::int64_t batch_size = 32;  // the last batch may be smaller
  // Batches that may lie ready; none: batches_ahead(). 0: none is made ahead, and there is no thread.
  std::optional<std::int64_t> ahead = {};
};

class BatchLoader {
 public:
  // The examples of `order`, in this order: the same batches whatever `ahead` is. The dataset
  // outlives the loader. Errors: kUsage unless batch_size >= 1 and ahead >= 0.
  BatchLoader(const Dataset& dataset, std::vector<std::int64_t> order,
              BatchLoaderOptions options = {});
  // Does not wait for more than the example that is being made.
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  // Waits for the next batch; nullopt behind the last. What the dataset's get() threw is thrown
  // here, in its batch's turn, and again by every later call. Errors: kInterrupted while Ctrl-C is
  // unanswered (core/base/interrupt.hpp).
  std::optional<Batch> next();
  // Seconds that next() has spent waiting for batches that were not ready, or making them itself.
  double waited() const { return waited_; }
  // A batch that is done with: its memory serves the next ones.
  void give_back(Batch&& batch);

 private:
  std::optional<Batch> make(std::size_t begin);  // nullopt when it is to stop
  void run();

  const Dataset& dataset_;
  std::vector<std::int64_t> order_;
  std::int64_t batch_size_, ahead_;
  double waited_ = 0;
  std::size_t taken_ = 0;  // examples whose batches next() has given

  mutable std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  RecycledDeque<Batch> ready_;
  std::vector<Batch> used_;  // given back
  std::exception_ptr failure_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace espalier::datasets
