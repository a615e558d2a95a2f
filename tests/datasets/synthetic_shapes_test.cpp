#include "datasets/synthetic_shapes.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "datasets/image_folder.hpp"
#include "datasets/load.hpp"
#include "datasets/subset.hpp"

using namespace espalier;
using namespace espalier::datasets;
namespace fs = std::filesystem;
namespace {

bool same(const Example& a, const Example& b) {
  return a.label == b.label && std::ranges::equal(a.image.values(), b.image.values());
}

}  // namespace

TEST_CASE("synthetic shapes: colour pictures, labels in turn, a name a kind") {
  const auto [train, test] = synthetic_shapes({.train = 200, .test = 30});
  CHECK(train->size() == 200);
  CHECK(test->size() == 30);
  CHECK(train->image_shape() == Shape{32, 32, 3});
  CHECK(train->classes() == 10);
  CHECK(shape_names().size() == 10);
  CHECK(std::ranges::is_sorted(shape_names()));  // as a folder of class folders has them
  for (std::int64_t i = 0; i < train->size(); ++i) {
    const Example example = train->get(i);
    CHECK(example.label == i % 10);
    const auto values = example.image.values();
    const auto [low, high] = std::ranges::minmax(values);
    CHECK((low >= 0 && high <= 1 && high - low > 0.2f));
    bool grey = true;
    for (std::size_t k = 0; k < values.size(); k += 3)
      grey = grey && values[k] == values[k + 1] && values[k] == values[k + 2];
    CHECK(!grey);
  }
  CHECK_THROWS_AS(synthetic_shapes({.train = 0}), Error);
  CHECK_THROWS_AS(synthetic_shapes({.test = -1}), Error);
}

TEST_CASE("synthetic shapes: the seed decides, a larger set begins with the smaller") {
  const auto small = synthetic_shapes({.train = 20, .test = 10, .seed = 4});
  const auto large = synthetic_shapes({.train = 40, .test = 20, .seed = 4});
  const auto other = synthetic_shapes({.train = 20, .test = 10, .seed = 5});
  for (std::int64_t i = 0; i < 10; ++i) {
    CHECK(same(small.train->get(i), large.train->get(i)));
    CHECK(same(small.test->get(i), large.test->get(i)));
    CHECK(!same(small.train->get(i), small.test->get(i)));
    CHECK(!same(small.train->get(i), other.train->get(i)));
    CHECK(!same(small.train->get(i), small.train->get(i + 10)));  // the kind again, drawn anew
  }
}

TEST_CASE("built-in data by name, unless a file or folder has the name") {
  const fs::path old = fs::current_path();
  const fs::path place = fs::temp_directory_path() / "espalier_built_in_test";
  fs::remove_all(place);
  fs::create_directories(place);
  fs::current_path(place);
  CHECK(is_built_in("shapes"));
  CHECK(is_built_in("digits"));
  CHECK(!is_built_in("shape"));
  const auto loaded = load_data("shapes");
  CHECK(loaded.kind == DataKind::kBuiltIn);
  CHECK(loaded.labels == shape_names());
  CHECK(same(loaded.data.train->get(7), synthetic_shapes().train->get(7)));
  CHECK(load_data("digits").data.train->image_shape() == Shape{28, 28, 1});
  CHECK_THROWS_AS(load_data("shapes", {.grey = true}), Error);

  // Written as class folders, these are then found under the name, and are the same pictures.
  const auto few = synthetic_shapes({.train = 40, .test = 20});
  write_image_folder("shapes", few, shape_names());
  CHECK(!is_built_in("shapes"));
  const auto folder = load_data("shapes");
  CHECK(folder.kind == DataKind::kImageFolder);
  CHECK(!folder.split);
  CHECK(folder.labels == shape_names());
  CHECK(folder.data.train->size() == 40);
  for (int i = 0; i < 20; ++i) {  // by class, and in it by number
    const std::int64_t was = (i % 2) * 10 + i / 2;
    CHECK(same(folder.data.test->get(i), few.test->get(was)));
  }
  CHECK_THROWS_AS(write_image_folder("bad", few, {"a", "b"}), Error);
  std::vector<std::string> names = shape_names();
  names[3] = "a/b";
  CHECK_THROWS_AS(write_image_folder("bad", few, names), Error);
  CHECK(!fs::exists("bad"));
  write_image_folder("numbers", few, {});
  CHECK(fs::exists("numbers/test/3/03.png"));
  fs::current_path(old);
  fs::remove_all(place);
}
