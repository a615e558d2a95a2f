// A folder that one process at a time works in. The kernel holds the lock (flock of the folder itself): it
// ends with the process, however that ends, and leaves no file behind.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace espalier {

class FolderLock {
 public:
  // Makes the folder, and those that it lies in, where there is none. Where the file system has no locks,
  // there is none. Errors: kIo, naming the folder and the remedy, when another process holds it, and when
  // it cannot be made.
  FolderLock(const std::filesystem::path& folder, const std::string& remedy);
  // Removes the folders that it made, unless something is in them by now.
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  std::vector<std::filesystem::path> made_;  // the innermost last
  int descriptor_ = -1;
};

}  // namespace espalier
