#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "core/base/file.hpp"
#include "datasets/idx.hpp"

using namespace espalier;
namespace {

const auto kFile = std::filesystem::temp_directory_path() / "espalier_idx_test.idx";

ErrorKind load(const Bytes& bytes, int rank = 1) {
  write_file(kFile, bytes);
  try {
    datasets::load_idx(kFile, rank);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;  // it was accepted
}

}  // namespace

TEST_CASE("IDX: a good file loads; every damaged one is corrupt") {
  const Bytes good = {0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9};
  CHECK(load(good) == ErrorKind::kInternal);
  CHECK(datasets::load_idx(kFile, 1).values<std::uint8_t>()[2] == 9);
  CHECK(load(good, 3) == ErrorKind::kCorrupt);
  for (std::size_t n = 0; n < good.size(); ++n)
    CHECK(load({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)}) ==
          ErrorKind::kCorrupt);
  CHECK(load({0, 0, 8, 1, 0, 0, 0, 1, 7, 8}) == ErrorKind::kCorrupt);              // trailing byte
  CHECK(load({0, 0, 9, 1, 0, 0, 0, 1, 7}) == ErrorKind::kCorrupt);                 // signed bytes
  CHECK(load({0, 0, 8, 1, 255, 255, 255, 255, 7}) == ErrorKind::kCorrupt);         // too large
  CHECK(load({0, 0, 8, 1, 0, 0, 0, 0}) == ErrorKind::kCorrupt);                    // empty
  CHECK(load({0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2}) == ErrorKind::kCorrupt);  // broken gzip
  std::filesystem::remove(kFile);
  CHECK_THROWS_AS(datasets::load_idx(kFile, 1), Error);
}

TEST_CASE("the real MNIST loads where MNIST_DIR points at it") {
  const char* folder = std::getenv("MNIST_DIR");
  if (!folder || !*folder) return;
  const Tensor images =
      datasets::load_idx(std::filesystem::path(folder) / "t10k-images-idx3-ubyte.gz", 3);
  CHECK(images.shape() == Shape{10000, 28, 28});
  CHECK(datasets::load_idx(std::filesystem::path(folder) / "t10k-labels-idx1-ubyte.gz", 1)
            .values<std::uint8_t>()[0] == 7);
}
