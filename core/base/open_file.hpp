// A file that stays open, of which pieces are read when they are wanted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace espalier {

// By pread, no map: a mapped file that another program cuts would end this one by SIGBUS, and counts
// as its memory. Threads may share it.
class OpenFile {
 public:
  // Errors: kIo when it is missing or unreadable.
  explicit OpenFile(const std::filesystem::path& path);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  std::uint64_t size_bytes() const { return size_bytes_; }  // when it was opened
  const std::string& name() const { return name_; }

  // Fills `to` with what stands from `offset` on. Errors: kIo, also where the file ends before.
  void read(std::uint64_t offset, std::span<std::uint8_t> to) const;

 private:
  std::string name_;
  int descriptor_ = -1;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace espalier
