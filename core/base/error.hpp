// Errors name the thing, the values found and wanted, and the remedy: one line that a person reads.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace espalier {

// What went wrong, as the process reports it: the value is the program's exit code.
enum class ErrorKind {
  kInternal = 1,       // a broken promise of our own
  kUsage = 2,          // an argument, option or shape that the caller must change
  kCorrupt = 3,        // input bytes that are not what they claim to be
  kIo = 4,             // a file or the network could not be read or written
  kTargetMissed = 5,   // a promised accuracy or size was not reached
  kDiverged = 6,       // training produced a NaN or infinity
  kInterrupted = 130,  // stopped by the user
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }
  int exit_code() const { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
};

// Throws Error "where: part part part". Parts are anything that an ostream can print.
template <class... Parts>
[[noreturn]] void fail(ErrorKind kind, std::string_view where, const Parts&... parts) {
  std::ostringstream message;
  message << where << ": ";
  (message << ... << parts);
  throw Error(kind, message.str());
}

// Throws unless `ok`. The parts are evaluated always and formatted only on failure.
template <class... Parts>
void require(bool ok, ErrorKind kind, std::string_view where, const Parts&... parts) {
  if (!ok) [[unlikely]]
    fail(kind, where, parts...);
}

// The common case: the caller passed something that does not fit (ErrorKind::kUsage).
template <class... Parts>
void require(bool ok, std::string_view where, const Parts&... parts) {
  require(ok, ErrorKind::kUsage, where, parts...);
}

}  // namespace espalier
