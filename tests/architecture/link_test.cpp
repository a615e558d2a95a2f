// What runs a model links no training code: read from CMake's link graph, and from the symbols of
// the program `espalier`.
#include <doctest/doctest.h>

#include <cstdio>
#include <string>

namespace {

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char chunk[4096];
  while (const std::size_t n = std::fread(chunk, 1, sizeof chunk, pipe)) text.append(chunk, n);
  REQUIRE(::pclose(pipe) == 0);
  return text;
}

constexpr const char* kTraining[] = {"espalier::Variable::", "typeinfo for espalier::Layer\n",
                                     "espalier::Sequential::", "espalier::optim::"};

int training_symbols(const std::string& program) {
  const std::string symbols = output_of("nm -C " ESPALIER_BIN_DIR "/" + program);
  REQUIRE(symbols.find("espalier::") != std::string::npos);
  int count = 0;
  for (const char* name : kTraining) count += symbols.find(name) != std::string::npos ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("the runtime, the format, export and the program espalier link no training library") {
  CHECK(std::string(ESPALIER_EXPORT_LINKS).find("espalier_runtime") == std::string::npos);
  for (const std::string links :
       {ESPALIER_RUNTIME_LINKS, ESPALIER_FORMAT_LINKS, ESPALIER_EXPORT_LINKS, ESPALIER_LINKS}) {
    REQUIRE(links.find("espalier_core") != std::string::npos);
    for (const char* library :
         {"espalier_autograd", "espalier_layers", "espalier_optim", "espalier_compress"})
      CHECK_MESSAGE(links.find(library) == std::string::npos, library << " in " << links);
  }
  CHECK(std::string(ESPALIER_TUTORIAL_LINKS).find("espalier_optim") != std::string::npos);
}

TEST_CASE("the program espalier holds no symbol of training; the tutorial does") {
  CHECK(training_symbols("espalier") == 0);
  CHECK(training_symbols("espalier-tutorial") == 4);
}
