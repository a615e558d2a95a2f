#include <doctest/doctest.h>

#include <sstream>

#include "core/tensor/argmax.hpp"
#include "core/tensor/tensor.hpp"

using namespace espalier;

TEST_CASE("shapes print, compare and refuse nonsense") {
  std::ostringstream out;
  out << Shape{2, 3} << Shape{};
  CHECK(out.str() == "[2x3][]");
  CHECK(Shape{2, 3}.elements() == 6);
  CHECK(Shape{2, 3}[-1] == 3);
  CHECK_THROWS_AS((Shape{2, -1}), Error);
  CHECK_THROWS_AS((Shape{1ll << 30, 1ll << 30}), Error);
  CHECK_THROWS_AS((Shape{2, 3}[2]), Error);
}

TEST_CASE("copies share memory, clones do not") {
  Tensor a = Tensor::from({2, 2}, {1, 2, 3, 4});
  Tensor shared = a, cloned = a.clone();
  a.mutable_values()[0] = 9;
  CHECK(shared.values()[0] == 9);
  CHECK(cloned.values()[0] == 1);
  CHECK(a.reshaped({4}).shares_memory_with(a));
  CHECK_THROWS_AS(a.reshaped({3}), Error);
  CHECK_THROWS_AS(a.values<std::int8_t>(), Error);
  CHECK_THROWS_AS(Tensor().values(), Error);
  CHECK_THROWS_AS(a.item(), Error);
  CHECK_THROWS_AS(a.copy_from(Tensor({3})), Error);
  CHECK_THROWS_AS(Tensor::from({3}, {1, 2}), Error);
}

TEST_CASE(
    "buffers are aligned, large enough for every size, and reused: no fresh block once warm") {
  for (std::size_t bytes = 1; bytes < 5000; bytes += 7) {
    const auto buffer = Buffer::allocate(bytes);
    CHECK(reinterpret_cast<std::uintptr_t>(buffer->data()) % Buffer::kAlignment == 0);
    // The sanitizer sees an overrun; the slack on both sides is ours.
    auto* begin = static_cast<char*>(buffer->data());
    std::fill_n(begin - Buffer::kSlack, bytes + 2 * Buffer::kSlack, 'x');
  }
  const auto warm = buffer_pool_counts().fresh;
  for (std::size_t bytes = 1; bytes < 5000; bytes += 7) Buffer::allocate(bytes);
  CHECK(buffer_pool_counts().fresh == warm);
  trim_buffer_pool();
  Buffer::allocate(100);
  CHECK(buffer_pool_counts().fresh == warm + 1);
}

TEST_CASE("argmax_rows: the largest of each row, the first of equals; whole rows only") {
  const std::vector<float> values = {1, 3, 2, /**/ 5, 5, 4, /**/ -2, -1, -1};
  CHECK(argmax_rows(values, 3) == std::vector<int>{1, 0, 1});
  CHECK(argmax_rows({}, 3).empty());
  CHECK_THROWS_AS(argmax_rows(values, 2), Error);
  CHECK_THROWS_AS(argmax_rows(values, 0), Error);
}
