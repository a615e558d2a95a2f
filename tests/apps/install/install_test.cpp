// What cmake --install leaves: it needs neither the source tree nor the place where it was put, and
// projects build against it with find_package(espalier).
#include <doctest/doctest.h>

#include <regex>

#include "core/base/file.hpp"
#include "tests/apps/program.hpp"

namespace fs = std::filesystem;
using namespace espalier;
using tests::contains;
using tests::run_shell;
namespace {

const fs::path kExamples = fs::path(ESPALIER_SOURCE_DIR) / "apps/examples";

std::string text_of(const fs::path& file) {
  const Bytes bytes = read_file(file);
  return {bytes.begin(), bytes.end()};
}

std::string succeeds(const std::string& command) {
  const auto result = run_shell(command);
  REQUIRE_MESSAGE(result.exit_code == 0, command << '\n' << result.output);
  return result.output;
}

// Installed in one place, then moved to another.
struct Stage {
  tests::Folder folder{"install_test"};
  fs::path root = folder.path / "moved";
  Stage() {
    const std::string first = (folder.path / "first").string();
    succeeds(ESPALIER_CMAKE " --install " ESPALIER_BUILD_DIR " --prefix " + first);
    fs::rename(first, root);
  }
  std::string configure(const fs::path& project) const {
    return ESPALIER_CMAKE " -S " + project.string() + " -B " + (project / "build").string() +
           " -DCMAKE_PREFIX_PATH=" + root.string() +
           " -DCMAKE_CXX_COMPILER=" ESPALIER_CXX_COMPILER " -DCMAKE_EXPORT_COMPILE_COMMANDS=ON";
  }
  // The folder with its programs.
  fs::path build(const fs::path& project) const {
    succeeds(configure(project));
    succeeds(ESPALIER_CMAKE " --build " + (project / "build").string());
    CHECK_FALSE(contains(text_of(project / "build/compile_commands.json"), ESPALIER_SOURCE_DIR));
    return project / "build";
  }
};

std::vector<fs::path> files_of(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == extension) found.push_back(entry.path());
  return found;
}

void check_headers(const fs::path& include) {
  const std::regex line("#include \"([^\"]*)\"");
  const auto headers = files_of(include, ".hpp");
  CHECK(headers.size() > 100);
  for (const auto& header : headers) {
    const std::string text = text_of(header);
    for (std::sregex_iterator at(text.begin(), text.end(), line), end; at != end; ++at) {
      const std::string name = (*at)[1];
      CHECK_MESSAGE((name.starts_with("espalier/") && fs::exists(include / name)),
                    header << " includes " << name);
    }
  }
}

void check_project(const Stage& stage) {
  const fs::path project = stage.folder.path / "project";
  fs::copy(kExamples / "project", project);
  const fs::path built = stage.build(project);
  const auto says = succeeds("sh -c 'cd " + built.string() + " && ./digits'");
  CHECK(contains(says, "logits of a seven: "));
  const auto facts = succeeds((stage.root / "bin/espalier").string() + " inspect " +
                              (built / "digits.esp").string());
  CHECK(contains(facts, "20,410"));
}

// run_file.cpp as somebody writes it who has no more than the runtime.
void check_runtime_alone(const Stage& stage) {
  const fs::path project = stage.folder.path / "runtime";
  fs::create_directory(project);
  write_file(project / "CMakeLists.txt",
             "cmake_minimum_required(VERSION 3.22)\nproject(run LANGUAGES CXX)\n"
             "find_package(espalier REQUIRED COMPONENTS runtime)\nadd_executable(run run.cpp)\n"
             "target_link_libraries(run PRIVATE espalier::runtime)\n");
  const std::string source = text_of(kExamples / "run_file.cpp");
  write_file(project / "run.cpp", std::regex_replace(source, std::regex("#include \"([^\"]*)\""),
                                                     "#include <espalier/$1>"));
  const fs::path built = stage.build(project);
  write_file(built / "pixels", std::string(784, '\0'));
  const auto says =
      succeeds((built / "run").string() + " " ESPALIER_SOURCE_DIR "/tests/golden/records/m1.esp " +
               (built / "pixels").string());
  CHECK(contains(says, ": logit "));
  CHECK_FALSE(contains(succeeds("nm -C " + (built / "run").string()), "espalier::Variable"));
  const auto cache = text_of(built / "CMakeCache.txt");
  for (const char* library : {"nlohmann_json", "ZLIB", "JPEG", "OPENSSL"})
    CHECK_MESSAGE(!contains(cache, library), library);
}

void check_refusals(const Stage& stage) {
  const fs::path project = stage.folder.path / "refused";
  fs::create_directory(project);
  const auto refuses = [&](const std::string& wanted, const std::string& part) {
    write_file(project / "CMakeLists.txt",
               "cmake_minimum_required(VERSION 3.22)\nproject(none LANGUAGES NONE)\n"
               "find_package(espalier " +
                   wanted + ")\n");
    const auto result = run_shell(stage.configure(project));
    CHECK(result.exit_code != 0);
    CHECK_MESSAGE(contains(result.output, part), result.output);
  };
  refuses("REQUIRED COMPONENTS runtiem", "there is no component runtiem");
  refuses("99 REQUIRED", "version: " ESPALIER_VERSION);
}

}  // namespace

TEST_CASE("an install tree: moved, without the source tree, for the whole and for the runtime") {
  const Stage stage;
  for (const auto& file : files_of(stage.root, ".cmake")) {
    CHECK_MESSAGE(!contains(text_of(file), ESPALIER_SOURCE_DIR), file);
    CHECK_MESSAGE(!contains(text_of(file), ESPALIER_BUILD_DIR), file);
  }
  check_headers(stage.root / "include");
  check_project(stage);
  check_runtime_alone(stage);
  check_refusals(stage);
  for (const char* program :
       {"train", "compress", "toolbox", "tutorial", "verify", "sensitivity", "bench"})
    CHECK(fs::exists(stage.root / "bin" / ("espalier-" + std::string(program))));
}
