// FolderLock: one at a time, also after a kill, and no litter.
#include "core/base/folder_lock.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>

#include "core/base/error.hpp"

namespace fs = std::filesystem;
using namespace espalier;
namespace {

struct Scratch {
  ~Scratch() { fs::remove_all(folder); }
  const fs::path folder =
      fs::temp_directory_path() / ("espalier_folder_lock_test." + std::to_string(::getpid()));
};

std::string refusal(const fs::path& folder) {
  try {
    const FolderLock lock(folder, "wait for it");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kIo);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a folder is held by one, and what was made for it goes with the lock") {
  const Scratch scratch;
  const fs::path place = scratch.folder / "a" / "b" / "";
  {
    const FolderLock lock(place, "wait for it");
    CHECK(fs::is_directory(place));
    CHECK(fs::is_empty(place));
    CHECK(refusal(place) == place.string() + ": another process is at work in it; wait for it");
    CHECK(fs::is_directory(place));  // the other's
  }
  CHECK_FALSE(fs::exists(scratch.folder));
  fs::create_directories(place);
  CHECK(refusal(place).empty());
  CHECK(fs::is_directory(place));  // was there before
  {
    const FolderLock lock(place, "wait for it");
    std::ofstream(place / "file") << "kept";
  }
  CHECK(fs::exists(place / "file"));
  CHECK(refusal(place / "file").find("is no folder") != std::string::npos);
}

TEST_CASE("a process that is killed holds nothing") {
  const Scratch scratch;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(scratch.folder, "");
    if (::write(ready[1], "x", 1) == 1)
      for (;;) ::pause();
    ::_exit(1);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(refusal(scratch.folder).find("another process") != std::string::npos);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(refusal(scratch.folder).empty());
  ::close(ready[0]), ::close(ready[1]);
}

TEST_CASE("a folder that its holder removes is made anew") {
  const Scratch scratch;
  auto first = std::make_unique<FolderLock>(scratch.folder, "wait for it");
  fs::remove(scratch.folder);
  CHECK(refusal(scratch.folder).empty());
  first.reset();
  CHECK_FALSE(fs::exists(scratch.folder));
}
