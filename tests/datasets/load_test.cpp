// One loader for every kind of data, and folders of IDX files.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/base/file.hpp"
#include "datasets/gzip.hpp"
#include "datasets/idx.hpp"
#include "datasets/idx_folder.hpp"
#include "datasets/in_memory.hpp"
#include "datasets/load.hpp"
#include "datasets/statistics.hpp"
#include "tests/apps/program.hpp"
#include "tests/datasets/pictures.hpp"

using namespace espalier;
using namespace espalier::datasets;
using tests::contains;
using tests::Folder;
namespace fs = std::filesystem;
namespace {

// n images of [h w c]; image i holds i, i + 1, ...; its label is i mod classes.
std::shared_ptr<const Dataset> numbered(std::int64_t n, Shape image, int classes) {
  Tensor pixels({n, image[0], image[1], image[2]}, DType::kUint8), labels({n}, DType::kUint8);
  for (std::int64_t i = 0; i < n; ++i) {
    labels.mutable_data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % classes);
    for (std::int64_t k = 0; k < image.elements(); ++k)
      pixels.mutable_data<std::uint8_t>()[i * image.elements() + k] =
          static_cast<std::uint8_t>(i + k);
  }
  return std::make_shared<InMemory>(pixels, labels, classes);
}

bool same(const Dataset& a, const Dataset& b) {
  if (a.size() != b.size() || !(a.image_shape() == b.image_shape())) return false;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const Example x = a.get(i), y = b.get(i);
    if (x.label != y.label || !std::ranges::equal(x.image.values(), y.image.values())) return false;
  }
  return true;
}

std::string refusal(const fs::path& path, ErrorKind kind, const LoadOptions& options = {}) {
  try {
    load_data(path, options);
    return "it was accepted";
  } catch (const Error& error) {
    CHECK_MESSAGE(error.kind() == kind, error.what());
    return error.what();
  }
}

}  // namespace

TEST_CASE("IDX: what is encoded decodes to the same, gzipped or not") {
  const Tensor array = Tensor::from<std::uint8_t>({2, 1, 3}, Bytes{1, 2, 3, 4, 5, 255});
  const Bytes plain = encode_idx(array);
  CHECK(plain.size() == 4 + 3 * 4 + 6);
  for (const Bytes& bytes : {plain, gzip(plain)}) {
    const Tensor back = decode_idx(bytes, 3, "t");
    CHECK(back.shape() == array.shape());
    CHECK(std::ranges::equal(back.values<std::uint8_t>(), array.values<std::uint8_t>()));
  }
  CHECK(gzip(plain) == gzip(plain));
  CHECK(gunzip(gzip({}), "t", 10).empty());
  CHECK_THROWS_AS(encode_idx(Tensor({2, 2})), Error);
}

TEST_CASE("a folder of IDX files, written and loaded: grey and colour, names, any size") {
  for (const std::int64_t channels : {1, 3}) {
    const Folder folder("load_test");
    const TrainTest data{numbered(9, {4, 6, channels}, 3), numbered(5, {4, 6, channels}, 2)};
    write_idx_folder(folder.path / "idx", data, {"ape", "bee", "cat"});
    CHECK(is_idx_folder(folder.path / "idx"));
    const auto loaded = load_data(folder.path / "idx");
    CHECK(loaded.kind == DataKind::kIdx);
    CHECK(loaded.labels == std::vector<std::string>{"ape", "bee", "cat"});
    CHECK(same(*loaded.data.train, *data.train));
    CHECK(loaded.data.test->classes() == 3);
    const auto small = load_data(folder.path / "idx", {.size = ImageSize{2, 3}, .grey = true});
    CHECK(small.data.test->image_shape() == Shape{2, 3, 1});
    CHECK(!contains(refusal(folder.path / "idx", ErrorKind::kUsage, {.csv = {.label = "x"}}),
                    "accepted"));

    fs::remove(folder.path / "idx/labels.txt");
    CHECK(load_data(folder.path / "idx").data.train->classes() == 3);
    write_file(folder.path / "idx/labels.txt", "ape\r\nbee\n");  // the third is missing
    CHECK(contains(refusal(folder.path / "idx", ErrorKind::kCorrupt), "is 2, wanted 0 to 1"));
    write_file(folder.path / "idx/labels.txt", "ape\n\nbee\n");
    CHECK(
        contains(refusal(folder.path / "idx", ErrorKind::kCorrupt), "labels.txt: line 2 is empty"));
    write_file(folder.path / "idx/labels.txt", "ape\nape\nbee\n");
    CHECK(contains(refusal(folder.path / "idx", ErrorKind::kCorrupt), "names a class again: ape"));
    write_file(folder.path / "idx/labels.txt", std::string(257, 'a') + "\nbee\ncow\n");
    CHECK(contains(refusal(folder.path / "idx", ErrorKind::kCorrupt), "has 257 bytes"));
    fs::remove(folder.path / "idx/t10k-labels-idx1-ubyte.gz");
    CHECK(contains(refusal(folder.path / "idx", ErrorKind::kIo),
                   "t10k-labels-idx1-ubyte: is missing"));
  }
  const Folder folder("load_test");
  CHECK_THROWS_AS(
      write_idx_folder(folder.path, {numbered(2, {1, 1, 2}, 2), numbered(2, {1, 1, 2}, 2)}, {}),
      Error);
  CHECK_THROWS_AS(
      write_idx_folder(folder.path, {numbered(2, {1, 1, 1}, 2), numbered(2, {1, 1, 1}, 2)},
                       {"a\nb", "c"}),
      Error);
}

