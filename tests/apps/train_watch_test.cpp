// espalier train --early-stop, --plateau and --log: what is written, and that a killed run goes on.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/train/metrics_log.hpp"
#include "core/base/file.hpp"
#include "core/base/rng.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using nlohmann::json;
using tests::contains;
using tests::run_program;
using tests::run_shell;
namespace fs = std::filesystem;
namespace {

std::vector<json> lines_of(const fs::path& file) {
  const Bytes bytes = read_file(file);
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  std::vector<json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
  return lines;
}

// All but the seconds.
std::vector<json> without_time(std::vector<json> lines) {
  for (json& line : lines) line.erase("seconds"), line.erase("waited");
  return lines;
}

}  // namespace

TEST_CASE("early stopping and plateau: killed and resumed, the same file and the same log") {
  const tests::Folder folder("train_watch_test");
  const std::string recipe = (folder.path / "recipe.json").string();
  write_file(recipe, R"([{"epochs": 60, "learning_rate": 0.05, "batch_size": 32},
                         {"prune": {"frequency_steps": 2}, "epochs": 2}])");
  const auto command = [&](const std::string& name) {
    const std::string out = (folder.path / name).string();
    return std::string(ESPALIER_BIN_DIR) + "/espalier train --synthetic --images 200 --quiet " +
           "--early-stop 6 --plateau 2 --checkpoint --recipe " + recipe + " --out " + out +
           ".esp --log " + out + ".jsonl";
  };
  REQUIRE(run_shell(command("whole")).exit_code == 0);
  const auto log = lines_of(folder.path / "whole.jsonl");
  REQUIRE(log.size() > 8);
  REQUIRE(log.size() < 62);
  const json& last = log.back();
  CHECK(last.at("stage") == 1);
  CHECK(last.at("name") == "prune");
  CHECK(last.at("sparsity").get<double>() == doctest::Approx(0.8).epsilon(0.01));
  CHECK(!last.contains("validation_loss"));
  const json& stopped = log[log.size() - 3];
  CHECK(stopped.at("stage") == 0);
  CHECK(stopped.at("learning_rate").get<double>() < 0.006);
  CHECK(log[0].at("learning_rate").get<double>() == doctest::Approx(0.05));
  CHECK(log[0].at("epoch") == 1);
  for (const char* key : {"loss", "accuracy", "seconds", "validation_loss", "validation_accuracy"})
    CHECK_MESSAGE(log[0].at(key).is_number(), key);

  // Moments up to the end of a run, however fast the machine is by then, as in survival_test.cpp.
  Rng rng(1, "kills");
  double span = 1;
  int resumed = 0;
  for (int run = 0; resumed < 4 && run < 60; ++run) {
    const std::string name = "run-" + std::to_string(run);
    const double after = span * double{rng.uniform(0.1f, 1)};
    if (run_shell("timeout -s KILL " + std::to_string(after) + " " + command(name)).exit_code ==
        0) {
      span *= 0.8;
      continue;
    }
    if (!fs::exists(folder.path / (name + ".esp.checkpoint/stage-0.checkpoint"))) {
      span *= 1.2;
      continue;
    }
    ++resumed;
    REQUIRE(run_shell(command(name)).exit_code == 0);
    CHECK(read_file(folder.path / (name + ".esp")) == read_file(folder.path / "whole.esp"));
    CHECK(without_time(lines_of(folder.path / (name + ".jsonl"))) == without_time(log));
  }
  CHECK(resumed == 4);
}

TEST_CASE("early stopping is refused where it makes no sense, before anything is trained") {
  const tests::Folder folder("train_watch_test");
  const std::string recipe = (folder.path / "recipe.json").string();
  const auto refuses = [&](const std::string& text, const std::string& more, int code,
                           const std::string& part) {
    write_file(recipe, text);
    const auto result =
        run_program("espalier train -q --synthetic --images 200 --recipe " + recipe + " --out " +
                    (folder.path / "m.esp").string() + " " + more);
    CHECK_MESSAGE(result.exit_code == code, result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
  };
  refuses(R"([{"prune": {}}])", "--epochs 0 --early-stop 3", 2, "--early-stop: the recipe has no");
  refuses(R"([{"prune": {}, "early_stop": 3}])", "", 3,
          "/0/early_stop: ends a stage of training alone");
  refuses(R"([{"rate": {}, "learning_schedule": "plateau"}])", "", 3, "/0/learning_schedule");
  refuses(R"([{"early_stop": 3, "validation": 0.001}])", "", 2, "a share of 0.001 of 200");
  refuses("[{}]", "--log " + recipe, 2, "--log");
  refuses("[{}]", "--log " + (folder.path / "m.esp").string(), 2, "--log");
  refuses("[{}]", "--log " + folder.path.string(), 4, "--log");
}

TEST_CASE("a log goes on: lines that are trained again are replaced, foreign files refused") {
  const tests::Folder folder("train_watch_test");
  const fs::path file = folder.path / "log.jsonl";
  apps::MetricsLog first(file, false);
  for (const auto& [stage, epoch] : {std::pair(0, 1), std::pair(0, 2), std::pair(1, 1)})
    first.add({{"stage", stage}, {"epoch", epoch}, {"loss", 1}});
  apps::MetricsLog second(file, true);
  second.add({{"stage", 0}, {"epoch", 2}, {"loss", 2}});
  const auto lines = lines_of(file);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].at("loss") == 1);
  CHECK(lines[1] == json({{"stage", 0}, {"epoch", 2}, {"loss", 2}}));
  apps::MetricsLog(file, false).add({{"stage", 3}, {"epoch", 7}});
  CHECK(lines_of(file).size() == 1);
  write_file(file, std::string_view("a diary\n"));
  CHECK_THROWS_AS(apps::MetricsLog(file, true), Error);
}
