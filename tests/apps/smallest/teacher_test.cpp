// A teacher is kept for what it was trained for, and for nothing else.
#include "apps/smallest/teacher.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "core/base/file.hpp"
#include "datasets/synthetic_digits.hpp"

using namespace espalier;
namespace fs = std::filesystem;

TEST_CASE("teacher: read again for the same data, network and seed, else trained anew") {
  const auto data = datasets::synthetic_digits({.train = 60, .test = 10});
  const fs::path folder =
      fs::temp_directory_path() / ("espalier_teacher_test." + std::to_string(::getpid()));
  fs::create_directories(folder);
  const fs::path file = folder / "teacher.safetensors";
  const auto get = [&](const std::string& network, apps::TeacherOptions options) {
    options.quiet = true;
    apps::teacher(apps::network_kind(network), file, data.train, options);
    return read_file(file);
  };
  const Bytes first = get("lenet300", {.epochs = 2, .identity = "digits"});
  const auto written = fs::last_write_time(file);
  CHECK(get("lenet300", {.epochs = 2, .identity = "digits"}) == first);
  CHECK(get("lenet300", {.epochs = 1, .identity = "digits"}) == first);  // more than asked for
  CHECK(get("lenet300", {.epochs = 1}) == first);                        // whatever is there
  CHECK(fs::last_write_time(file) == written);

  const Bytes more = get("lenet300", {.epochs = 3, .identity = "digits"});
  CHECK(more != first);
  const Bytes seeded = get("lenet300", {.epochs = 3, .seed = 2, .identity = "digits"});
  CHECK(seeded != more);
  const auto before = fs::last_write_time(file);
  get("lenet300", {.epochs = 3, .seed = 2, .identity = "other digits"});
  CHECK(fs::last_write_time(file) > before);
  CHECK(get("tutorial-small", {.epochs = 1, .identity = "other digits"}) != seeded);
  fs::remove_all(folder);
}
