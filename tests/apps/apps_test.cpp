// The programs as a user runs them: output, files, exit codes.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/file.hpp"

namespace fs = std::filesystem;
using namespace espalier;
namespace {

struct Result {
  int exit_code;
  std::string output;  // standard output and error
};

// No MNIST is in reach: the synthetic digits serve.
Result run(const std::string& command) {
  const std::string line = "env -u MNIST_DIR ESPALIER_NO_DOWNLOAD=1 HOME=/nonexistent " +
                           std::string(ESPALIER_BIN_DIR) + "/" + command + " 2>&1";
  FILE* pipe = ::popen(line.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Result result{0, ""};
  char chunk[4096];
  while (const std::size_t n = std::fread(chunk, 1, sizeof chunk, pipe))
    result.output.append(chunk, n);
  result.exit_code = WEXITSTATUS(::pclose(pipe));
  return result;
}

class Scratch {
 public:
  Scratch() { fs::create_directories(folder); }
  ~Scratch() { fs::remove_all(folder); }
  const fs::path folder =
      fs::temp_directory_path() / ("espalier_apps_test." + std::to_string(::getpid()));
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the tutorial runs end to end; a fresh process finds the accuracy that it printed") {
  const Scratch scratch;
  const std::string out = scratch.folder.string();
  const Result tutorial =
      run("espalier-tutorial --quick --out " + out + " --json " + out + "/t.json");
  INFO(tutorial.output);
  REQUIRE(tutorial.exit_code == 0);
  CHECK(contains(tutorial.output, "synthetic digits, not MNIST"));
  const std::string next = "Next: " + std::string(ESPALIER_BIN_DIR) + "/";
  REQUIRE(contains(tutorial.output, next));
  std::string command = tutorial.output.substr(tutorial.output.find(next) + next.size());
  CHECK(run(command.substr(0, command.find('\n'))).exit_code == 0);  // the command that it suggests
  const auto bytes = read_file(scratch.folder / "t.json");
  const auto json = nlohmann::json::parse(bytes.begin(), bytes.end());
  CHECK(json["differing_logits"] == 0);
  REQUIRE(json["stages"].size() == 4);
  const auto& stages = json["stages"];
  CHECK(stages[0]["accuracy"] > 0.8);
  const double baseline = stages[0]["deflate_bytes"];
  CHECK(baseline / stages[1]["deflate_bytes"].get<double>() >= 3.0);
  CHECK(baseline / stages[3]["file_bytes"].get<double>() >= 10.0);
  for (const auto& stage : stages) {
    CHECK(stage["file_bytes"] == fs::file_size(stage["file"].get<std::string>()));
    if (stage["name"] != "baseline") CHECK(stage["sparsity"].get<double>() >= 0.7999);
    const Result eval = run("espalier eval --json " + stage["file"].get<std::string>());
    REQUIRE(eval.exit_code == 0);
    // The tutorial's test set is longer than eval's and begins with it: near, not equal.
    const auto measured = nlohmann::json::parse(eval.output);
    CHECK(measured["differing_logits"] == 0);
    const double accuracy = measured["accuracy"];
    CHECK(std::abs(accuracy - stage["accuracy"].get<double>()) < 0.02);
  }

  // A truncated file is refused and named.
  const fs::path cut = scratch.folder / "cut.esp";
  fs::copy_file(scratch.folder / "quantized.esp", cut);
  fs::resize_file(cut, 1000);
  const Result reference =
      run("espalier eval --executor reference --json " + out + "/quantized.esp");
  CHECK(nlohmann::json::parse(reference.output)["differing_logits"] == 0);
  CHECK(run("espalier eval --executor fastest " + out + "/quantized.esp").exit_code == 2);

  const Result eval = run("espalier eval " + cut.string());
  CHECK(eval.exit_code == 3);
  CHECK(contains(eval.output, "cut.esp"));
}

TEST_CASE("wrong use: one clear error, at once, with its exit code") {
  CHECK(run("espalier-tutorial --bits 9").exit_code == 2);
  CHECK(run("espalier-tutorial --threads 0").exit_code == 2);
  CHECK(run("espalier-tutorial --no-such-option").exit_code == 2);
  CHECK(run("espalier").exit_code == 2);
  CHECK(run("espalier eval").exit_code == 2);
  CHECK(run("espalier --help").exit_code == 0);
  const Result folder = run("espalier-tutorial --out /dev/null/x");
  CHECK(folder.exit_code == 4);
  CHECK(contains(folder.output, "--out"));
  const Result data = run("espalier-tutorial --data /nonexistent/mnist");
  CHECK(data.exit_code == 4);
  CHECK(contains(data.output, "/nonexistent/mnist"));
  const Result file = run("espalier eval /nonexistent.esp");
  CHECK(file.exit_code == 4);
  CHECK(contains(file.output, "/nonexistent.esp"));
}
