// Folders of pictures: layouts, what is skipped, and that streaming changes nothing.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "core/base/file.hpp"
#include "datasets/image_folder.hpp"
#include "tests/apps/program.hpp"
#include "tests/datasets/pictures.hpp"

using namespace espalier;
using namespace espalier::datasets;
using tests::contains;
using tests::Folder;
using tests::gradient;
namespace fs = std::filesystem;
namespace {

void write_jpeg(const fs::path& file, const Tensor& image) {
  fs::create_directories(file.parent_path());
  write_file(file, tests::jpeg_of(image));
}

// `count` pictures in `folder`, PNG and JPEG in turn, each of its own brightness.
void fill(const fs::path& folder, int count, bool down, std::int64_t side = 12) {
  fs::create_directories(folder);
  for (int i = 0; i < count; ++i) {
    Tensor image = gradient(side, side, 3, down);
    for (auto& v : image.mutable_values<std::uint8_t>()) v = static_cast<std::uint8_t>(v / 2 + i);
    const std::string name = std::to_string(100 + i);
    if (i % 2)
      write_jpeg(folder / (name + ".jpg"), image);
    else
      write_png(folder / (name + ".png"), image);
  }
}

struct Failure {
  ErrorKind kind;
  std::string message;
};

Failure failure(const fs::path& folder, const ImageFolderOptions& options = {}) {
  try {
    load_image_folder(folder, options);
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  return {ErrorKind::kInternal, "it was accepted"};
}

#define CHECK_FAILS(folder, wanted, part)                \
  do {                                                   \
    const auto f = failure(folder);                      \
    CHECK_MESSAGE(f.kind == (wanted), f.message);        \
    CHECK_MESSAGE(contains(f.message, part), f.message); \
  } while (false)

std::vector<int> labels_of(const Dataset& data) {
  std::vector<int> all;
  for (std::int64_t i = 0; i < data.size(); ++i) all.push_back(data.get(i).label);
  return all;
}

bool same(const Dataset& a, const Dataset& b) {
  if (a.size() != b.size()) return false;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const Example x = a.get(i), y = b.get(i);
    if (x.label != y.label || !std::ranges::equal(x.image.values(), y.image.values())) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("an image folder: classes by name, a stratified split, hidden files no part of it") {
  const Folder folder("image_folder_test");
  fill(folder.path / "right", 20, false);
  fill(folder.path / "down", 10, true);
  fs::create_directories(folder.path / ".hidden");
  write_file(folder.path / "right/.DS_Store", "x");
  write_file(folder.path / "README.txt", "beside the classes");
  const auto loaded = load_image_folder(folder.path);
  CHECK(loaded.labels == std::vector<std::string>{"down", "right"});
  CHECK(loaded.skipped.empty());
  CHECK(!loaded.has_parts);
  const auto& [train, test] = loaded.data;
  CHECK(train->image_shape() == Shape{12, 12, 3});
  CHECK(train->classes() == 2);
  CHECK(train->size() == 24);
  CHECK(test->size() == 6);
  CHECK(std::ranges::count(labels_of(*test), 0) == 2);
  CHECK(std::ranges::count(labels_of(*train), 1) == 16);
  // The label is the folder's: "down" is brighter at the bottom.
  for (std::int64_t i = 0; i < train->size(); ++i) {
    const Example e = train->get(i);
    const float corner = e.image.values()[11 * 12 * 3] - e.image.values()[0];
    CHECK((corner > 0.2f) == (e.label == 0));
  }
  CHECK(same(*train, *load_image_folder(folder.path).data.train));
  CHECK(!same(*train, *load_image_folder(folder.path, {.split = {.seed = 2}}).data.train));
}

TEST_CASE("an image folder: grey, resized; from memory or from the files, the same pictures") {
  const Folder folder("image_folder_test");
  fill(folder.path / "a", 6, false, 20);
  fill(folder.path / "b", 6, true, 30);
  CHECK_FAILS(folder.path, ErrorKind::kUsage, "30 x 30 pixels");
  CHECK_FAILS(folder.path, ErrorKind::kUsage, "--size");
  for (const Color color : {Color::kGrey, Color::kRgb}) {
    ImageFolderOptions options{.color = color, .size = ImageSize{10, 14}};
    const auto kept = load_image_folder(folder.path, options);
    CHECK(kept.data.train->image_shape() == Shape{10, 14, static_cast<int>(color)});
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1000}}) {
      options.cache_bytes = bytes;
      const auto streamed = load_image_folder(folder.path, options);
      CHECK(same(*kept.data.train, *streamed.data.train));
      CHECK(same(*kept.data.test, *streamed.data.test));
    }
  }
  // Streamed, a file that has gone meanwhile is an error that names it.
  const auto streamed =
      load_image_folder(folder.path, {.size = ImageSize{10, 10}, .cache_bytes = 0});
  fs::remove_all(folder.path / "a");
  CHECK_THROWS_AS(labels_of(*streamed.data.train), Error);
  CHECK(failure(folder.path, {.size = ImageSize{0, 5}}).kind == ErrorKind::kUsage);
}

TEST_CASE("train/ and test/ are used as they are") {
  const Folder folder("image_folder_test");
  fill(folder.path / "train/a", 5, false);
  fill(folder.path / "train/b", 4, true);
  fill(folder.path / "test/b", 3, true);
  const auto loaded = load_image_folder(folder.path);
  CHECK(loaded.has_parts);
  CHECK(loaded.data.train->size() == 9);
  CHECK(std::ranges::count(labels_of(*loaded.data.train), 0) == 5);
  CHECK(labels_of(*loaded.data.test) == std::vector<int>{1, 1, 1});
  CHECK(loaded.data.test->classes() == 2);

  fill(folder.path / "val/a", 1, false);
  CHECK_FAILS(folder.path, ErrorKind::kUsage, "val: lies beside train/ and test/");
  fs::remove_all(folder.path / "val");
  fill(folder.path / "test/c", 1, false);
  CHECK_FAILS(folder.path, ErrorKind::kUsage, "test/c: is a class that train/ does not have");
  fs::remove_all(folder.path / "test");
  CHECK_FAILS(folder.path, ErrorKind::kUsage, "holds train/ without test/");
}

