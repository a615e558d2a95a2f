#include "apps/bench/machine.hpp"

#include <fstream>
#include <thread>
#include <utility>

#include "core/onednn/isa.hpp"

namespace espalier::bench {
namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "Clang " __clang_version__;
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

// What follows "key" and a colon in a file of such lines; `otherwise` where there is none.
std::string value_of(const char* file, const std::string& key, std::string otherwise) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(':');
    if (!line.starts_with(key) || colon == std::string::npos) continue;
    const auto value = line.find_first_not_of(" \t", colon + 1);
    if (value != std::string::npos) return line.substr(value);
  }
  return otherwise;
}

std::string first_line(const char* file) {
  std::ifstream in(file);
  std::string line;
  return std::getline(in, line) ? line : "unknown";
}

std::string load_average() {
  const std::string line = first_line("/proc/loadavg");  // "0.10 0.20 0.30 1/234 567"
  std::size_t end = 0;
  for (int i = 0; i < 3 && end != std::string::npos; ++i) end = line.find(' ', end + (i > 0));
  return line.substr(0, end);
}

}  // namespace

Machine this_machine(std::string digits) {
  return {.cpu = value_of("/proc/cpuinfo", "model name", "unknown"),
          .processors = std::thread::hardware_concurrency(),
          .isa = std::string(effective_isa()),
          .own_isa = std::string(name_of(vector_isa())),
          .governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
          .load_average = load_average(),
          .onednn = onednn_version(),
          .compiler = kCompiler,
          .digits = std::move(digits)};
}

std::int64_t peak_resident_kib() {
  return std::stoll(value_of("/proc/self/status", "VmHWM", "0"));
}

}  // namespace espalier::bench