TEST_CASE("load_data: an image folder, and the same pictures after conversion to IDX") {
  const Folder folder("load_test");
  for (int i = 0; i < 12; ++i) {
    const fs::path of = folder.path / "data" / (i % 2 ? "odd" : "even");
    fs::create_directories(of);
    write_file(of / (std::to_string(i) + ".jpg"),
               tests::jpeg_of(tests::gradient(20 + i, 30, 3, i % 2)));
  }
  const auto loaded = load_data(folder.path / "data", {.size = ImageSize{8, 10}});
  CHECK(loaded.kind == DataKind::kImageFolder);
  CHECK(loaded.split);
  CHECK(loaded.sizes.size() == 12);
  CHECK(loaded.labels == std::vector<std::string>{"even", "odd"});
  write_idx_folder(folder.path / "idx", loaded.data, loaded.labels);
  const auto back = load_data(folder.path / "idx");
  CHECK(same(*loaded.data.train, *back.data.train));
  CHECK(same(*loaded.data.test, *back.data.test));
  CHECK(back.labels == loaded.labels);
  CHECK(load_data(folder.path / "data", {.grey = true, .first_size = true})
            .data.train->image_shape() == Shape{20, 30, 1});
}

TEST_CASE("load_data: a CSV file, and what it has no use for") {
  const Folder folder("load_test");
  std::string text = "x,class,y\n";
  for (int i = 0; i < 10; ++i) text += std::to_string(i) + (i % 2 ? ",odd," : ",even,") + "1\n";
  write_file(folder.path / "t.csv", text);
  const auto loaded = load_data(folder.path / "t.csv", {.csv = {.label = "class"}});
  CHECK(loaded.kind == DataKind::kCsv);
  CHECK(loaded.features == std::vector<std::string>{"x", "y"});
  CHECK(loaded.columns.size() == 2);
  CHECK(loaded.labels == std::vector<std::string>{"even", "odd"});
  CHECK(contains(refusal(folder.path / "t.csv", ErrorKind::kUsage, {.grey = true}),
                 "holds no pictures"));
}

TEST_CASE("load_data: anything else is refused with what it is and what is wanted") {
  const Folder folder("load_test");
  CHECK(contains(refusal(folder.path / "none", ErrorKind::kIo), "there is no such file or folder"));
  CHECK(contains(refusal(folder.path, ErrorKind::kCorrupt),
                 "is a folder without folders and IDX files"));
  const auto file = [&](const std::string& bytes) {
    write_file(folder.path / "f", bytes);
    const std::string message = refusal(folder.path / "f", ErrorKind::kCorrupt);
    CHECK_MESSAGE(contains(message, "wanted is a folder with a folder of pictures"), message);
    return message;
  };
  CHECK(contains(file("\x89PNG\r\n"), "is a single picture"));
  CHECK(contains(file("\x1f\x8b\x08"), "is a gzip file"));
  CHECK(contains(file("PK\x03\x04"), "is a zip archive; unpack it"));
  CHECK(contains(file(std::string("\0\0\x08\x03\0\0\0\1", 8)), "is a single IDX file"));
  CHECK(contains(file(std::string("abc\0", 4)), "is a binary file"));
}

TEST_CASE("statistics: counts, mean and deviation of every channel") {
  const auto data = numbered(4, {1, 2, 3}, 3);  // channel c of image i: i + c and i + c + 3
  const auto facts = statistics_of(*data);
  CHECK(facts.counts == std::vector<std::int64_t>{2, 1, 1});
  REQUIRE(facts.mean.size() == 3);
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(facts.mean[c] * 255 == doctest::Approx(3.0 + static_cast<double>(c)));
    CHECK(facts.deviation[c] * 255 == doctest::Approx(std::sqrt(1.25 + 2.25)));
  }
}

TEST_CASE("the real MNIST loads by its path where MNIST_DIR points at it") {
  const char* folder = std::getenv("MNIST_DIR");
  if (!folder || !*folder) {
    MESSAGE("left out: MNIST_DIR is not set");
    return;
  }
  const auto loaded = load_data(folder);
  CHECK(loaded.kind == DataKind::kIdx);
  CHECK(loaded.data.train->size() == 60000);
  CHECK(loaded.data.test->classes() == 10);
}
