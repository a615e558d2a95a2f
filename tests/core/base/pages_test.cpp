#include "core/base/pages.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/memory.hpp"
#include "core/base/sanitized.hpp"

using namespace espalier;

TEST_CASE("pages: what lies around those that were given back stays, and so do parts of pages") {
  constexpr std::size_t kBytes = 1 << 22, kBegin = 100, kRange = (1 << 21) + 777;
  std::vector<std::uint8_t> memory(kBytes, 7);
  const std::size_t released = release_pages(memory.data() + kBegin, kRange);
  CHECK(released <= kRange);
#if defined(__linux__)
  CHECK(released > kRange - (1 << 16));  // no page is larger
  CHECK(std::ranges::count(memory, 0) > std::ptrdiff_t{kRange} - 2 * (1 << 16));
#endif
  CHECK(std::all_of(memory.begin(), memory.begin() + kBegin, [](int v) { return v == 7; }));
  CHECK(std::all_of(memory.begin() + kBegin + static_cast<std::ptrdiff_t>(released), memory.end(),
                    [](int v) { return v == 7; }));
  // Written anew, it is memory as any other.
  std::ranges::fill(memory, std::uint8_t{8});
  CHECK(std::ranges::count(memory, 8) == std::ptrdiff_t{kBytes});
}

TEST_CASE("pages: less than a whole one is left alone") {
  std::vector<std::uint8_t> memory(1 << 20, 7);
  CHECK(release_pages(memory.data() + 1, 4000) == 0);
  CHECK(release_pages(memory.data(), 0) == 0);
  CHECK(std::ranges::count(memory, 7) == std::ssize(memory));
}

#if defined(__linux__)
TEST_CASE("pages: the system has them back, though the memory is still allocated") {
  if (kSanitized) return;
  constexpr std::int64_t kBytes = 1 << 25;
  std::vector<std::uint8_t> memory(kBytes, 7);
  const std::int64_t before = resident_bytes();
  std::size_t released = 0;  // in parts, as who goes through them does
  for (std::size_t done = 0; done <= memory.size(); done += memory.size() / 37)
    released += release_pages(memory.data() + released, done - released);
  CHECK(before - resident_bytes() > kBytes * 3 / 4);
}
#endif
