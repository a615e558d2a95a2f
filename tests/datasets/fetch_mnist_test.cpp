// Downloads, against a server of our own.
#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "core/base/file.hpp"
#include "datasets/download.hpp"
#include "datasets/fetch_mnist.hpp"
#include "datasets/sha256.hpp"
#include "tests/datasets/loopback_server.hpp"

using namespace espalier;
using namespace espalier::datasets;
using espalier::tests::LoopbackServer;
namespace fs = std::filesystem;
namespace {

Bytes gzip(const std::string& text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  Bytes out(deflateBound(&stream, static_cast<uLong>(text.size())) + 32);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string hash(const std::string& text) {
  return sha256(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

class Scratch {
 public:
  Scratch() { fs::create_directories(folder); }
  ~Scratch() { fs::remove_all(folder); }
  const fs::path folder =
      fs::temp_directory_path() / ("espalier_fetch_test." + std::to_string(::getpid()));
};

const std::vector<RemoteFile> kFiles = {{"a.gz", 100, hash("first")},
                                        {"b.gz", 100, hash("second")}};

int fetch(const std::string& url, const fs::path& to) {
  return fetch_mnist({.url = url, .to = to, .quiet = true, .files = kFiles});
}

// The error's kind, after its message was found to hold `part`; nothing may have been written.
ErrorKind refusal(const std::string& url, const fs::path& to, const std::string& part) {
  try {
    fetch(url, to);
  } catch (const Error& error) {
    CHECK_MESSAGE(std::string(error.what()).find(part) != std::string::npos, error.what());
    CHECK(fs::is_empty(to));
    return error.kind();
  }
  FAIL("was accepted");
  return {};
}

}  // namespace

TEST_CASE("SHA-256 of FIPS 180-4's example") {
  CHECK(hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hash("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("fetch: verified files arrive as they were sent; a second time nothing is downloaded") {
  const Scratch scratch;
  const fs::path to = scratch.folder / "new/folder";
  const LoopbackServer server({{"/m/a.gz", {.body = gzip("first")}},
                               {"/m/b.gz", {.status = "302 Found", .location = "/elsewhere"}},
                               {"/elsewhere", {.body = gzip("second")}}});
  CHECK(fetch(server.url() + "m", to) == 2);
  CHECK(read_file(to / "a.gz") == gzip("first"));
  CHECK(read_file(to / "b.gz") == gzip("second"));
  CHECK(server.requests() == 3);
  CHECK(fetch(server.url() + "m/", to) == 0);
  CHECK(server.requests() == 3);
  write_file(to / "a.gz", std::string_view("spoilt"));
  CHECK(fetch(server.url() + "m/", to) == 1);
  CHECK(read_file(to / "a.gz") == gzip("first"));
  CHECK(std::distance(fs::directory_iterator(to), {}) == 2);  // no temporary stays behind
}

TEST_CASE("fetch: other contents, errors and broken connections leave the folder as it was") {
  const Scratch scratch;
  const fs::path to = scratch.folder;
  const Bytes second = gzip("second");
  const auto served = [&](LoopbackServer::Answer answer) {
    return std::map<std::string, LoopbackServer::Answer>{{"/a.gz", {.body = gzip("first")}},
                                                         {"/b.gz", std::move(answer)}};
  };
  {
    const LoopbackServer server(served({.body = gzip("other")}));
    CHECK(refusal(server.url(), to, hash("second")) == ErrorKind::kCorrupt);
  }
  {
    const LoopbackServer server(served({.body = {'<', 'h', 't', 'm', 'l', '>'}}));
    CHECK(refusal(server.url(), to, "not gzipped") == ErrorKind::kCorrupt);
  }
  {
    const LoopbackServer server(served({.body = {second.begin(), second.end() - 4}}));
    CHECK(refusal(server.url(), to, "b.gz") == ErrorKind::kCorrupt);  // cut before it was served
  }
  {
    const LoopbackServer server(
        served({.body = {second.begin(), second.end() - 4}, .withheld_bytes = 4}));
    CHECK(refusal(server.url(), to, "b.gz") == ErrorKind::kIo);
  }
  {
    const LoopbackServer server(served({.status = "404 Not Found"}));
    CHECK(refusal(server.url(), to, "404") == ErrorKind::kIo);
  }
  const std::string nobody = "http://127.0.0.1:" + std::to_string(tests::closed_port()) + "/";
  CHECK(refusal(nobody, to, nobody + "a.gz") == ErrorKind::kIo);
  CHECK(refusal("ftp://127.0.0.1/", to, "http://") == ErrorKind::kUsage);
  CHECK(refusal("file:///etc", to, "http://") == ErrorKind::kUsage);
}

TEST_CASE("download: the limit holds, and progress counts up to the size") {
  const LoopbackServer server({{"/x", {.body = Bytes(300'000, 7)}}});
  std::size_t seen = 0;
  const auto bytes = download(server.url() + "x", {.progress = [&](std::size_t n) { seen = n; }});
  CHECK(bytes == Bytes(300'000, 7));
  CHECK(seen == 300'000);
  CHECK_THROWS_AS(download(server.url() + "x", {.limit_bytes = 1000}), Error);
}

TEST_CASE("find_or_fetch_mnist: without a network there is no MNIST, within five seconds") {
  const Scratch scratch;
  const auto saved = [](const char* name) {
    const char* value = std::getenv(name);
    return value ? std::string(value) : std::string();
  };
  const std::string home = saved("HOME"), mnist = saved("MNIST_DIR"),
                    off = saved("ESPALIER_NO_DOWNLOAD");
  ::setenv("HOME", scratch.folder.c_str(), 1);
  ::unsetenv("MNIST_DIR");
  ::setenv("ESPALIER_NO_DOWNLOAD", "1", 1);
  std::ostringstream told;
  std::streambuf* const standard_error = std::cerr.rdbuf(told.rdbuf());
  CHECK(!find_or_fetch_mnist().has_value());
  CHECK(fs::is_empty(scratch.folder));  // it did not even try
  CHECK(told.str().empty());
  // A try that fails at once: HOME is a file, so the cache's folder cannot be made.
  write_file(scratch.folder / "file", std::string_view("x"));
  ::setenv("HOME", (scratch.folder / "file").c_str(), 1);
  ::unsetenv("ESPALIER_NO_DOWNLOAD");
  const auto start = std::chrono::steady_clock::now();
  CHECK(!find_or_fetch_mnist().has_value());
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  std::cerr.rdbuf(standard_error);
  CHECK_MESSAGE(told.str().starts_with("MNIST could not be downloaded: " +
                                       (scratch.folder / "file").string()),
                told.str());
  CHECK(std::ranges::count(told.str(), '\n') == 1);
  ::setenv("HOME", home.c_str(), 1);
  if (!mnist.empty()) ::setenv("MNIST_DIR", mnist.c_str(), 1);
  if (!off.empty()) ::setenv("ESPALIER_NO_DOWNLOAD", off.c_str(), 1);
}
