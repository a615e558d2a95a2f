#include "core/base/recycled.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <new>

#include "core/base/sanitized.hpp"

namespace espalier {
namespace {

// Size classes are powers of two from 32 bytes on. What is larger comes from the heap.
constexpr std::size_t kSmallest = 32, kLargest = 1 << 14;

std::size_t class_of(std::size_t bytes) {
  return static_cast<std::size_t>(std::bit_width((std::max(bytes, kSmallest) - 1) / kSmallest));
}

// An idle block holds the address of the next idle one of its class.
struct Idle {
  Idle* next;
};
constinit std::mutex mutex;
constinit std::array<Idle*, 10> idle{};
static_assert(kSmallest << 9 == kLargest);

bool recycles(std::size_t bytes) {
  return !kSanitized && bytes <= kLargest;
}

}  // namespace

void* take_block(std::size_t bytes) {
  if (!recycles(bytes)) return ::operator new(bytes);
  const std::size_t size_class = class_of(bytes);
  {
    const std::lock_guard lock(mutex);
    if (Idle*& first = idle[size_class]) {
      void* block = first;
      first = first->next;
      return block;
    }
  }
  return ::operator new(kSmallest << size_class);
}

void give_block(void* block, std::size_t bytes) noexcept {
  if (!recycles(bytes)) {
    ::operator delete(block);
    return;
  }
  const std::lock_guard lock(mutex);
  Idle*& first = idle[class_of(bytes)];
  first = new (block) Idle{first};
}

}  // namespace espalier
