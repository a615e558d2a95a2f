// The programs as a user runs them: output, files, exit codes.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/file.hpp"
#include "tests/apps/program.hpp"

namespace fs = std::filesystem;
using namespace espalier;
using tests::contains;
using tests::Result;

TEST_CASE("the tutorial runs end to end; a fresh process finds the accuracy that it printed") {
  const tests::Folder scratch("apps_test");
  const std::string out = scratch.path.string();
  const Result tutorial =
      tests::run_program("espalier-tutorial --quick --out " + out + " --json " + out + "/t.json");
  INFO(tutorial.output);
  REQUIRE(tutorial.exit_code == 0);
  CHECK(contains(tutorial.output, "synthetic digits, not MNIST"));
  // The commands that it suggests work as they stand.
  std::istringstream next(tutorial.output.substr(tutorial.output.find("Next:\n") + 6));
  int suggested = 0;
  for (std::string line; std::getline(next, line); ++suggested) {
    INFO(line);
    CHECK(tests::run_shell(line).exit_code == 0);
  }
  CHECK(suggested == 3);
  CHECK(fs::exists(scratch.path / "digit-9.png"));
  CHECK(fs::is_directory(scratch.path / "changed"));
  const auto bytes = read_file(scratch.path / "t.json");
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
    const Result eval =
        tests::run_program("espalier eval --json --synthetic " + stage["file"].get<std::string>());
    REQUIRE(eval.exit_code == 0);
    const auto found = nlohmann::json::parse(eval.output);
    CHECK(found["accuracy"] == stage["accuracy"]);
    CHECK(found["differing_logits"] == 0);
    CHECK(stage["latency_us"] > 0);
    CHECK(stage["peak_bytes"] > 784);
  }

  // A truncated file is refused and named.
  const fs::path cut = scratch.path / "cut.esp";
  fs::copy_file(scratch.path / "quantized.esp", cut);
  fs::resize_file(cut, 1000);
  const Result reference =
      tests::run_program("espalier eval --executor reference --json " + out + "/quantized.esp");
  CHECK(nlohmann::json::parse(reference.output)["differing_logits"] == 0);
  CHECK(
      tests::run_program("espalier eval --executor fastest " + out + "/quantized.esp").exit_code ==
      2);

  const Result eval = tests::run_program("espalier eval " + cut.string());
  CHECK(eval.exit_code == 3);
  CHECK(contains(eval.output, "cut.esp"));
}

TEST_CASE("the five step programs hand files on, and take a network of the user's own") {
  const tests::Folder scratch("apps_test");
  const fs::path model = scratch.path / "mine.json";
  write_file(model,
             R"({"input": [28, 28, 1], "labels": ["0","1","2","3","4","5","6","7","8","nine"],
    "layers": [{"type": "Conv2d", "filters": 4, "kernel_size": 5, "strides": 2, "padding": "same"},
               {"type": "BatchNorm"}, {"type": "Relu"}, {"type": "AveragePool2d", "pool_size": 2},
               {"type": "BatchNorm"}, {"type": "Flatten"}, {"type": "Dense", "units": 10}]})");
  const std::string options =
      " --quick --model " + model.string() + " --out " + scratch.path.string();
  CHECK(tests::run_program("espalier-tutorial-5-compare" + options).exit_code ==
        4);  // nothing there yet
  const Result early = tests::run_program("espalier-tutorial-2-prune" + options);
  CHECK(early.exit_code == 4);
  CHECK(contains(early.output, "baseline.safetensors"));
  for (const char* step : {"1-train", "2-prune", "3-write", "4-quantize", "5-compare"}) {
    const Result result = tests::run_program(std::string("espalier-tutorial-") + step + options);
    INFO(result.output);
    REQUIRE(result.exit_code == 0);
  }
  const Result eval = tests::run_program("espalier eval --json --synthetic " +
                                         (scratch.path / "quantized.esp").string());
  const auto found = nlohmann::json::parse(eval.output);
  CHECK(found["differing_logits"] == 0);
  CHECK(found["accuracy"] > 0.3);

  write_file(model, R"({"input": [28, 28, 1], "layers": [{"type": "Dens", "units": 10}]})");
  const Result wrong = tests::run_program("espalier-tutorial" + options);
  CHECK(wrong.exit_code == 3);
  CHECK(contains(wrong.output, "/layers/0"));
  write_file(model, R"({"input": [9, 9, 1], "layers": [{"type": "Flatten"},
    {"type": "Dense", "units": 10}]})");
  const Result small = tests::run_program("espalier-tutorial" + options);
  CHECK(small.exit_code == 2);
  CHECK(contains(small.output, "/input"));
}

TEST_CASE("wrong use: one clear error, at once, with its exit code") {
  CHECK(tests::run_program("espalier-tutorial --bits 9").exit_code == 2);
  CHECK(tests::run_program("espalier-tutorial --threads 0").exit_code == 2);
  CHECK(tests::run_program("espalier-tutorial --no-such-option").exit_code == 2);
  CHECK(tests::run_program("espalier").exit_code == 2);
  CHECK(tests::run_program("espalier eval").exit_code == 2);
  CHECK(tests::run_program("espalier --help").exit_code == 0);
  const Result folder = tests::run_program("espalier-tutorial --out /dev/null/x");
  CHECK(folder.exit_code == 4);
  CHECK(contains(folder.output, "--out"));
  const Result data = tests::run_program("espalier-tutorial --data /nonexistent_folder/mnist");
  CHECK(data.exit_code == 4);
  CHECK(contains(data.output, "/nonexistent_folder/mnist"));
  const Result file = tests::run_program("espalier eval /nonexistent_folder.esp");
  CHECK(file.exit_code == 4);
  CHECK(contains(file.output, "/nonexistent_folder.esp"));
}
