// `compress --recipe` that is killed goes on where it was, and ends with the same bytes.
#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "core/base/file.hpp"
#include "core/base/rng.hpp"
#include "tests/apps/program.hpp"

namespace fs = std::filesystem;
using namespace espalier;
using tests::contains;
using tests::run_shell;

TEST_CASE(
    "compress --recipe, killed at random moments, ends with the same file and the same tries") {
  const tests::Folder folder("compress_resume_test");
  const std::string recipe = (folder.path / "recipe.json").string();
  write_file(recipe, R"([{"epochs": 6}, {"prune": {"sparsity": 0.95}, "epochs": 3},
                         {"quantize": {"weight_bits": 3}, "epochs": 2}])");
  const auto command = [&](const std::string& out) {
    return std::string(ESPALIER_BIN_DIR) +
           "/espalier compress --synthetic --images 400 --model tutorial-small --json --max-drop 2 "
           "--recipe " +
           recipe + " --out " + out;
  };
  const std::string whole = (folder.path / "whole").string();
  const auto start = std::chrono::steady_clock::now();
  const auto first = run_shell(command(whole));
  const std::chrono::duration<double> span = std::chrono::steady_clock::now() - start;
  REQUIRE_MESSAGE(first.exit_code == 0, first.output);
  CHECK_FALSE(fs::exists(whole + "/progress"));
  const auto tries = nlohmann::json::parse(first.output).at("tries");
  REQUIRE(tries.size() > 1);
  Rng rng(1, "kills");
  int resumed = 0;
  const std::string out = (folder.path / "killed").string();
  for (int kill = 0; kill < 6; ++kill) {
    resumed += fs::exists(out + "/progress/float.safetensors");
    const double after = span.count() * double{rng.uniform(0.5f, 1)};
    if (run_shell("timeout -s KILL " + std::to_string(after) + " " + command(out)).exit_code == 0)
      fs::remove_all(out);
  }
  const auto rest = run_shell(command(out));
  REQUIRE_MESSAGE(rest.exit_code == 0, rest.output);
  CHECK(nlohmann::json::parse(rest.output).at("tries") == tries);
  CHECK(read_file(out + "/best.esp") == read_file(whole + "/best.esp"));
  CHECK(read_file(out + "/recipe.json") == read_file(whole + "/recipe.json"));
  CHECK_FALSE(fs::exists(out + "/progress"));
  MESSAGE("resumed after the network in float " << resumed << " times of 6");

  // What lies there belongs to one run.
  fs::remove_all(out);
  run_shell("timeout -s KILL " + std::to_string(span.count() * 0.6) + " " + command(out));
  if (!fs::exists(out + "/progress/run.txt")) return;
  const auto other = run_shell(command(out) + " --seed 2");
  CHECK(other.exit_code == 2);
  CHECK_MESSAGE(contains(other.output, "belongs to another run"), other.output);
}
