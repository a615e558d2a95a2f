// Compiles and runs exported programs, as their users would.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "compress/export/c99.hpp"
#include "compress/export/js.hpp"
#include "core/base/file.hpp"
#include "core/base/process.hpp"

namespace espalier::exports {

// Pixels 0..255 of n images, one behind the other, and the logits that a program made of them.
using Pixels = std::vector<std::uint8_t>;
using Logits = std::vector<float>;

inline std::string test_file(const std::string& name) {
  return std::string(ESPALIER_SOURCE_DIR) + "/tests/compress/export/" + name;
}

// Whether a program can be started: what is missing is skipped, with a message.
inline bool installed(const std::string& program) {
  try {
    return run_process({program, "--version"}, {.capture_error = true}).ok();
  } catch (const Error&) {
    return false;
  }
}

// Runs and fails (internal) with all that the program said unless it ended with 0.
inline std::string succeed(const std::vector<std::string>& command) {
  const ProcessResult result = run_process(command, {.capture_error = true});
  require(result.ok(), ErrorKind::kInternal, command[0], result.how_it_ended(), "\n", result.output,
          result.error);
  return result.output;
}

inline Logits floats_of(const Bytes& bytes) {
  Logits logits(bytes.size() / sizeof(float));
  std::memcpy(logits.data(), bytes.data(), logits.size() * sizeof(float));
  return logits;
}

// How many of them differ in any bit.
inline std::size_t differing(const Logits& got, const Logits& want) {
  require(got.size() == want.size(), ErrorKind::kInternal, "differing", got.size(), " logits, not ",
          want.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    count += std::memcmp(&got[i], &want[i], sizeof(float)) != 0;
  return count;
}

// The largest difference, in parts of the largest logit.
inline double difference(const Logits& got, const Logits& want) {
  require(got.size() == want.size(), ErrorKind::kInternal, "difference", got.size(),
          " logits, not ", want.size());
  double largest = 1e-9, most = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    largest = std::max<double>(largest, std::abs(want[i]));
    most = std::max<double>(most, std::abs(got[i] - want[i]));
  }
  return most / largest;
}

// The compiler's arguments for the driver around an exported file in `folder`.
inline std::vector<std::string> driver_arguments(const std::filesystem::path& folder,
                                                 const format::PackedModel& model) {
  const auto& s = model.input_shape;
  return {"-Wall",
          "-Wextra",
          "-Werror",
          "-pedantic",
          "-DMODEL_FILE=\"net.c\"",
          "-DMODEL(x)=net_##x",
          "-DPIXELS=" + std::to_string(s[0] * s[1] * s[2]),
          "-I" + folder.string(),
          test_file("driver.c")};
}

inline std::vector<std::string> joined(std::vector<std::string> a,
                                       const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

struct Compiler {
  std::vector<std::string> flags = {"-std=c99", "-O2"};
};

// Logits of the exported C99 file, compiled for this machine. `folder` is written to.
inline Logits run_c99(const std::filesystem::path& folder, const format::PackedModel& model,
                      const Pixels& pixels, const Compiler& compiler = {}) {
  write_file(folder / "net.c", c99(model, {.name = "net"}));
  write_file(folder / "pixels", pixels);
  const std::string program = (folder / "net").string();
  auto command = joined({ESPALIER_C_COMPILER}, compiler.flags);
  command = joined(command, driver_arguments(folder, model));
  succeed(joined(command, {"-o", program}));
  succeed({program, (folder / "pixels").string(), (folder / "logits").string()});
  return floats_of(read_file(folder / "logits"));
}

inline bool has_cortex_m4() {
  return installed("arm-none-eabi-gcc") && installed("qemu-system-arm");
}

// The same for a Cortex-M4, under qemu-system-arm.
inline Logits run_cortex_m4(const std::filesystem::path& folder, const format::PackedModel& model,
                            const Pixels& pixels) {
  write_file(folder / "net.c", c99(model, {.name = "net"}));
  write_file(folder / "pixels", pixels);
  const std::string program = (folder / "net.elf").string();
  auto command = joined(
      {"arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-std=c99", "-Os", "--specs=rdimon.specs",
       "-T", test_file("cortex_m4.ld"), test_file("cortex_m4_start.c")},
      driver_arguments(folder, model));
  succeed(joined(command, {"-o", program}));
  // The driver opens `pixels` and `logits` where qemu runs.
  const std::string line =
      "cd '" + folder.string() +
      "' && timeout 300 qemu-system-arm -M mps2-an386 -nographic -monitor "
      "none -serial none -semihosting-config enable=on,target=native -kernel " +
      program;
  succeed({"sh", "-c", line});
  return floats_of(read_file(folder / "logits"));
}

// Under Node, as a module or as a script.
inline Logits run_js(const std::filesystem::path& folder, const format::PackedModel& model,
                     const Pixels& pixels, bool module) {
  const auto file = folder / (module ? "net.mjs" : "net.js");
  write_file(file, js(model, {.name = "net", .module = module}));
  write_file(folder / "pixels", pixels);
  const auto& s = model.input_shape;
  succeed({"node", test_file("driver.mjs"), file.string(), (folder / "pixels").string(),
           (folder / "logits").string(), std::to_string(s[0] * s[1] * s[2])});
  return floats_of(read_file(folder / "logits"));
}

}  // namespace espalier::exports
