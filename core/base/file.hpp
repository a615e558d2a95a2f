// Whole files: read with a limit, written so that the last good file is never lost.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "core/base/bytes.hpp"

namespace espalier {

// Errors: ErrorKind::kIo when the file is missing or unreadable, kCorrupt when it is larger than
// `limit_bytes` (checked before anything is allocated).
Bytes read_file(const std::filesystem::path& path, std::uint64_t limit_bytes = 1ull << 31);

// Writes a temporary beside `path`, fsyncs it, renames it over `path` and fsyncs the folder: after
// a crash or a full disk the old file or the new one stands there whole. A symbolic link stays, and
// the file that it names is written; devices and pipes (/dev/null, a FIFO) are written to directly.
// Errors: ErrorKind::kIo, also where `path` is a folder; the temporary is removed.
void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);
void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace espalier
