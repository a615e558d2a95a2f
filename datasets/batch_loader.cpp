#include "datasets/batch_loader.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/interrupt.hpp"

namespace espalier::datasets {
namespace {

// A signal wakes no condition variable: look at the flag now and then.
constexpr std::chrono::milliseconds kInterruptPause(50);

}  // namespace

std::int64_t batches_ahead(std::int64_t batch_bytes) {
  constexpr std::int64_t kLeast = 4, kMost = 64, kBytes = 2 << 20;
  return std::clamp(kBytes / std::max<std::int64_t>(batch_bytes, 1), kLeast, kMost);
}

BatchLoader::BatchLoader(const Dataset& dataset, std::vector<std::int64_t> order,
                         BatchLoaderOptions options)
    : dataset_(dataset), order_(std::move(order)), batch_size_(options.batch_size) {
  require(batch_size_ >= 1 && options.ahead.value_or(0) >= 0, "BatchLoader",
          "wants a batch of at least 1 and 0 or more ahead, got ", batch_size_, " and ",
          options.ahead.value_or(0));
  const std::int64_t examples = std::min(batch_size_, std::ssize(order_));
  ahead_ = options.ahead.value_or(batches_ahead(examples * dataset_.image_shape().elements() *
                                                static_cast<std::int64_t>(sizeof(float))));
  for (const std::int64_t i : order_) check_index(i, dataset_.size());
  used_.reserve(static_cast<std::size_t>(ahead_) + 2);  // one is made, one is used
  if (ahead_ > 0 && !order_.empty()) thread_ = std::thread([this] { run(); });
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// As collate(), but it looks up between two examples.
std::optional<Batch> BatchLoader::make(std::size_t begin) {
  const auto count = std::min(static_cast<std::size_t>(batch_size_), order_.size() - begin);
  const Shape image = dataset_.image_shape();
  Batch batch;
  {
    const std::lock_guard lock(mutex_);
    if (!used_.empty()) {
      batch = std::move(used_.back());
      used_.pop_back();
    }
  }
  batch.images =
      Tensor::uninitialized({static_cast<std::int64_t>(count), image[0], image[1], image[2]});
  batch.labels.clear(), batch.targets.clear();
  float* out = batch.images.mutable_data();
  for (const std::int64_t i : std::span(order_).subspan(begin, count)) {
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return std::nullopt;
    }
    const Example example = dataset_.get(i);
    require(example.image.shape() == image, ErrorKind::kInternal, "BatchLoader", "example ", i,
            " is ", example.image.shape(), ", its dataset says ", image);
    out = std::ranges::copy(example.image.values(), out).out;
    batch.labels.push_back(example.label);
    if (dataset_.has_targets()) batch.targets.push_back(example.target);
  }
  return batch;
}

void BatchLoader::run() {
  try {
    for (std::size_t begin = 0; begin < order_.size();
         begin += static_cast<std::size_t>(batch_size_)) {
      auto batch = make(begin);
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || std::ssize(ready_) < ahead_; });
      if (stop_ || !batch) return;
      ready_.push_back(std::move(*batch));
      changed_.notify_all();
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
    changed_.notify_all();
  }
}

std::optional<Batch> BatchLoader::next() {
  check_interrupt("BatchLoader");
  if (taken_ >= order_.size()) return std::nullopt;
  const auto start = std::chrono::steady_clock::now();
  std::optional<Batch> batch;
  if (!thread_.joinable()) {
    batch = make(taken_);
  } else {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, kInterruptPause, [&] { return !ready_.empty() || failure_; }))
      check_interrupt("BatchLoader");
    if (ready_.empty()) std::rethrow_exception(failure_);
    batch = std::move(ready_.front());
    ready_.pop_front();
    changed_.notify_all();
  }
  waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  taken_ += batch->labels.size();
  return batch;
}

void BatchLoader::give_back(Batch&& batch) {
  batch.images = {};  // others may still look at it; the tensors' pool recycles it in time
  const std::lock_guard lock(mutex_);
  used_.push_back(std::move(batch));
}

}  // namespace espalier::datasets
