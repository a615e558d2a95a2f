// The README shows the tutorial's core as it is, and it stays short enough to show.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "core/base/file.hpp"

using namespace espalier;
namespace {

std::string text_of(const std::string& path) {
  const auto bytes = read_file(std::string(ESPALIER_SOURCE_DIR) + "/" + path);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("the README's tutorial is the program's core, in under 60 lines") {
  const std::string program = text_of("apps/tutorial/main.cpp");
  const std::string begin = "void tutorial(", end = "\n}\n";
  const auto from = program.find(begin);
  REQUIRE(from != std::string::npos);
  const std::string core = program.substr(from, program.find(end, from) + end.size() - from);
  CHECK(std::ranges::count(core, '\n') < 60);
  CHECK(text_of("README.md").find("```cpp\n" + core + "```\n") != std::string::npos);
}

TEST_CASE("each step's program has under 60 lines") {
  for (const char* step : {"1_train", "2_prune", "3_write", "4_quantize", "5_compare"})
    CHECK(std::ranges::count(text_of("apps/tutorial/" + std::string(step) + ".cpp"), '\n') < 60);
}
