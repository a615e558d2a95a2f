#include "core/tensor/buffer.hpp"

#include <array>
#include <bit>
#include <mutex>
#include <new>
#include <vector>

#include "core/base/recycled.hpp"

namespace espalier {
namespace {

// Size classes are 64 bytes times 4, 5, 6 or 7 quarters of a power of two: at most 25 % is wasted.
int class_of(std::size_t size_bytes) {
  const std::size_t lines = (size_bytes + 63) / 64;
  if (lines < 4) return static_cast<int>(lines);
  const int power = static_cast<int>(std::bit_width(lines)) - 3;  // lines lies in [4, 8) << power
  const auto quarter = (lines + (std::size_t{1} << power) - 1) >> power;
  return power * 4 + static_cast<int>(quarter);
}

std::size_t class_bytes(int size_class) {
  if (size_class < 8) return static_cast<std::size_t>(size_class) * 64;
  const int power = size_class / 4 - 1;
  return (static_cast<std::size_t>(size_class % 4 + 4) << power) * 64;
}

class Pool {
 public:
  void* take(int size_class) {
    {
      const std::lock_guard lock(mutex_);
      auto& idle = idle_[static_cast<std::size_t>(size_class)];
      if (!idle.empty()) {
        void* block = idle.back();
        idle.pop_back();
        ++counts_.reused;
        return block;
      }
      ++counts_.fresh;
    }
    return static_cast<char*>(::operator new (class_bytes(size_class) + 2 * Buffer::kSlack,
                                              std::align_val_t{Buffer::kAlignment})) +
           Buffer::kSlack;
  }

  void give(void* block, int size_class) {
    const std::lock_guard lock(mutex_);
    idle_[static_cast<std::size_t>(size_class)].push_back(block);
  }

  void trim() {
    const std::lock_guard lock(mutex_);
    for (auto& idle : idle_) {
      for (void* block : idle)
        ::operator delete (static_cast<char*>(block) - Buffer::kSlack,
                           std::align_val_t{Buffer::kAlignment});
      idle.clear();
    }
  }

  BufferPoolCounts counts() {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  std::mutex mutex_;
  std::array<std::vector<void*>, 256> idle_;
  BufferPoolCounts counts_{};
};

// Never destroyed: tensors in static storage may outlive any order of destruction.
Pool& pool() {
  static Pool& instance = *new Pool;
  return instance;
}

}  // namespace

std::shared_ptr<Buffer> Buffer::allocate(std::size_t size_bytes) {
  return std::allocate_shared<Buffer>(Recycled<Buffer>(), Ours(), size_bytes, class_of(size_bytes));
}

Buffer::Buffer(Ours, std::size_t size_bytes, int size_class)
    : data_(size_class ? pool().take(size_class) : nullptr),
      size_bytes_(size_bytes),
      size_class_(size_class) {}

Buffer::~Buffer() {
  if (data_) pool().give(data_, size_class_);
}

BufferPoolCounts buffer_pool_counts() {
  return pool().counts();
}
void trim_buffer_pool() {
  pool().trim();
}

}  // namespace espalier
