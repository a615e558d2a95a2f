// What is to be expected, in round numbers: nobody counts on more.
#pragma once

#include <cstdint>
#include <string>

namespace espalier::apps {

// "a few seconds" (below 8), "about 20 seconds", "about 3 minutes", "about 2.5 hours", "about 40 hours".
std::string about_so_long(double seconds);

// "about 210 MB", to two digits, of 1,000,000 bytes each; below one of them "about 1 MB".
std::string about_so_large(std::int64_t bytes);

struct ExpectedTraining {
  bool goes_on = false;  // of what is left of a run
  double seconds = 0;
  bool may_end_early = false;
  std::int64_t training_bytes = 0;  // at its peak, beside what the process holds before it:
  std::int64_t resident_bytes = 0;  // core/base/memory.hpp; 0: the system does not say
};

// "training takes" or "what is left of training takes": "... at most about 3 minutes and about 210 MB of memory", or "... beside the data".
std::string told(const ExpectedTraining& training);

}  // namespace espalier::apps
