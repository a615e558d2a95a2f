#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "core/base/file.hpp"
#include "datasets/idx.hpp"
#include "datasets/mnist.hpp"

using namespace espalier;
using namespace espalier::datasets;
namespace fs = std::filesystem;
namespace {

// A folder of its own; HOME and MNIST_DIR lead nowhere meanwhile.
class Scratch {
 public:
  Scratch() : home_(value("HOME")), mnist_dir_(value("MNIST_DIR")) {
    fs::create_directories(folder);
    ::setenv("HOME", (folder / "home").c_str(), 1);
    ::unsetenv("MNIST_DIR");
  }
  ~Scratch() {
    fs::remove_all(folder);
    restore("HOME", home_);
    restore("MNIST_DIR", mnist_dir_);
  }
  const fs::path folder =
      fs::temp_directory_path() / ("espalier_mnist_test." + std::to_string(::getpid()));

 private:
  static std::optional<std::string> value(const char* name) {
    const char* text = std::getenv(name);
    return text ? std::optional<std::string>(text) : std::nullopt;
  }
  static void restore(const char* name, const std::optional<std::string>& text) {
    text ? ::setenv(name, text->c_str(), 1) : ::unsetenv(name);
  }
  std::optional<std::string> home_, mnist_dir_;
};

// `header`, then `count` bytes of 255.
Bytes idx(const Bytes& header, std::size_t count) {
  Bytes out(header.size() + count, 255);
  std::ranges::copy(header, out.begin());
  return out;
}

Bytes images(std::uint8_t n, std::uint8_t side = 28) {
  return idx({0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, side, 0, 0, 0, side}, std::size_t{n} * side * side);
}

Bytes labels(const Bytes& values) {
  const auto n = static_cast<std::uint8_t>(values.size());
  Bytes out = idx({0, 0, 8, 1, 0, 0, 0, n}, values.size());
  std::ranges::copy(values, out.begin() + 8);
  return out;
}

Bytes gzip(const Bytes& plain) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(deflateBound(&stream, static_cast<uLong>(plain.size())) + 32);
  stream.next_in = const_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void write_all(const fs::path& folder) {
  fs::create_directories(folder);
  write_file(folder / "train-images-idx3-ubyte", images(3));
  write_file(folder / "train-labels-idx1-ubyte", labels({7, 0, 9}));
  write_file(folder / "t10k-images-idx3-ubyte.gz", gzip(images(2)));
  write_file(folder / "t10k-labels-idx1-ubyte.gz", gzip(labels({1, 2})));
}

// The error's kind and whether its message names `file`.
void refuses(const std::optional<fs::path>& folder, ErrorKind kind, const std::string& file) {
  try {
    load_mnist(folder);
    FAIL("was accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    CHECK_MESSAGE(std::string(error.what()).find(file) != std::string::npos, error.what());
  }
}

}  // namespace

TEST_CASE("MNIST: plain and gzipped files load from each of the three places") {
  const Scratch scratch;
  CHECK(!load_mnist().has_value());
  refuses(scratch.folder / "none", ErrorKind::kIo, "none");
  write_all(scratch.folder / "given");
  const auto data = load_mnist(scratch.folder / "given");
  REQUIRE(data.has_value());
  CHECK(data->train->size() == 3);
  CHECK(data->test->size() == 2);
  CHECK(data->train->image_shape() == Shape{28, 28, 1});
  CHECK(data->train->classes() == 10);
  CHECK(data->train->get(2).label == 9);
  CHECK(data->test->get(1).label == 2);
  CHECK(data->test->get(1).image.values()[783] == 1.0f);

  ::setenv("MNIST_DIR", (scratch.folder / "given").c_str(), 1);
  CHECK(load_mnist().has_value());
  refuses(scratch.folder / "none", ErrorKind::kIo, "none");  // never another folder in its place
  ::setenv("MNIST_DIR", "", 1);                              // as good as unset
  CHECK(!load_mnist().has_value());
  ::unsetenv("MNIST_DIR");
  CHECK(!load_mnist().has_value());
  write_all(scratch.folder / "home/.cache/espalier/mnist");
  CHECK(load_mnist().has_value());

  // A MNIST_DIR that leads nowhere is an error, though the cache holds the data.
  for (const fs::path& wrong : {scratch.folder / "none", scratch.folder}) {
    ::setenv("MNIST_DIR", wrong.c_str(), 1);
    refuses(
        {}, ErrorKind::kIo,
        "MNIST_DIR=" + wrong.string() +
            (wrong == scratch.folder ? ": holds no file of MNIST" : ": there is no such folder"));
  }
}

TEST_CASE("MNIST: files that do not fit are refused by name") {
  const Scratch scratch;
  const fs::path& folder = scratch.folder;
  write_all(folder);
  write_file(folder / "train-labels-idx1-ubyte", labels({7, 0, 10}));
  refuses(folder, ErrorKind::kCorrupt, "train-labels-idx1-ubyte");
  write_file(folder / "train-labels-idx1-ubyte", labels({7, 0}));
  refuses(folder, ErrorKind::kCorrupt, "train-labels-idx1-ubyte");
  fs::remove(folder / "train-labels-idx1-ubyte");
  refuses(folder, ErrorKind::kIo, "train-labels-idx1-ubyte");
  write_all(folder);
  write_file(folder / "train-images-idx3-ubyte", images(3, 27));
  refuses(folder, ErrorKind::kCorrupt, "train-images-idx3-ubyte");
  write_file(folder / "train-images-idx3-ubyte", labels({1, 2, 3}));  // one axis, not three
  refuses(folder, ErrorKind::kCorrupt, "train-images-idx3-ubyte");
}

TEST_CASE("IDX: a gzip stream that is cut, flipped or followed by bytes is corrupt") {
  const Scratch scratch;
  const fs::path file = scratch.folder / "labels.gz";
  const auto accepted = [&](const Bytes& bytes) {
    write_file(file, bytes);
    try {
      load_idx(file, 1);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kCorrupt);
      CHECK(std::string(error.what()).find("labels.gz") != std::string::npos);
      return false;
    }
    return true;
  };
  const Bytes good = gzip(labels({3, 1, 4, 1, 5}));
  CHECK(accepted(good));
  for (std::size_t n = 0; n < good.size(); ++n)
    CHECK(!accepted({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)}));
  Bytes longer = good;
  longer.push_back(0);
  CHECK(!accepted(longer));
  for (std::size_t n = 10; n < good.size(); ++n) {  // past gzip's header: data, CRC-32, size
    Bytes flipped = good;
    flipped[n] ^= 0x10;
    const bool taken = accepted(flipped);
    if (n >= good.size() - 8) CHECK_MESSAGE(!taken, "byte " << n);
    // DEFLATE pads its last byte: a bit there means nothing.
    if (taken)
      CHECK(std::ranges::equal(load_idx(file, 1).values<std::uint8_t>(), Bytes{3, 1, 4, 1, 5}));
  }
  CHECK(!accepted(gzip({0, 0, 8, 1, 0, 0, 0, 9, 1})));  // promises nine, holds one
}

TEST_CASE("the real MNIST loads where MNIST_DIR points at it, with its known label counts") {
  const char* named = std::getenv("MNIST_DIR");
  if (!named || !*named) {
    MESSAGE("left out: MNIST_DIR is not set");
    return;
  }
  const auto data = load_mnist();
  REQUIRE(data.has_value());
  CHECK(data->train->size() == 60000);
  CHECK(data->test->size() == 10000);
  std::vector<int> counts(10);
  for (std::int64_t i = 0; i < 10000; ++i)
    ++counts[static_cast<std::size_t>(data->test->get(i).label)];
  CHECK(counts == std::vector<int>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
}
