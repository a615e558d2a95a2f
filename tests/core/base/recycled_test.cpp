#include "core/base/recycled.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <set>
#include <thread>

#include "core/base/sanitized.hpp"

using namespace espalier;

TEST_CASE("recycled: a block that was given back comes again, and no block twice at once") {
  for (const std::size_t bytes : {1, 32, 33, 64, 1000, 16384, 16385, 100000}) {
    std::set<void*> taken;
    for (int i = 0; i < 20; ++i) {
      void* block = take_block(bytes);
      CHECK(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t) == 0);
      std::memset(block, i, bytes);
      CHECK(taken.insert(block).second);
    }
    for (void* block : taken) give_block(block, bytes);
    if (!kSanitized && bytes <= 16384) {
      void* again = take_block(bytes);
      CHECK(taken.contains(again));
      give_block(again, bytes);
    }
  }
}

TEST_CASE("recycled: containers and shared pointers, from one thread to another") {
  RecycledVector<int> numbers(1000);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::thread([n = std::move(numbers)]() mutable {
    CHECK(n[999] == 999);
    n = {};
  }).join();
  auto shared = std::allocate_shared<RecycledVector<int>>(Recycled<int>(), 500, 7);
  const auto copy = shared;
  shared.reset();
  CHECK(std::accumulate(copy->begin(), copy->end(), 0) == 3500);
}
