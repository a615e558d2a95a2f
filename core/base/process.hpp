// Another program, run without a shell.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct ProcessOptions {
  bool capture_error = false;  // else its standard error is ours
  std::string remedy = {};     // "install curl": said where the program cannot be started
  // Takes standard output piece by piece instead of ProcessResult::output; may throw, which ends
  // the process.
  std::function<void(std::string_view)> on_output = nullptr;
};

struct ProcessResult {
  int exit_code = 0;  // -1 when a signal ended it
  int signal = 0;     // the signal, or 0
  std::string output, error;

  bool ok() const { return exit_code == 0; }
  std::string how_it_ended() const;  // "exit code 4" or "signal 9 (Killed)"
};

// Runs command[0], found on PATH where it has no slash, and waits for it. Its standard input is
// empty. Errors: kIo when it cannot be started; kInterrupted when SIGINT ends it or is flagged
// (core/base/interrupt.hpp) while it runs: it is ended, too.
ProcessResult run_process(const std::vector<std::string>& command,
                          const ProcessOptions& options = {});

// Ends this program and goes on as command[0], a path, with the rest as its arguments. Errors: kIo,
// with the remedy, when it cannot be started.
[[noreturn]] void become_process(const std::vector<std::string>& command,
                                 const std::string& remedy);

// Where this program lies.
std::filesystem::path own_program();

}  // namespace espalier
