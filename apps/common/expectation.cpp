#include "apps/common/expectation.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/memory.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {

std::string about_so_long(double seconds) {
  const double minutes = seconds / 60, hours = minutes / 60;
  if (seconds < 8) return "a few seconds";
  if (seconds < 90) return "about " + fixed(10 * std::round(seconds / 10), 0) + " seconds";
  if (minutes < 90) return "about " + fixed(minutes, 0) + " minutes";
  return "about " + fixed(hours, hours < 10 ? 1 : 0) + " hours";
}

std::string about_so_large(std::int64_t bytes) {
  const double megabytes = std::max(1.0, static_cast<double>(bytes) / 1e6);
  const double unit = std::pow(10, std::max(0.0, std::floor(std::log10(megabytes)) - 1));
  return "about " + with_commas(static_cast<std::int64_t>(unit * std::round(megabytes / unit))) +
         " MB";
}

std::string told(const ExpectedTraining& training) {
  const std::int64_t before = training.resident_bytes;
  // Reading the data may have taken more.
  const std::int64_t peak =
      std::max(before > 0 ? peak_resident_bytes() : 0, before + training.training_bytes);
  return std::string(training.goes_on ? "what is left of " : "") + "training takes " +
         (training.may_end_early ? "at most " : "") + about_so_long(training.seconds) + " and " +
         about_so_large(peak) + " of memory" + (before > 0 ? "" : " beside the data");
}

}  // namespace espalier::apps
