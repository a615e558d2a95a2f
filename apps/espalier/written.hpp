// What a command that writes files says at its end.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace espalier::apps {

struct SayOptions {
  bool json = false;   // one line of JSON
  bool quiet = false;  // nothing, and no progress
};
// --json and -q.
void add_say_options(CLI::App& app, SayOptions& options);

struct WrittenFile {
  std::filesystem::path path;
  std::int64_t bytes = 0;
};
struct Written {
  std::vector<WrittenFile> files;
  std::string next;  // a command that goes on from them
};

// The files of a folder, by name.
std::vector<WrittenFile> files_of(const std::filesystem::path& folder);

// Errors: kIo unless nothing of this name is there, or an empty folder.
void require_free_folder(const std::filesystem::path& folder);

// Each file with its bytes, then "Next: ..."; as JSON {"files": [{"file", "bytes"}], "next"}. On
// standard output.
void say(const Written& written, const SayOptions& options);

}  // namespace espalier::apps
