// A folder of many files that appears when all of them are there. Into an empty folder that is there
// already its files go one by one: a crash then may leave some of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace espalier {

class NewFolder {
 public:
  // Makes a temporary folder beside `path`, or within it where it is there. Errors: kIo.
  explicit NewFolder(std::filesystem::path path);
  // Removes the temporary and what is in it, unless finish() moved it.
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const std::filesystem::path& temporary() const { return temporary_; }
  // A file in it, by its path from there, in folders that are made. finish() fsyncs all of them at
  // once: of thousands, each alone takes minutes. Errors: kIo.
  void write(const std::filesystem::path& file, std::span<const std::uint8_t> bytes);
  // Moves all to its place. Errors: kIo, also for a folder of that name that is not empty.
  void finish();

 private:
  std::filesystem::path path_, temporary_;
  bool within_;
};

}  // namespace espalier
