// All files of a folder.
#pragma once

#include <filesystem>
#include <vector>

namespace espalier::apps {

// The files in `folder` and in the folders below it, relative to it ("rose/1.png"), ascending by the
// bytes of that path. Without those whose own or whose folder's name begins with a dot; links to
// folders are not followed, so that every walk ends. Errors: kIo, when a folder cannot be read.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);

}  // namespace espalier::apps
