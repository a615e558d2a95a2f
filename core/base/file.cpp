#include "core/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace espalier {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  // Closing can report a delayed write error (NFS, quota).
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

// Of the last system call: make the call, keep its result, then format. In one full expression with
// the call, this may be evaluated first.
std::string reason() {
  return std::strerror(errno);
}

void write_all(int fd, std::span<const std::uint8_t> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    require(n >= 0, ErrorKind::kIo, path.string(), "cannot write: ", reason(),
            "; free some space or choose another folder");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

// The file that a chain of symbolic links names; it need not exist.
std::filesystem::path follow_links(const std::filesystem::path& path) {
  std::filesystem::path target = path;
  std::error_code not_a_link;
  for (int links = 0; links < 40; ++links) {  // Linux's own limit
    const auto next = std::filesystem::read_symlink(target, not_a_link);
    if (not_a_link) return target;
    target = target.parent_path() / next;  // an absolute `next` stands alone
  }
  fail(ErrorKind::kIo, path.string(), "is a symbolic link in a circle");
}

void write_directly(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
  require(file.get() >= 0, ErrorKind::kIo, path.string(), "cannot open: ", reason());
  write_all(file.get(), bytes, path);
  const bool closed = file.close();
  require(closed, ErrorKind::kIo, path.string(), "cannot write: ", reason());
}

void replace(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  std::string temporary = (folder / ("." + path.filename().string() + ".XXXXXX")).string();
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  require(file.get() >= 0, ErrorKind::kIo, path.string(), "cannot create a file in ",
          folder.string(), ": ", reason());
  try {
    write_all(file.get(), bytes, path);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    const bool written = ::fchmod(file.get(), 0666 & ~mask) == 0 && ::fsync(file.get()) == 0 &&
                         file.close() && ::rename(temporary.c_str(), path.c_str()) == 0;
    require(written, ErrorKind::kIo, path.string(), "cannot write: ", reason());
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  Descriptor parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() >= 0)
    ::fsync(parent.get());  // some file systems refuse: the file is whole anyway
}

}  // namespace

Bytes read_file(const std::filesystem::path& path, std::uint64_t limit_bytes) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  require(file.get() >= 0, ErrorKind::kIo, path.string(), "cannot open: ", reason(),
          errno == ENOENT ? "; is the name right?" : "");
  struct stat info {};
  const bool known = ::fstat(file.get(), &info) == 0;
  require(known, ErrorKind::kIo, path.string(), "cannot stat: ", reason());
  require(!S_ISDIR(info.st_mode), ErrorKind::kIo, path.string(), "is a folder, not a file");
  Bytes bytes;
  // Pipes have no size: read until the end, whatever stat says.
  std::uint8_t chunk[1 << 16];
  require(static_cast<std::uint64_t>(info.st_size) <= limit_bytes, ErrorKind::kCorrupt,
          path.string(), "has ", info.st_size, " bytes, more than the limit of ", limit_bytes);
  bytes.reserve(static_cast<std::size_t>(info.st_size));
  for (;;) {
    const ssize_t n = ::read(file.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    require(n >= 0, ErrorKind::kIo, path.string(), "cannot read: ", reason());
    if (n == 0) return bytes;
    require(bytes.size() + static_cast<std::size_t>(n) <= limit_bytes, ErrorKind::kCorrupt,
            path.string(), "has more than the limit of ", limit_bytes, " bytes");
    bytes.insert(bytes.end(), chunk, chunk + n);
  }
}

void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  struct stat info {};
  const bool there = ::stat(path.c_str(), &info) == 0;
  require(!there || !S_ISDIR(info.st_mode), ErrorKind::kIo, path.string(),
          "is a folder; name a file in it");
  // Renaming over these would put a plain file in their place.
  if (there && !S_ISREG(info.st_mode)) return write_directly(path, bytes);
  replace(follow_links(path), bytes);
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  write_file(path, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

}  // namespace espalier
