// A run that is killed at any moment, also while a checkpoint is written, ends with the same bytes.
#include <doctest/doctest.h>

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
  write_file(recipe, R"([{"epochs": 6},
      {"prune": {"frequency_steps": 2, "allocation": "sensitivity"}, "epochs": 6},
      {"quantize": {"learned_step": true, "learned_activation_step": true}, "epochs": 6}])");
  const auto command = [&](const std::string& out) {
    return std::string(ESPALIER_BIN_DIR) + "/espalier train --synthetic --images 200 --quiet " +
           "--checkpoint --recipe " + recipe + " --out " + out;
  };
  const std::string whole_file = (folder.path / "whole.esp").string();
  REQUIRE(run_shell(command(whole_file)).exit_code == 0);
  const Bytes whole = read_file(whole_file);

  const char* wanted = std::getenv("ESPALIER_KILLS");
  const int kills = wanted ? std::atoi(wanted) : 10;
  Rng rng(1, "kills");
  // Moments from just after the start to the end of a run, however fast the machine is by then: the
  // span shrinks where a run was over before, and grows where nothing had been kept.
  double span = 1;
  int killed = 0, resumed = 0;
  for (int run = 0; killed < kills && run < 10 * kills; ++run) {
    const std::string out = (folder.path / ("run-" + std::to_string(run) + ".esp")).string();
    const double after = span * double{rng.uniform(0.05f, 1)};
    if (run_shell("timeout -s KILL " + std::to_string(after) + " " + command(out)).exit_code == 0) {
      span *= 0.8;
      CHECK(read_file(out) == whole);
      continue;
    }
    ++killed;
    const bool kept = fs::exists(out + ".checkpoint/stage-0.checkpoint");
    if (!kept) span *= 1.2;
    resumed += kept;
    if (kept)  // as a kill in the middle of a write leaves it
      write_file(out + ".checkpoint/.stage-0.checkpoint.a1B2c3", "half");
    const auto rest = run_shell(command(out));
    REQUIRE_MESSAGE(rest.exit_code == 0, rest.output);
    CHECK_MESSAGE(read_file(out) == whole, "killed after " << after << " s");
    CHECK_FALSE(fs::exists(out + ".checkpoint"));
  }
  CHECK(killed == kills);
  CHECK(resumed > 0);
}
