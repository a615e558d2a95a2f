// NewFolder: all of it, in its place, or nothing.
#include "core/base/new_folder.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#include <sys/mount.h>
#endif

#include <fstream>
#include <string>

#include "core/base/error.hpp"
#include "core/base/file.hpp"

namespace fs = std::filesystem;
using namespace espalier;
namespace {

class Scratch {
 public:
  Scratch() { fs::create_directories(folder); }
  ~Scratch() { fs::remove_all(folder); }
  std::ptrdiff_t entries(const fs::path& in = {}) const {
    return std::distance(fs::directory_iterator(folder / in), fs::directory_iterator());
  }
  const fs::path folder =
      fs::temp_directory_path() / ("espalier_new_folder_test." + std::to_string(::getpid()));
};

const Bytes kBytes = {1, 2, 3};

}  // namespace

TEST_CASE("a new folder appears when it is finished") {
  const Scratch scratch;
  const fs::path place = scratch.folder / "not yet" / "there";
  NewFolder made(place / "");
  made.write("a/b/c", kBytes);
  made.write("d", {});
  CHECK_FALSE(fs::exists(place));
  made.finish();
  CHECK(read_file(place / "a/b/c") == kBytes);
  CHECK(read_file(place / "d").empty());
  CHECK(scratch.entries("not yet") == 1);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  CHECK(fs::status(place).permissions() == static_cast<fs::perms>(0777 & ~mask));
}

TEST_CASE("a folder that is there stays the one it is, and gets what was made") {
  const Scratch scratch;
  const fs::path place = scratch.folder / "there", link = scratch.folder / "link";
  fs::create_directories(place);
  fs::create_directory_symlink(place, link);
  const auto permissions = fs::perms::owner_all;
  fs::permissions(place, permissions);
  NewFolder made(link);
  made.write("a/b", kBytes);
  made.write("c", kBytes);
  CHECK(scratch.entries("there") == 0);  // all of it will come in one step
  made.finish();
  CHECK(fs::is_symlink(link));
  CHECK(read_file(place / "a/b") == kBytes);
  CHECK(scratch.entries("there") == 2);
  CHECK(fs::status(place).permissions() == permissions);
}

TEST_CASE("what is not finished leaves nothing") {
  const Scratch scratch;
  {
    NewFolder made(scratch.folder / "a");
    made.write("b/c", kBytes);
    CHECK(scratch.entries() == 1);
  }
  CHECK(scratch.entries() == 0);
}

TEST_CASE("errors name the folder that was asked for") {
  const Scratch scratch;
  write_file(scratch.folder / "file", "x");
  try {
    NewFolder made(scratch.folder / "file" / "in it");
    FAIL("was made");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kIo);
    CHECK(std::string(error.what()).find("file/in it: cannot create a folder") !=
          std::string::npos);
  }
  NewFolder made(scratch.folder / "taken");
  made.write("a", kBytes);
  CHECK_THROWS_AS(made.write("a/b", kBytes), Error);
  write_file(scratch.folder / "taken", "x");  // meanwhile
  CHECK_THROWS_AS(made.finish(), Error);
}

TEST_CASE("a folder that was filled meanwhile keeps what it holds, and gets nothing") {
  const Scratch scratch;
  const fs::path place = scratch.folder / "there", before = fs::current_path();
  for (const bool working_directory : {false, true}) {  // which is not replaced
    fs::remove_all(place);
    fs::create_directories(place);
    if (working_directory) fs::current_path(place);
    {
      NewFolder made(place);
      made.write("a", kBytes);
      made.write("b", kBytes);
      CHECK((made.temporary().parent_path() == place) == working_directory);
      write_file(place / "b", "theirs");
      CHECK_THROWS_AS(made.finish(), Error);
    }
    fs::current_path(before);
    CHECK(scratch.entries("there") == 1);
    CHECK(read_file(place / "b").size() == 6);
    CHECK(scratch.entries() == 1);
  }
}

TEST_CASE("the working directory stays the one it is") {
  const Scratch scratch;
  const fs::path place = scratch.folder / "there", before = fs::current_path();
  fs::create_directories(place);
  fs::current_path(place);
  NewFolder made(".");
  made.write("a/b", kBytes);
  made.finish();
  CHECK(read_file("a/b") == kBytes);
  fs::current_path(before);
  CHECK(scratch.entries("there") == 1);
}

#ifdef __linux__
namespace {

constexpr int kNoMounts = 77;

// In a process of its own, which may mount without being root where the system grants user
// namespaces: as `docker run -v folder:there` has it. Its exit code; kNoMounts where it may not.
int on_a_bind_mount(const fs::path& behind, const fs::path& place, bool filled) {
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string user = "0 " + std::to_string(::getuid()) + " 1\n",
                      group = "0 " + std::to_string(::getgid()) + " 1\n";
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(kNoMounts);
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << user;
    std::ofstream("/proc/self/gid_map") << group;
    if (::mount(behind.c_str(), place.c_str(), nullptr, MS_BIND, nullptr) != 0) ::_exit(kNoMounts);
    try {
      NewFolder made(place);
      made.write("a/b", kBytes);
      made.write("c", kBytes);
      if (filled) write_file(place / "c", "theirs");
      made.finish();
    } catch (const Error& error) {
      ::_exit(error.exit_code());
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("a bind mount of the same file system, which looks like a folder, gets what was made") {
  const Scratch scratch;
  const fs::path behind = scratch.folder / "behind", place = scratch.folder / "there";
  fs::create_directories(behind);
  fs::create_directories(place);
  const int code = on_a_bind_mount(behind, place, false);
  if (code == kNoMounts) {
    MESSAGE("not tested: this system lets nobody but root mount");
    return;
  }
  CHECK(code == 0);
  CHECK(read_file(behind / "a/b") == kBytes);
  CHECK(read_file(behind / "c") == kBytes);
  CHECK(scratch.entries("behind") == 2);
  CHECK(scratch.entries("there") == 0);
  CHECK(scratch.entries() == 2);  // and no temporary

  fs::remove_all(behind / "a");
  fs::remove(behind / "c");
  CHECK(on_a_bind_mount(behind, place, true) == 4);
  CHECK(scratch.entries("behind") == 1);
  CHECK(read_file(behind / "c").size() == 6);
}
#endif
