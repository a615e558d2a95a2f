// train --parts: the same file however many threads, what is refused and what is said.
#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "core/base/file.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;
namespace {

struct Place {
  Place() : folder("train_parts"), recipe((folder.path / "recipe.json").string()) {
    write_file(recipe,
               R"([{"epochs": 1}, {"prune": {}, "epochs": 1}, {"quantize": {}, "epochs": 1}])");
  }
  std::string out(const char* name) const { return (folder.path / name).string(); }
  std::string command(const std::string& more, const char* name,
                      const std::string& model = "lenet300") const {
    return "espalier-train --synthetic --images 300 --model " + model + " --recipe " + recipe +
           " --out " + out(name) + " " + more;
  }
  tests::Folder folder;
  std::string recipe;
};

}  // namespace

TEST_CASE(
    "train --parts: the same file with one thread and with two, other than of whole batches") {
  const Place place;
  const auto one = run_program(place.command("--parts 2", "one.esp"));
  REQUIRE_MESSAGE(one.exit_code == 0, one.output);
  CHECK_MESSAGE(contains(one.output, "2 parts take turns on 1 thread; --threads 2"), one.output);
  CHECK_MESSAGE(contains(one.output, "in 2 parts, but whole in: quantize"), one.output);
  const auto two = run_program(place.command("--parts 2 --threads 2", "two.esp"));
  REQUIRE_MESSAGE(two.exit_code == 0, two.output);
  CHECK_FALSE(contains(two.output, "take turns"));
  CHECK(read_file(place.out("one.esp")) == read_file(place.out("two.esp")));
  const auto whole = run_program(place.command("", "whole.esp"));
  REQUIRE(whole.exit_code == 0);
  CHECK_FALSE(contains(whole.output, " parts"));
  CHECK(read_file(place.out("whole.esp")) != read_file(place.out("one.esp")));
}

TEST_CASE("train --parts: batch norm is refused before anything is trained, by its name") {
  const Place place;
  const auto refused = run_program(place.command("--parts 2 --threads 2", "none.esp", "resnet8"));
  CHECK(refused.exit_code == 2);
  CHECK_MESSAGE(
      contains(refused.output, "layer stem_norm wants whole batches, not 2 parts of each"),
      refused.output);
  CHECK_FALSE(std::filesystem::exists(place.out("none.esp")));
  CHECK(run_program(place.command("--parts 0", "none.esp")).exit_code == 2);
}

TEST_CASE("train --checkpoint: a run goes on in the same parts alone, with any threads") {
  const Place place;
  write_file(place.recipe, R"([{"epochs": 20000}])");
  const auto stopped = [&](const std::string& more) {
    return tests::run_shell("timeout --preserve-status -s INT 2 " ESPALIER_BIN_DIR "/" +
                            place.command("-q --checkpoint " + more, "a.esp"));
  };
  const auto checkpoint = place.out("a.esp") + ".checkpoint/stage-0.checkpoint";
  for (int i = 0; i < 20 && !std::filesystem::exists(checkpoint); ++i) stopped("--parts 2");
  REQUIRE(std::filesystem::exists(checkpoint));
  CHECK(stopped("--parts 2 --threads 2").exit_code == 130);
  for (const std::string other : {"--parts 3", "--parts 1", ""}) {
    const auto refused = stopped(other);
    CHECK(refused.exit_code == 2);
    CHECK_MESSAGE(contains(refused.output, "belongs to another run"), refused.output);
  }
}
