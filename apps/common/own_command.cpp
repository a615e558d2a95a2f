#include "apps/common/own_command.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "core/base/process.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {
namespace {

namespace fs = std::filesystem;

fs::path program() {
  return own_program().parent_path() / "espalier";
}

bool is_on_path() {
  const char* all = std::getenv("PATH");
  std::istringstream folders(all ? all : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path found = fs::path(folder.empty() ? "." : folder) / "espalier";
    std::error_code missing;
    if (::access(found.c_str(), X_OK) != 0 || fs::is_directory(found, missing)) continue;
    return fs::equivalent(found, program(), missing);  // the first is the one that runs
  }
  return false;
}

}  // namespace

std::string own_command(bool anywhere) {
  if (is_on_path()) return "espalier";
  std::error_code unknown;
  const fs::path near = program().lexically_proximate(fs::current_path(unknown));
  const bool below = !anywhere && !unknown && *near.begin() != "..";
  if (!below) return shell_word(program().string());
  return shell_word((near.has_parent_path() ? near : "." / near).string());
}

std::string path_line() {
  return is_on_path()
             ? ""
             : "export PATH=" + shell_word(program().parent_path().string()) + ":\"$PATH\"\n";
}

}  // namespace espalier::apps
