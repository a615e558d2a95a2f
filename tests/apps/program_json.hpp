// What a program says with --json.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "tests/apps/program.hpp"

namespace espalier::tests {

// Of one that ends well and prints one line.
inline nlohmann::json parsed(const std::string& command) {
  const Result result = run_program(command);
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  return nlohmann::json::parse(result.output);
}

}  // namespace espalier::tests
