#include "core/base/new_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;

// All that was written to the file system of a folder.
void sync(const fs::path& folder) {
#ifdef __linux__
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::syncfs(fd) == 0;
  const std::string reason = std::strerror(errno);
  if (fd >= 0) ::close(fd);
  require(synced, ErrorKind::kIo, folder.string(), "cannot write: ", reason);
#else
  ::sync();
#endif
}

// Whether another folder can take its place in one step, and nobody is left in one that is gone.
bool can_be_replaced(const fs::path& folder) {
  struct stat own {
  }, parents{};
  const fs::path parent = folder.parent_path();
  std::error_code unknown;
  return parent != folder && ::stat(folder.c_str(), &own) == 0 &&
         ::stat(parent.c_str(), &parents) == 0 && own.st_dev == parents.st_dev &&
         ::access(parent.c_str(), W_OK | X_OK) == 0 &&
         !fs::equivalent(folder, fs::current_path(unknown), unknown) && !unknown;
}

// Owner, as far as the system lets us, and permissions.
void take_on(const fs::path& from, const fs::path& to) {
  struct stat there {};
  if (::stat(from.c_str(), &there) != 0) return;
  [[maybe_unused]] const int refused = ::chown(to.c_str(), there.st_uid, there.st_gid);
  ::chmod(to.c_str(), there.st_mode & 07777);
}

// One by one, into an empty folder, which on an error is empty again. Onto another mount nothing can be
// renamed: there it is copied.
void move_into(const fs::path& folder, const fs::path& from, std::error_code& failed) {
  std::vector<fs::path> names;
  for (const auto& entry : fs::directory_iterator(from)) names.push_back(entry.path().filename());
  for (const fs::path& name : names) {
    fs::rename(from / name, folder / name, failed);
    if (failed == std::errc::cross_device_link)
      fs::copy(from / name, folder / name, fs::copy_options::recursive, failed);
    if (failed) break;
  }
  std::error_code ignored;
  if (!failed)
    fs::remove_all(from, ignored);
  else
    for (const fs::path& name : names) fs::remove_all(folder / name, ignored);
}

}  // namespace

NewFolder::NewFolder(fs::path path) : path_(fs::absolute(path).lexically_normal()) {
  if (!path_.has_filename()) path_ = path_.parent_path();
  there_ = fs::is_directory(path_);
  if (there_) path_ = fs::canonical(path_);
  within_ = there_ && !can_be_replaced(path_);
  const fs::path parent = within_ ? path_ : path_.parent_path();
  std::error_code failed;
  fs::create_directories(parent, failed);
  std::string name = (parent / ("." + path_.filename().string() + ".XXXXXX")).string();
  const bool made = !failed && ::mkdtemp(name.data()) != nullptr;
  require(made, ErrorKind::kIo, path.string(), "cannot create a folder in ", parent.string(), ": ",
          failed ? failed.message() : std::strerror(errno));
  temporary_ = name;
  const mode_t mask = ::umask(0);  // mkdtemp lets no one else in
  ::umask(mask);
  ::chmod(name.c_str(), 0777 & ~mask);
}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

void NewFolder::write(const fs::path& file, std::span<const std::uint8_t> bytes) {
  const fs::path whole = temporary_ / file;
  std::error_code failed;
  fs::create_directories(whole.parent_path(), failed);
  std::ofstream out(whole, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  out.close();
  require(out.good(), ErrorKind::kIo, (path_ / file).string(),
          "cannot write: ", std::strerror(errno), "; free some space or choose another folder");
}

void NewFolder::finish() {
  sync(temporary_);
  std::error_code failed;
  if (!within_) {
    if (there_) take_on(path_, temporary_);
    fs::rename(temporary_, path_, failed);  // of folders also onto an empty one
    // A mount of the same file system is told from a plain folder by this alone.
    within_ =
        failed == std::errc::device_or_resource_busy || failed == std::errc::cross_device_link;
  }
  if (within_) {
    const auto others = std::ranges::count_if(
        fs::directory_iterator(path_), [&](const auto& e) { return e.path() != temporary_; });
    require(others == 0, ErrorKind::kIo, path_.string(),
            "is no longer empty; nothing was written, name another folder");
    failed.clear();
    move_into(path_, temporary_, failed);
  }
  require(!failed, ErrorKind::kIo, path_.string(), "cannot move the files here: ", failed.message(),
          "; name another folder");
  temporary_.clear();
  sync(path_);
}

}  // namespace espalier
