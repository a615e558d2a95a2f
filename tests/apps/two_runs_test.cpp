// Two runs at once with one --out: the second is refused at once, and the first goes on undisturbed.
#include <doctest/doctest.h>

#include "core/base/file.hpp"
#include "core/base/folder_lock.hpp"
#include "tests/apps/program.hpp"

namespace fs = std::filesystem;
using namespace espalier;
using tests::contains;
using tests::run_program;
namespace {

// As a run that is under way holds it.
void refused(const std::string& command, const fs::path& folder) {
  {
    const FolderLock other(folder, "");
    const auto second = run_program(command);
    CHECK_MESSAGE(second.exit_code == 4, second.output);
    CHECK_MESSAGE(contains(second.output, folder.string() + ": another process is at work in it"),
                  second.output);
    CHECK_MESSAGE(contains(second.output, "--out"), second.output);
    CHECK_FALSE(contains(second.output, "epoch"));
    CHECK(fs::is_empty(folder));
  }
  CHECK_FALSE(fs::exists(folder));
  const auto alone = run_program(command);
  CHECK_MESSAGE(alone.exit_code == 0, alone.output);
}

}  // namespace

TEST_CASE("train --checkpoint: one run at a time in OUT.checkpoint") {
  const tests::Folder folder("two_runs_test");
  write_file(folder.path / "r.json", std::string_view(R"([{"epochs": 1}])"));
  const std::string out = (folder.path / "m.esp").string(),
                    command = "espalier train --synthetic --images 200 --recipe " +
                              (folder.path / "r.json").string() + " --out " + out;
  refused(command + " --checkpoint", out + ".checkpoint");
  CHECK_FALSE(fs::exists(out + ".checkpoint"));
  // What is refused leaves no folder.
  CHECK(run_program(command + " --checkpoint --model none.json").exit_code == 4);
  CHECK_FALSE(fs::exists(out + ".checkpoint"));
}

TEST_CASE("compress: one run at a time in OUT, by a recipe and without one") {
  const tests::Folder folder("two_runs_test");
  write_file(folder.path / "r.json",
             std::string_view(R"([{"epochs": 12}, {"quantize": {}, "epochs": 1}])"));
  const std::string more = " --synthetic --images 1200 --model tutorial-small --out ",
                    by_recipe = (folder.path / "a" / "b").string(),
                    by_search = (folder.path / "search").string();
  refused("espalier compress --max-drop 50 --recipe " + (folder.path / "r.json").string() + more +
              by_recipe,
          by_recipe);
  refused("espalier compress --minutes 0.05 --target-bytes 20000" + more + by_search, by_search);
  // What is refused leaves no folder.
  const fs::path none = folder.path / "x" / "y";
  const auto bad =
      run_program("espalier compress --max-drop 50 --recipe none.json" + more + none.string());
  CHECK_MESSAGE(bad.exit_code == 4, bad.output);
  CHECK_FALSE(fs::exists(folder.path / "x"));
}
