// The bytes of an .esp file to a PackedModel (FORMAT.md).
#pragma once

#include <functional>
#include <span>
#include <string>

#include "compress/format/checksum.hpp"
#include "compress/format/limits.hpp"
#include "compress/format/packed_model.hpp"
#include "compress/format/writer.hpp"
#include "core/base/bytes.hpp"

namespace espalier::format {

struct ReadOptions {
  std::uint64_t weight_limit = kMaxWeights;  // of all layers
  // Refuses another spelling of a valid model than write() gives. Without, reading takes half the
  // time: enough to run a model, as its checksum tells what was damaged.
  bool canonical = true;
  // Called now and then with how many bytes, from the first, will not be read again: who owns them may let them
  // go, so that a large model and its file are not both in memory. Not if `canonical`, which reads all twice.
  std::function<void(std::size_t bytes)> on_read = {};
};

// Errors: kCorrupt, naming the file `name`, for anything but the bytes that write() gives for a
// valid model (if `canonical`; any valid model otherwise). Allocates at most in proportion to the
// bytes that are there, or a few tens of megabytes (limits.hpp); who wants less gives a limit.
PackedModel read(std::span<const std::uint8_t> bytes, std::string name,
                 const ReadOptions& options = {});

// Of a file that read() takes.
inline Coding coding_of(std::span<const std::uint8_t> bytes) {
  return static_cast<Coding>(bytes[0] & 1);
}

}  // namespace espalier::format
