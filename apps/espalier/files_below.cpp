#include "apps/espalier/files_below.hpp"

#include <algorithm>
#include <system_error>

#include "core/base/error.hpp"

namespace espalier::apps {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failure;
  for (fs::recursive_directory_iterator at(folder, failure), end; !failure && at != end;
       at.increment(failure)) {
    std::error_code ignored;  // a link to nowhere is no folder
    const bool hidden = at->path().filename().string().starts_with(".");
    if (hidden) at.disable_recursion_pending();
    if (!hidden && !at->is_directory(ignored))
      files.push_back(at->path().lexically_relative(folder));
  }
  require(!failure, ErrorKind::kIo, folder.string(), "cannot be read: ", failure.message());
  std::ranges::sort(files, {}, [](const fs::path& p) { return p.string(); });
  return files;
}

}  // namespace espalier::apps
