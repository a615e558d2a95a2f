// The bytes of a fuzz input as a file, without a disk.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <span>
#include <string>

#include "core/base/open_file.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace espalier::fuzz {

class FileInMemory {
 public:
  explicit FileInMemory(std::span<const std::uint8_t> bytes)
      : descriptor_(::memfd_create("fuzz", 0)) {
    promise(descriptor_ >= 0);
    promise(::write(descriptor_, bytes.data(), bytes.size()) == std::ssize(bytes));
  }
  ~FileInMemory() { ::close(descriptor_); }
  FileInMemory(const FileInMemory&) = delete;
  FileInMemory& operator=(const FileInMemory&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace espalier::fuzz
