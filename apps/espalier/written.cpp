#include "apps/espalier/written.hpp"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {

void add_say_options(CLI::App& app, SayOptions& options) {
  app.add_flag("--json", options.json, "Print one line of JSON");
  app.add_flag("-q,--quiet", options.quiet, "Print nothing, and no progress");
}

std::vector<WrittenFile> files_of(const std::filesystem::path& folder) {
  std::vector<WrittenFile> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_regular_file())
      files.push_back({entry.path(), static_cast<std::int64_t>(entry.file_size())});
  std::ranges::sort(files, {}, &WrittenFile::path);
  return files;
}

void require_free_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  require(!fs::exists(folder, ignored) ||
              (fs::is_directory(folder, ignored) && fs::is_empty(folder, ignored)),
          ErrorKind::kIo, folder.string(),
          "is there and not an empty folder; name another, or remove it");
}

void say(const Written& written, const SayOptions& options) {
  nlohmann::json all{{"files", nlohmann::json::array()}, {"next", written.next}};
  for (const auto& [file, bytes] : written.files) {
    all["files"].push_back({{"file", file.string()}, {"bytes", bytes}});
    if (!options.json && !options.quiet)
      std::cout << printable(file.string()) << ": " << with_commas(bytes) << " bytes\n";
  }
  if (options.json)
    std::cout << all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  else if (!options.quiet)
    std::cout << "Next: " << printable(written.next) << '\n';
}

}  // namespace espalier::apps
