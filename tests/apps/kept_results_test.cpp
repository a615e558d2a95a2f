// What an earlier run left in the place of this one is told of, or left alone.
#include <doctest/doctest.h>

#include "core/base/file.hpp"
#include "tests/apps/program.hpp"

namespace fs = std::filesystem;
using namespace espalier;
using tests::contains;
using tests::run_program;

TEST_CASE("train without --resume says that an earlier run was stopped there, and leaves it") {
  const tests::Folder folder("kept_results_test");
  const fs::path out = folder.path / "m.esp", stopped = folder.path / "m.esp.stopped";
  const std::string recipe = (folder.path / "r.json").string();
  write_file(recipe, std::string_view(R"([{"epochs": 1}])"));
  fs::create_directories(stopped);
  write_file(stopped / "stage-0.checkpoint", std::string_view("of an earlier run"));
  const std::string command = "espalier train --synthetic --images 200 --quiet --recipe " + recipe +
                              " --out " + out.string();
  const auto again = run_program(command);
  CHECK_MESSAGE(again.exit_code == 0, again.output);
  CHECK_MESSAGE(contains(again.output, stopped.string() +
                                           " holds where an earlier run was stopped: "
                                           "add --resume " +
                                           stopped.string()),
                again.output);
  CHECK(fs::exists(stopped / "stage-0.checkpoint"));
  fs::remove_all(stopped);
  CHECK_FALSE(contains(run_program(command).output, "stopped"));
}

TEST_CASE(
    "compress: a search does not replace what a recipe run made, nor one recipe run another's "
    "without a word") {
  const tests::Folder folder("kept_results_test");
  const std::string out = (folder.path / "out").string(),
                    recipe = (folder.path / "r.json").string(),
                    more = " --synthetic --images 1200 --model tutorial-small --quiet --out " + out;
  write_file(recipe, std::string_view(R"([{"epochs": 12}, {"quantize": {}, "epochs": 1}])"));
  fs::create_directories(out);
  write_file(out + "/finished.json", std::string_view(R"({"run": "another"})"));
  write_file(out + "/best.esp", std::string_view("another's"));
  const auto search = run_program("espalier compress --minutes 0.05 --target-bytes 20000" + more);
  CHECK_MESSAGE(search.exit_code == 2, search.output);
  CHECK_MESSAGE(contains(search.output, "holds what compress --recipe made (finished.json)"),
                search.output);
  CHECK(fs::file_size(out + "/best.esp") == 9);
  const auto by_recipe = run_program("espalier compress --max-drop 50 --recipe " + recipe + more);
  CHECK_MESSAGE(by_recipe.exit_code == 0, by_recipe.output);
  CHECK_MESSAGE(contains(by_recipe.output, "holds the files of another run"), by_recipe.output);
  // Now they are its own: another file in their place is told of, too.
  write_file(out + "/best.esp", std::string_view("another's"));
  const auto once_more = run_program("espalier compress --max-drop 50 --recipe " + recipe + more);
  CHECK_MESSAGE(once_more.exit_code == 0, once_more.output);
  CHECK_MESSAGE(contains(once_more.output, "best.esp is not the one that"), once_more.output);
}
