// Who hears a warning: what a user should know, and what is no error.
#pragma once

#include <cstdio>
#include <functional>
#include <string>

namespace espalier {

using Warn = std::function<void(const std::string& message)>;

// "warning: message", a line of its own.
inline void warn_on_standard_error(const std::string& message) {
  std::fprintf(stderr, "warning: %s\n", message.c_str());
}
inline void warn_nobody(const std::string&) {}

}  // namespace espalier
