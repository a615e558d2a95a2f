#include <doctest/doctest.h>
#include <zlib.h>

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

Bytes gzipped(const Bytes& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes packed(deflateBound(&stream, bytes.size()));
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
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

TEST_CASE("IDX.gz: unpacked no further than its header promises") {
  Bytes bytes = {0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9};
  CHECK(datasets::decode_idx(gzipped(bytes), 1, "a.gz").values<std::uint8_t>()[1] == 8);
  const Bytes packed = gzipped(bytes);
  for (std::size_t n = 2; n < packed.size(); ++n)
    CHECK(load({packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(n)}) ==
          ErrorKind::kCorrupt);
  CHECK(load(gzipped({0, 0, 8, 1, 0, 0})) == ErrorKind::kCorrupt);  // ends within the header
  CHECK(load(gzipped({0, 0, 8, 1, 0, 0, 0, 2, 7})) == ErrorKind::kCorrupt);

  bytes.resize(16 << 20);
  const Bytes bomb = gzipped(bytes);
  REQUIRE(bomb.size() < bytes.size() / 500);
  CHECK_THROWS_WITH_AS(datasets::decode_idx(bomb, 1, "b.gz"), "b.gz: unpacks to more than 11 bytes",
                       Error);
  std::filesystem::remove(kFile);
}

TEST_CASE("the real MNIST loads where MNIST_DIR points at it") {
  const char* folder = std::getenv("MNIST_DIR");
  if (!folder || !*folder) {
    MESSAGE("left out: MNIST_DIR is not set");
    return;
  }
  const Tensor images =
      datasets::load_idx(std::filesystem::path(folder) / "t10k-images-idx3-ubyte.gz", 3);
  CHECK(images.shape() == Shape{10000, 28, 28});
  CHECK(datasets::load_idx(std::filesystem::path(folder) / "t10k-labels-idx1-ubyte.gz", 1)
            .values<std::uint8_t>()[0] == 7);
}
