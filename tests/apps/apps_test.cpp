// The programs as a user runs them: output, files, exit codes.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/file.hpp"

namespace fs = std::filesystem;
using namespace espalier;
namespace {

struct Result {
  int exit_code;
  std::string output;  // standard output and error
};

// No MNIST is in reach: the synthetic digits serve.
Result shell(const std::string& command) {
  const std::string line =
      "env -u MNIST_DIR HOME=/nonexistent ESPALIER_NO_DOWNLOAD=1 " + command + " 2>&1";
  FILE* pipe = ::popen(line.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Result result{0, ""};
  char chunk[4096];
  while (const std::size_t n = std::fread(chunk, 1, sizeof chunk, pipe))
    result.output.append(chunk, n);
  result.exit_code = WEXITSTATUS(::pclose(pipe));
  return result;
}

Result run(const std::string& command) {
  return shell(std::string(ESPALIER_BIN_DIR) + "/" + command);
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
  // The commands that it suggests work as they stand.
  std::istringstream next(tutorial.output.substr(tutorial.output.find("Next:\n") + 6));
  int suggested = 0;
  for (std::string line; std::getline(next, line); ++suggested) {
    INFO(line);
    CHECK(shell(line).exit_code == 0);
  }
  CHECK(suggested == 3);
  CHECK(fs::exists(scratch.folder / "digit-9.png"));
  CHECK(fs::is_directory(scratch.folder / "changed"));
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
    const Result eval = run("espalier eval --json --synthetic " + stage["file"].get<std::string>());
    REQUIRE(eval.exit_code == 0);
    const auto found = nlohmann::json::parse(eval.output);
    CHECK(found["accuracy"] == stage["accuracy"]);
    CHECK(found["differing_logits"] == 0);
    CHECK(stage["latency_us"] > 0);
    CHECK(stage["peak_bytes"] > 784);
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

TEST_CASE("the five step programs hand files on, and take a network of the user's own") {
  const Scratch scratch;
  const fs::path model = scratch.folder / "mine.json";
  write_file(model,
             R"({"input": [28, 28, 1], "labels": ["0","1","2","3","4","5","6","7","8","nine"],
    "layers": [{"type": "Conv2d", "filters": 4, "kernel_size": 5, "strides": 2, "padding": "same"},
               {"type": "BatchNorm"}, {"type": "Relu"}, {"type": "AveragePool2d", "pool_size": 2},
               {"type": "BatchNorm"}, {"type": "Flatten"}, {"type": "Dense", "units": 10}]})");
  const std::string options =
      " --quick --model " + model.string() + " --out " + scratch.folder.string();
  CHECK(run("espalier-tutorial-5-compare" + options).exit_code == 4);  // nothing there yet
  const Result early = run("espalier-tutorial-2-prune" + options);
  CHECK(early.exit_code == 4);
  CHECK(contains(early.output, "baseline.safetensors"));
  for (const char* step : {"1-train", "2-prune", "3-write", "4-quantize", "5-compare"}) {
    const Result result = run(std::string("espalier-tutorial-") + step + options);
    INFO(result.output);
    REQUIRE(result.exit_code == 0);
  }
  const Result eval =
      run("espalier eval --json --synthetic " + (scratch.folder / "quantized.esp").string());
  const auto found = nlohmann::json::parse(eval.output);
  CHECK(found["differing_logits"] == 0);
  CHECK(found["accuracy"] > 0.3);

  write_file(model, R"({"input": [28, 28, 1], "layers": [{"type": "Dens", "units": 10}]})");
  const Result wrong = run("espalier-tutorial" + options);
  CHECK(wrong.exit_code == 3);
  CHECK(contains(wrong.output, "/layers/0"));
  write_file(model, R"({"input": [9, 9, 1], "layers": [{"type": "Flatten"}]})");
  const Result small = run("espalier-tutorial" + options);
  CHECK(small.exit_code == 2);
  CHECK(contains(small.output, "/input"));
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
