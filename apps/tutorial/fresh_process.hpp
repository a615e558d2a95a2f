// Runs a file in a process of its own: `espalier eval FILE --json`, the sibling of this program.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace espalier::apps {

struct FreshResult {
  double accuracy = 0;
  std::int64_t images = 0;
  std::int64_t differing_logits = 0;  // oneDNN executor against reference executor
};

// `mnist`: evaluate on MNIST, found as this process found it (`data`), else on synthetic digits.
// Errors: the process's own kCorrupt, kIo and kInterrupted; kIo when it cannot be started;
// kInternal when it fails otherwise.
FreshResult evaluate_in_fresh_process(const std::filesystem::path& file,
                                      const std::optional<std::filesystem::path>& data, bool mnist);

// The folder of the running program: its siblings are there.
std::filesystem::path program_folder();

}  // namespace espalier::apps
