// The loader gives the same batches with and without its thread, and stops when it must.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>

#include "core/base/interrupt.hpp"
#include "datasets/batch_loader.hpp"

using namespace espalier;
using namespace espalier::datasets;
namespace {

// Image i is [1 1 1] of i; get() may be slow, or fail at one index. Counts what was read.
class Slow : public Dataset {
 public:
  Slow(std::int64_t n, std::chrono::milliseconds pause = {}, std::int64_t bad = -1)
      : n_(n), pause_(pause), bad_(bad) {}
  std::int64_t size() const override { return n_; }
  Example get(std::int64_t i) const override {
    std::this_thread::sleep_for(pause_);
    ++read;
    require(i != bad_, ErrorKind::kCorrupt, "picture 5", "is damaged");
    return {Tensor::full({1, 1, 1}, static_cast<float>(i)), static_cast<int>(i % 2)};
  }
  Shape image_shape() const override { return {1, 1, 1}; }
  int classes() const override { return 2; }
  mutable std::atomic<int> read = 0;

 private:
  std::int64_t n_;
  std::chrono::milliseconds pause_;
  std::int64_t bad_;
};

std::vector<std::int64_t> reversed(std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.rbegin(), order.rend(), std::int64_t{0});
  return order;
}

std::vector<std::vector<float>> batches(BatchLoader& loader) {
  std::vector<std::vector<float>> all;
  while (const auto batch = loader.next()) {
    all.emplace_back(batch->images.values().begin(), batch->images.values().end());
    for (std::size_t k = 0; k < batch->labels.size(); ++k)
      CHECK(batch->labels[k] == static_cast<int>(all.back()[k]) % 2);
  }
  return all;
}

}  // namespace

TEST_CASE("BatchLoader: the batches of the order, whatever runs ahead") {
  const Slow data(7);
  for (const std::int64_t ahead : {0, 1, 3, 100}) {
    BatchLoader loader(data, reversed(7), {.batch_size = 3, .ahead = ahead});
    CHECK(batches(loader) == std::vector<std::vector<float>>{{6, 5, 4}, {3, 2, 1}, {0}});
    CHECK(!loader.next());
  }
  BatchLoader none(data, {});
  CHECK(!none.next());
  CHECK_THROWS_AS(BatchLoader(data, {7}), Error);
  CHECK_THROWS_AS(BatchLoader(data, {0}, {.batch_size = 0}), Error);
  CHECK_THROWS_AS(BatchLoader(data, {0}, {.ahead = -1}), Error);
}

TEST_CASE("BatchLoader: it runs ahead by as many batches as it may, and no further") {
  const Slow data(100);
  BatchLoader loader(data, reversed(100), {.batch_size = 2, .ahead = 3});
  for (int wait = 0; wait < 500 && data.read < 8; ++wait)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(data.read == 8);  // three batches lie ready, the fourth waits for its place
  CHECK(loader.next()->images.values()[0] == 99);
}

TEST_CASE("BatchLoader: an error comes in its batch's turn, on the caller's thread, and again") {
  const Slow data(10, {}, 5);
  for (const std::int64_t ahead : {0, 4}) {
    BatchLoader loader(data, reversed(10), {.batch_size = 2, .ahead = ahead});
    CHECK(loader.next()->images.values()[0] == 9);
    CHECK(loader.next()->images.values()[0] == 7);
    for (int again = 0; again < 2; ++again) {
      try {
        loader.next();
        FAIL("the error was lost");
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::kCorrupt);
        CHECK(std::string(error.what()) == "picture 5: is damaged");
      }
    }
  }
}

TEST_CASE("BatchLoader: it may be left at any time, and does not end what it began") {
  const Slow data(10000, std::chrono::milliseconds(2));
  const auto start = std::chrono::steady_clock::now();
  { const BatchLoader loader(data, reversed(10000), {.batch_size = 5000}); }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  CHECK(data.read < 5000);
}

TEST_CASE("BatchLoader: Ctrl-C ends the wait for a slow batch") {
  install_interrupt_handler();
  const Slow data(10000, std::chrono::milliseconds(2));
  BatchLoader loader(data, reversed(10000), {.batch_size = 10000});
  std::thread key([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ::raise(SIGINT);
  });
  try {
    loader.next();
    FAIL("was not interrupted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInterrupted);
  }
  key.join();
  clear_interrupt();
  ::signal(SIGINT, SIG_DFL);
}

TEST_CASE("small batches are made further ahead, up to 2 MB of them") {
  CHECK(batches_ahead(0) == 64);
  CHECK(batches_ahead(1) == 64);
  CHECK(batches_ahead(32 * 784 * 4) == 20);
  CHECK(batches_ahead(1 << 20) == 4);
  CHECK(batches_ahead(std::int64_t{1} << 40) == 4);
  const Slow data(70);
  std::vector<std::int64_t> order(70);
  std::iota(order.begin(), order.end(), 0);
  BatchLoader loader(data, order, {.batch_size = 1});
  for (int i = 0; i < 1000 && data.read < 65; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(data.read == 65);  // 64 lie ready, one waits to
}

TEST_CASE("the loader says how long it was waited for") {
  using std::chrono::milliseconds;
  constexpr std::int64_t kImages = 12;
  const auto waited = [](milliseconds to_read, milliseconds to_train, std::int64_t ahead) {
    const Slow data(kImages, to_read);
    std::vector<std::int64_t> order(kImages);
    std::iota(order.begin(), order.end(), 0);
    BatchLoader loader(data, order, {.batch_size = 2, .ahead = ahead});
    while (loader.next()) std::this_thread::sleep_for(to_train);
    return loader.waited();
  };
  // Sleeping may take longer, never less.
  CHECK(waited(milliseconds(4), {}, 0) >= 0.048);
  CHECK(waited(milliseconds(4), {}, 4) >= 0.020);
  // The first batch alone, while each of the others is trained on for as long as ten take.
  CHECK(waited(milliseconds(1), milliseconds(20), 4) < waited(milliseconds(20), {}, 4) / 4);
}

TEST_CASE("batches that are given back change none of those that follow") {
  const Slow data(23);
  for (const std::int64_t ahead : {0, 3}) {
    BatchLoader plain(data, reversed(23), {.batch_size = 4, .ahead = ahead});
    BatchLoader loader(data, reversed(23), {.batch_size = 4, .ahead = ahead});
    while (auto want = plain.next()) {
      auto got = loader.next();
      REQUIRE(got);
      CHECK(got->labels == want->labels);
      CHECK(std::ranges::equal(got->images.values(), want->images.values()));
      const Tensor kept = got->images;
      loader.give_back(std::move(*got));
      CHECK(std::ranges::equal(kept.values(), want->images.values()));
    }
    CHECK_FALSE(loader.next());
  }
}
