// How much memory this process holds.
#pragma once

#include <cstdint>

namespace espalier {

// Bytes that are in main memory now ("VmRSS"), and at most so far ("VmHWM", which unlike getrusage's
// figure begins at exec). 0 where the system does not say: they are Linux's, of /proc/self/status.
std::int64_t resident_bytes();
std::int64_t peak_resident_bytes();

}  // namespace espalier
