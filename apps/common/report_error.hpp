// Exceptions as the user sees them: one line and an exit code.
#pragma once

#include <string>

namespace espalier::apps {

// Only in a catch block: prints "program: message" of the exception being handled to standard error
// and returns the exit code that goes with it (core/base/error.hpp). A file system's exception
// counts as I/O and names its path; out of memory and everything unforeseen are internal.
int report_error(const std::string& program);

}  // namespace espalier::apps
