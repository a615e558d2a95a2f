// Memory for the small things that each training step makes anew: nodes of the tape, lists of inputs
// and gradients, handles of buffers. Blocks that are given back are kept and handed out again, so
// that after the first steps nothing is asked from the heap. Threads share them: what the loader's
// thread makes, training gives back. (Under a sanitizer every block comes from the heap.)
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

namespace espalier {

// `bytes` of uninitialised memory, aligned for every scalar type.
void* take_block(std::size_t bytes);
// The same `bytes` that it was taken with.
void give_block(void* block, std::size_t bytes) noexcept;

// An allocator of such blocks, for containers and std::allocate_shared.
template <class T>
struct Recycled {
  using value_type = T;
  static_assert(alignof(T) <= alignof(std::max_align_t));

  Recycled() = default;
  template <class U>
  Recycled(const Recycled<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(take_block(n * sizeof(T))); }
  void deallocate(T* block, std::size_t n) noexcept { give_block(block, n * sizeof(T)); }
  template <class U>
  bool operator==(const Recycled<U>&) const {
    return true;
  }
};

template <class T>
using RecycledVector = std::vector<T, Recycled<T>>;
template <class T>
using RecycledDeque = std::deque<T, Recycled<T>>;

}  // namespace espalier
