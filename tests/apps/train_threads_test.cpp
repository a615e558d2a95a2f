// train --threads and --precision: what they change, and what goes on from what.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/file.hpp"
#include "core/kernels/precision.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;
namespace {

const std::string kShort = " --synthetic --images 600 --model lenet5 --epochs 1 ";

struct Place {
  Place() : folder("train_threads"), recipe((folder.path / "recipe.json").string()) {
    write_file(recipe, R"([{"quantize": {}, "epochs": 0}])");
  }
  std::string out(const char* name) const { return (folder.path / name).string(); }
  tests::Result train(const std::string& more, const char* name,
                      const std::string& environment = "") const {
    return run_program(
        "espalier-train" + kShort + "--recipe " + recipe + " --out " + out(name) + " -q " + more,
        environment);
  }
  tests::Folder folder;
  std::string recipe;
};

}  // namespace

TEST_CASE("train --threads: waits asleep, unless told otherwise") {
  const Place place;
  const auto policy = [&](const std::string& threads, const std::string& environment) {
    return place.train("--threads " + threads, "a.esp", "OMP_DISPLAY_ENV=true " + environment)
        .output;
  };
  CHECK(contains(policy("2", ""), "OMP_WAIT_POLICY = 'PASSIVE'"));
  CHECK(contains(policy("2", "OMP_WAIT_POLICY=active"), "OMP_WAIT_POLICY = 'ACTIVE'"));
  CHECK(place.train("--threads 0", "a.esp").exit_code == 2);
  const auto warns = [](const std::string& threads) {  // nothing is trained
    return contains(run_program("espalier-train --print-schema --threads " + threads).output,
                    "warning: " + threads + " threads on ");
  };
  CHECK(warns("1024"));
  CHECK_FALSE(warns("1"));
}

TEST_CASE("train --precision: bf16 trains to other bits, is refused where there is none") {
  const Place place;
  REQUIRE(place.train("", "float.esp").exit_code == 0);
  const auto bf16 = place.train("--precision bf16", "bf16.esp");
  if (kernels::has_bf16()) {
    REQUIRE_MESSAGE(bf16.exit_code == 0, bf16.output);
    CHECK(read_file(place.out("bf16.esp")) != read_file(place.out("float.esp")));
  } else {
    CHECK(bf16.exit_code == 2);
  }
  const auto capped = place.train("--precision bf16", "none.esp", "ONEDNN_MAX_CPU_ISA=SSE41");
  CHECK(capped.exit_code == 2);
  CHECK(contains(capped.output, "train in float32"));
  CHECK_FALSE(std::filesystem::exists(place.out("none.esp")));
  CHECK(place.train("--precision half", "none.esp").exit_code == 2);
}

TEST_CASE(
    "train --checkpoint: with other threads or precision it goes on, and says to other bits") {
  const Place place;
  write_file(place.recipe, R"([{"epochs": 20000}])");
  const std::string folder = place.out("a.esp") + ".checkpoint/",
                    checkpoint = folder + "stage-0.checkpoint";
  const auto stopped = [&](const std::string& more, const std::string& environment = "") {
    return tests::run_shell("timeout --preserve-status -s INT 2 " ESPALIER_BIN_DIR
                            "/espalier-train" +
                                kShort + "-q --checkpoint --recipe " + place.recipe + " --out " +
                                place.out("a.esp") + " " + more,
                            environment);
  };
  for (int i = 0; i < 20 && !std::filesystem::exists(checkpoint); ++i) stopped("");
  REQUIRE(std::filesystem::exists(checkpoint));
  const auto same = stopped("");
  CHECK(same.exit_code == 130);
  CHECK_FALSE(contains(same.output, "bit-identically"));
  const auto cap = stopped("", "ONEDNN_MAX_CPU_ISA=SSE41");
  CHECK(cap.exit_code == 130);
  CHECK_MESSAGE(contains(cap.output, "not bit-identically"), cap.output);
  CHECK_MESSAGE(contains(cap.output, "and is SSE41"), cap.output);
  const auto two = stopped("--threads 2");
  CHECK(two.exit_code == 130);
  CHECK_MESSAGE(contains(two.output, "threads was 1 and is 2"), two.output);
  if (kernels::has_bf16()) {
    const auto bf16 = stopped("--precision bf16");
    CHECK_MESSAGE(contains(bf16.output, "precision was float32 and is bf16"), bf16.output);
  }
  // Another seed is another run.
  const auto seed = place.train("--checkpoint --seed 2", "a.esp");
  CHECK_MESSAGE(seed.exit_code == 2, seed.output);
  CHECK_MESSAGE(contains(seed.output, "belongs to another run"), seed.output);
}
