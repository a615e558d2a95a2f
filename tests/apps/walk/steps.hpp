// What every walk does: commands that must end well, and the engines of other runtimes.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/apps/program.hpp"
#include "tests/compress/export/exported.hpp"

namespace espalier::tests {

inline std::string output_of(const std::string& command) {
  const auto result = run_program("espalier " + command);
  REQUIRE_MESSAGE(result.exit_code == 0, command << '\n' << result.output);
  return result.output;
}

inline nlohmann::json json_of(const std::string& command) {
  const std::string text = output_of(command);
  const auto all = nlohmann::json::parse(text, nullptr, false);
  REQUIRE_MESSAGE(!all.is_discarded(), text);
  return all;
}

// ONNX Runtime and LiteRT on what lies in the folder (check_engines.py): how many answers must agree, and
// what else is asked of them.
inline void check_engines(const std::filesystem::path& folder, const std::string& agree,
                          const std::vector<std::string>& more = {}) {
  const char* python = std::getenv("ESPALIER_ENGINES_PYTHON");
  if (!python) {
    MESSAGE("skipped: ESPALIER_ENGINES_PYTHON names no python with the engines");
    return;
  }
  const std::vector<std::string> command = {python,          exports::test_file("check_engines.py"),
                                            folder.string(), "--agree",
                                            agree,           "--difference",
                                            "0.05"};
  const auto result = run_process(exports::joined(command, more), {.capture_error = true});
  CHECK_MESSAGE(result.ok(), result.output << result.error);
  MESSAGE(result.output);  // the figures of apps/RESULTS.md
}

}  // namespace espalier::tests
