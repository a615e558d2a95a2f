#include "core/base/open_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/error.hpp"

namespace espalier {

OpenFile::OpenFile(const std::filesystem::path& path) : name_(path.string()) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int failure = errno;
  require(descriptor_ >= 0, ErrorKind::kIo, name_, "cannot be opened: ", std::strerror(failure));
  struct stat status {};
  if (::fstat(descriptor_, &status) == 0) size_bytes_ = static_cast<std::uint64_t>(status.st_size);
}

OpenFile::~OpenFile() {
  ::close(descriptor_);
}

void OpenFile::read(std::uint64_t offset, std::span<std::uint8_t> to) const {
  while (!to.empty()) {
    const ssize_t n = ::pread(descriptor_, to.data(), to.size(), static_cast<off_t>(offset));
    const int failure = errno;
    if (n < 0 && failure == EINTR) continue;
    require(n >= 0, ErrorKind::kIo, name_, "cannot be read: ", std::strerror(failure));
    require(n > 0, ErrorKind::kIo, name_, "was cut while it was in use; start again");
    offset += static_cast<std::uint64_t>(n);
    to = to.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace espalier
