#include "core/base/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ranges>

#include "core/base/error.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;

// Of the folder and those that it lies in what is missing, the outermost first.
std::vector<fs::path> missing(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code none;
  for (fs::path at = fs::absolute(folder).lexically_normal(); !fs::exists(at, none);
       at = at.parent_path())
    if (at.has_filename()) all.insert(all.begin(), at);
  return all;
}

// Whoever had it may have removed it, and a third made it anew, between our open and our lock.
bool is_still(const fs::path& folder, int descriptor) {
  struct stat ours {
  }, there{};
  return ::fstat(descriptor, &ours) == 0 && ::stat(folder.c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

void remove_empty(const std::vector<fs::path>& folders) {
  for (const fs::path& folder : folders | std::views::reverse) ::rmdir(folder.c_str());
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder, const std::string& remedy) {
  constexpr int kTries = 10;
  for (int tries = 0; tries < kTries && descriptor_ < 0; ++tries) {
    for (const fs::path& one : missing(folder)) {
      std::error_code failed;
      if (fs::create_directory(one, failed)) made_.push_back(one);
      if (!failed) continue;
      remove_empty(made_);
      require(!fs::is_symlink(one), ErrorKind::kIo, one.string(),
              "is a link to a folder that is not there; make that folder, or remove the link");
      fail(ErrorKind::kIo, folder.string(), "cannot be made: ", failed.message());
    }
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) continue;
    const bool busy = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!busy && is_still(folder, descriptor)) descriptor_ = descriptor;
    if (descriptor_ < 0) ::close(descriptor);
    require(!busy, ErrorKind::kIo, folder.string(), "another process is at work in it; ", remedy);
  }
  if (descriptor_ < 0) remove_empty(made_);
  require(descriptor_ >= 0, ErrorKind::kIo, folder.string(), "is no folder that can be opened; ",
          remedy);
}

FolderLock::~FolderLock() {
  // While it is held, and if it is the one that we made: nobody else is in it.
  if (!made_.empty() && is_still(made_.back(), descriptor_)) remove_empty(made_);
  ::close(descriptor_);
}

}  // namespace espalier
