#include "core/base/workers.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace espalier;

TEST_CASE("workers: each item is done once, run after run, whatever the number of threads") {
  for (const int threads : {0, 1, 2, 5}) {
    CAPTURE(threads);
    Workers workers(threads);
    for (const int items : {0, 1, 2, 7, 100}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(items));
      for (int run = 0; run < 50; ++run)
        workers.run(items, [&](int i) { ++done[static_cast<std::size_t>(i)]; });
      for (const auto& times : done) CHECK(times == 50);
    }
  }
}

TEST_CASE("workers: several threads work at once, and the caller is one of them") {
  Workers workers(3);
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::thread::id> there;
  // No item ends before all three have begun: one thread alone would wait for ever.
  workers.run(3, [&](int) {
    std::unique_lock lock(mutex);
    there.insert(std::this_thread::get_id());
    changed.notify_all();
    changed.wait(lock, [&] { return there.size() == 3; });
  });
  CHECK(there.contains(std::this_thread::get_id()));
}

TEST_CASE("workers: what an item throws reaches the caller, of several the lowest one's") {
  for (const int threads : {1, 4}) {
    Workers workers(threads);
    std::atomic<int> done = 0;
    const auto fails = [&](int i) {
      ++done;
      if (i % 3 == 2) throw std::runtime_error("item " + std::to_string(i));
    };
    for (int run = 0; run < 20; ++run) {
      done = 0;
      CHECK_THROWS_WITH(workers.run(12, fails), "item 2");
      CHECK(done == 12);
    }
    workers.run(2, fails);  // and they go on
    CHECK(done == 14);
  }
}
