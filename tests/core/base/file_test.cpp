// What write_file leaves in place: devices, pipes, symbolic links, folders.
#include "core/base/file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

#include "core/base/error.hpp"

namespace fs = std::filesystem;
using namespace espalier;
namespace {

class Scratch {
 public:
  Scratch() { fs::create_directories(folder); }
  ~Scratch() { fs::remove_all(folder); }
  const fs::path folder =
      fs::temp_directory_path() / ("espalier_file_test." + std::to_string(::getpid()));
};

std::string text(const fs::path& path) {
  const Bytes bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

void refuses(const fs::path& path, const std::string& part) {
  try {
    write_file(path, "x");
    FAIL("was written");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kIo);
    CHECK_MESSAGE(std::string(error.what()).find(part) != std::string::npos, error.what());
  }
}

}  // namespace

TEST_CASE("a device and a FIFO are written to, not replaced") {
  const Scratch scratch;
  const fs::path link = scratch.folder / "null", fifo = scratch.folder / "fifo";
  fs::create_symlink("/dev/null", link);  // not the device itself: a test may run as root
  write_file(link, "x");
  CHECK(fs::is_symlink(link));
  CHECK(fs::is_character_file(link));
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::string read;
  std::thread reader([&] { read = text(fifo); });
  write_file(fifo, "through the pipe");
  reader.join();
  CHECK(read == "through the pipe");
  CHECK(fs::is_fifo(fifo));
}

TEST_CASE("a symbolic link stays; the file that it names is written, new or old") {
  const Scratch scratch;
  const fs::path& folder = scratch.folder;
  fs::create_directory(folder / "sub");
  fs::create_symlink("sub/file", folder / "relative");
  fs::create_symlink(folder / "relative", folder / "absolute");
  for (const char* words : {"new", "old"}) {
    write_file(folder / "absolute", words);
    CHECK(text(folder / "sub/file") == words);
    CHECK(fs::is_symlink(folder / "absolute"));
    CHECK(fs::is_symlink(folder / "relative"));
    CHECK(fs::is_regular_file(fs::symlink_status(folder / "sub/file")));
  }
  CHECK(std::distance(fs::directory_iterator(folder / "sub"), {}) == 1);  // no temporary
  fs::create_symlink("circle", folder / "circle");
  refuses(folder / "circle", "symbolic link in a circle");
}

TEST_CASE("errors give the system's own reason") {
  const Scratch scratch;
  refuses(scratch.folder, "is a folder");
  refuses(scratch.folder / "no/file", "No such file or directory");
  refuses("/dev/full", "No space left on device");
  try {
    read_file(scratch.folder / "none");
    FAIL("was read");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("No such file or directory") != std::string::npos);
  }
}
