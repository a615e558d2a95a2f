// A run that is killed at any moment, also while a checkpoint is written, ends with the same bytes.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>

#include "core/base/file.hpp"
#include "core/base/rng.hpp"
#include "tests/apps/program.hpp"

namespace fs = std::filesystem;
using namespace espalier;
using tests::contains;
using tests::run_program;
using tests::run_shell;

// ESPALIER_KILLS: how often (CI: 10; the acceptance run: 50).
TEST_CASE("kill -9 at random moments: resumed, the run ends with the same bytes") {
  const tests::Folder folder("survival_test");
  const std::string recipe = (folder.path / "recipe.json").string();
  write_file(recipe, R"([{"epochs": 6}, {"prune": {"frequency_steps": 2}, "epochs": 6},
                         {"quantize": {"learned_step": true}, "epochs": 6}])");
  const auto command = [&](const std::string& out) {
    return std::string(ESPALIER_BIN_DIR) + "/espalier train --synthetic --images 200 --quiet " +
           "--checkpoint --recipe " + recipe + " --out " + out;
  };
  const std::string whole_file = (folder.path / "whole.esp").string();
  const auto seconds_now = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
  const double start = seconds_now();
  REQUIRE(run_shell(command(whole_file)).exit_code == 0);
  const double seconds = seconds_now() - start;
  const Bytes whole = read_file(whole_file);

  const char* wanted = std::getenv("ESPALIER_KILLS");
  const int kills = wanted ? std::atoi(wanted) : 10;
  Rng rng(1, "kills");
  int killed = 0, resumed = 0;
  for (int i = 0; i < kills; ++i) {
    const std::string out = (folder.path / ("run-" + std::to_string(i) + ".esp")).string();
    const double after = seconds * double{rng.uniform(0.1f, 0.95f)};
    killed +=
        run_shell("timeout -s KILL " + std::to_string(after) + " " + command(out)).exit_code != 0;
    const bool checkpoint = fs::exists(out + ".checkpoint/stage-0.checkpoint");
    const auto rest = run_shell(command(out));
    REQUIRE_MESSAGE(rest.exit_code == 0, rest.output);
    resumed += checkpoint;
    CHECK_MESSAGE(read_file(out) == whole, "killed after " << after << " s of " << seconds);
    CHECK_FALSE(fs::exists(out + ".checkpoint"));
  }
  CHECK(killed >= kills / 2);
  CHECK(resumed >= kills / 3);
}