TEST_CASE("unreadable pictures are skipped and counted; more than 5 % are an error") {
  const Folder folder("image_folder_test");
  fill(folder.path / "a", 20, false);
  fill(folder.path / "b", 19, true);
  write_file(folder.path / "a/000.png", "no picture");
  auto loaded = load_image_folder(folder.path);
  REQUIRE(loaded.skipped.size() == 1);
  CHECK(loaded.skipped[0].file == folder.path / "a/000.png");
  CHECK(loaded.skipped[0].reason.starts_with("is no PNG, BMP or JPEG"));
  CHECK(loaded.data.train->size() + loaded.data.test->size() == 39);
  for (const int label : labels_of(*loaded.data.train)) CHECK((label == 0 || label == 1));
  // 2 of 40 are 5 %; a pipe in a file's place does not hang.
  fs::remove(folder.path / "b/118.png");
  REQUIRE(::mkfifo((folder.path / "b/pipe.png").c_str(), 0600) == 0);
  CHECK(load_image_folder(folder.path).skipped.size() == 2);
  write_file(folder.path / "b/zzz.jpg",
             tests::jpeg_of(gradient(12, 12, 3)).size() ? "\xff\xd8\xff" : "");
  CHECK_FAILS(folder.path, ErrorKind::kCorrupt, "3 of 41 files cannot be read as pictures");
  for (const char* name : {"a/000.png (is no PNG", "b/pipe.png (is no file), ", "b/zzz.jpg ("})
    CHECK_FAILS(folder.path, ErrorKind::kCorrupt, (folder.path / name).string());
  CHECK_FAILS(folder.path, ErrorKind::kCorrupt, "repair or remove them: ");
  CHECK(load_image_folder(folder.path, {.max_unreadable = 0.1}).skipped.size() == 3);
  for (int i = 0; i < 9; ++i)
    write_file(folder.path / "b" / ("zzz" + std::to_string(i) + ".jpg"), "no picture");
  CHECK_FAILS(folder.path, ErrorKind::kCorrupt, "12 of 50 files cannot be read");
  CHECK_FAILS(folder.path, ErrorKind::kCorrupt, "b/zzz6.jpg (");
  CHECK_FAILS(folder.path, ErrorKind::kCorrupt, "), and 2 more");
}

TEST_CASE("a folder of another layout is refused, with what is wanted") {
  const Folder folder("image_folder_test");
  CHECK_FAILS(folder.path / "none", ErrorKind::kIo, "there is no such folder");
  const Folder odd("image_folder_names_test");
  for (const char* name : {"a", "b\nc"}) std::filesystem::create_directories(odd.path / name);
  CHECK_FAILS(odd.path, ErrorKind::kUsage, "the class 'b\\x0ac' has control characters");
  CHECK_FAILS(folder.path, ErrorKind::kUsage, "holds 0 folders, wanted at least two");
  fill(folder.path / "a", 2, false);
  CHECK_FAILS(folder.path, ErrorKind::kUsage, "holds 1 folder (a)");
  CHECK_FAILS(folder.path / "a/100.png", ErrorKind::kIo, "is no folder");
  fs::create_directories(folder.path / "b");
  CHECK_FAILS(folder.path, ErrorKind::kUsage, "b: holds no picture");
  write_file(folder.path / "b/x.png", "none");
  const auto none_readable = failure(folder.path, {.max_unreadable = 0.5});
  CHECK(contains(none_readable.message, "b: holds no picture that can be read"));
  fs::create_directories(folder.path / "b/deeper");
  CHECK_FAILS(folder.path, ErrorKind::kUsage, "holds the folder deeper");
}

TEST_CASE("stratified_split: every class in proportion, each example once, the seed decides") {
  std::vector<int> labels;
  for (int i = 0; i < 100; ++i) labels.push_back(i % 10 == 0 ? 1 : i == 55 ? 2 : 0);
  const auto [train, test] = stratified_split(labels, 3, {.test_share = 0.3f});
  CHECK(test.size() == 30);  // 27 of 89, 3 of 10, none of the single one
  std::set<std::int64_t> all(train.begin(), train.end());
  all.insert(test.begin(), test.end());
  CHECK(all.size() == 100);
  CHECK(std::ranges::count_if(
            test, [&](auto i) { return labels[static_cast<std::size_t>(i)] == 1; }) == 3);
  CHECK(std::ranges::find(train, 55) != train.end());
  CHECK(!std::ranges::is_sorted(train));
  CHECK(std::ranges::is_sorted(test));
  CHECK(test == stratified_split(labels, 3, {.test_share = 0.3f}).test);
  CHECK(test != stratified_split(labels, 3, {.test_share = 0.3f, .seed = 2}).test);
  // Every class of two or more has one for the test.
  const std::vector<int> small = {0, 0, 1, 1};
  CHECK(stratified_split(small, 2, {.test_share = 0.01f}).test.size() == 2);
  CHECK(stratified_split(small, 2, {.test_share = 0.99f}).train.size() == 2);
  CHECK_THROWS_AS(stratified_split(small, 2, {.test_share = 1}), Error);
  CHECK_THROWS_AS(stratified_split(small, 1), Error);
  CHECK_THROWS_AS(stratified_split(std::vector<int>{0, 1}, 2), Error);
}
