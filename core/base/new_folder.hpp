// A folder of many files that appears when all of them are there, or not at all: an empty folder that is
// there already is replaced by it in one step, and hands on owner and permissions. Where that cannot be
// (it is the working directory, a mount point, also of the same file system, or in a folder where nothing
// may be written) the files are moved into it one by one: a crash then may leave some of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace espalier {

class NewFolder {
 public:
  // Makes a temporary folder beside `path` (of a link: beside what it names), or within it where it cannot
  // be replaced. Errors: kIo.
  explicit NewFolder(std::filesystem::path path);
  // Removes the temporary and what is in it, unless finish() moved it.
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const std::filesystem::path& temporary() const { return temporary_; }
  // A file in it, by its path from there, in folders that are made. finish() fsyncs all of them at
  // once: of thousands, each alone takes minutes. Errors: kIo.
  void write(const std::filesystem::path& file, std::span<const std::uint8_t> bytes);
  // Moves all to its place. Errors: kIo, also for a folder of that name that is not empty, which keeps
  // what it holds and gets nothing.
  void finish();

 private:
  std::filesystem::path path_, temporary_;
  bool there_ = false, within_ = false;
};

}  // namespace espalier
