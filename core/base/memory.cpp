#include "core/base/memory.hpp"

#include <fstream>
#include <string>

namespace espalier {
namespace {

// Of a line "VmRSS:     1234 kB".
std::int64_t status(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    std::int64_t kib = 0;
    if (word == name + ":" && file >> kib) return kib * 1024;
  }
  return 0;
}

}  // namespace

std::int64_t resident_bytes() {
  return status("VmRSS");
}

std::int64_t peak_resident_bytes() {
  return status("VmHWM");
}

}  // namespace espalier
