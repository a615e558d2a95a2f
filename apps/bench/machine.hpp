// What a figure was measured on: it means nothing without.
#pragma once

#include <cstdint>
#include <string>

namespace espalier::bench {

struct Machine {
  std::string cpu = {};           // its model, as the system names it
  unsigned processors = 0;        // that this process may use
  std::string isa = {};           // of oneDNN's kernels
  std::string own_isa = {};       // of ours
  std::string governor = {};      // of the clock; "unknown" on most virtual machines
  std::string load_average = {};  // of the last 1, 5 and 15 minutes
  std::string onednn = {};        // version
  std::string compiler = {};      // and version
  std::string digits = {};        // that are trained on: digits_source().name
};

Machine this_machine(std::string digits);

// The largest resident memory of this process so far, in KiB ("VmHWM"); 0 where the system does not
// say. Unlike getrusage's it does not include what the process was before exec.
std::int64_t peak_resident_kib();

}  // namespace espalier::bench
