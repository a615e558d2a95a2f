#include "core/base/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "core/base/error.hpp"

namespace espalier {

void flush_output() {
  errno = 0;
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  const int error = errno;
  const bool written = flushed && std::cout.good() && std::ferror(stdout) == 0;
  require(written, ErrorKind::kIo, "standard output",
          "cannot write: ", error != 0 ? std::strerror(error) : "an earlier write failed");
}

}  // namespace espalier
