// What a full disk leaves: no file that is half, and no folder that is empty.
#include <doctest/doctest.h>

#include "core/base/file.hpp"
#include "tests/apps/program.hpp"

namespace fs = std::filesystem;
using namespace espalier;
using tests::contains;
namespace {

// No file can grow, as on a disk without room: a write fails, and its signal is ignored. Pipes still work.
tests::Result without_room(const std::string& command) {
  return tests::run_shell("sh -c 'ulimit -f 0; trap \"\" XFSZ; exec " ESPALIER_BIN_DIR "/" +
                          command + "'");
}

}  // namespace

TEST_CASE("a full disk: exit code 4, the file and the remedy; nothing is left") {
  const tests::Folder folder("full_disk_test");
  write_file(folder.path / "r.json", std::string_view(R"([{"epochs": 1}, {"quantize": {}}])"));
  const std::string recipe = " --recipe " + (folder.path / "r.json").string(),
                    data = " --synthetic --images 300 --model tutorial-small",
                    out = (folder.path / "out").string();
  for (const std::string& command :
       {"espalier new " + out, "espalier train" + data + recipe + " --out " + out,
        "espalier train --checkpoint" + data + recipe + " --out " + out,
        "espalier compress --max-drop 90" + data + recipe + " --out " + out,
        "espalier compress --minutes 0.05 --target-bytes 9000" + data + " --out " + out}) {
    const auto result = without_room(command);
    CHECK_MESSAGE(result.exit_code == 4, command << result.output);
    CHECK_MESSAGE(contains(result.output, "cannot write: File too large; free some space"),
                  command << result.output);
    CHECK_MESSAGE(std::distance(fs::directory_iterator(folder.path), {}) == 1, command);
  }
  // A folder that was there stays.
  fs::create_directory(out);
  CHECK(without_room("espalier new " + out).exit_code == 4);
  CHECK(fs::is_empty(out));
}
