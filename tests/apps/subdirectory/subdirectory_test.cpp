// add_subdirectory(espalier): the targets of an installation, and neither programs nor tests.
#include <doctest/doctest.h>

#include <fstream>

#include "tests/apps/program.hpp"

namespace fs = std::filesystem;
using namespace espalier;
using tests::contains;
using tests::run_shell;
namespace {

const fs::path kSource = ESPALIER_SOURCE_DIR;

void write(const fs::path& file, const std::string& text) {
  std::ofstream(file) << text;
}

// Neither optimised nor debugged: what is built here runs once.
std::string configure(const fs::path& project) {
  return ESPALIER_CMAKE " -S " + project.string() + " -B " + (project / "build").string() +
         " -DCMAKE_BUILD_TYPE=Plain"
         " -DCMAKE_CXX_COMPILER=" ESPALIER_CXX_COMPILER " -DESPALIER=" ESPALIER_SOURCE_DIR;
}

}  // namespace

TEST_CASE("a project of its own folders, flags and tests builds against the runtime") {
  const tests::Folder folder("subdirectory_test");
  fs::create_directory(folder.path / "core");  // a room of the same name
  fs::copy_file(kSource / "apps/examples/run_file.cpp", folder.path / "run_file.cpp");
  write(folder.path / "core/whole.cpp",
        "#include \"layers/dense.hpp\"\n#include \"optim/training/fit.hpp\"\nint main() {}\n");
  write(folder.path / "CMakeLists.txt", R"(cmake_minimum_required(VERSION 3.22)
project(own LANGUAGES C CXX)
enable_testing()
add_subdirectory(${ESPALIER} espalier EXCLUDE_FROM_ALL)
add_executable(run run_file.cpp)
target_link_libraries(run PRIVATE espalier::runtime)
add_library(whole OBJECT core/whole.cpp)
set_target_properties(whole PROPERTIES OPTIMIZE_DEPENDENCIES ON)  # compiled, not linked
target_link_libraries(whole PRIVATE espalier::espalier)
add_test(NAME run COMMAND run ${ESPALIER}/tests/golden/records/m1.esp pixels WORKING_DIRECTORY ..)
foreach(target espalier espalier-train espalier_cli test_layers doctest::doctest)
  if(TARGET ${target})
    message(FATAL_ERROR "${target} is a target here")
  endif()
endforeach()
)");
  const auto configured = run_shell(configure(folder.path));
  REQUIRE_MESSAGE(configured.exit_code == 0, configured.output);
  const std::string build = (folder.path / "build").string();
  // ccache, where there is one, keeps what it has in the user's own folder.
  const auto built =
      run_shell(ESPALIER_CMAKE " --build " + build + " --target run whole", "HOME=\"$HOME\"");
  REQUIRE_MESSAGE(built.exit_code == 0, built.output);
  CHECK_FALSE(contains(built.output, "espalier_layers"));
  write(folder.path / "pixels", std::string(784, '\0'));
  const auto tested =
      run_shell("sh -c 'cd " + build + " && ctest --no-tests=error --output-on-failure -V'");
  CHECK_MESSAGE(tested.exit_code == 0, tested.output);
  CHECK_MESSAGE(contains(tested.output, ": logit "), tested.output);
  CHECK_MESSAGE(contains(tested.output, "100% tests passed, 0 tests failed out of 1"),
                tested.output);
}

TEST_CASE("tests without programs are refused") {
  const tests::Folder folder("subdirectory_refuses");
  write(folder.path / "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.22)\nproject(own LANGUAGES C CXX)\n"
        "set(ESPALIER_TESTS ON)\nadd_subdirectory(${ESPALIER} espalier)\n");
  const auto result = run_shell(configure(folder.path));
  CHECK(result.exit_code != 0);
  CHECK_MESSAGE(contains(result.output, "wants ESPALIER_APPS=ON"), result.output);
}
