// espalier toolbox on a few synthetic digits: every experiment has its row, and files that are read.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "compress/format/reader.hpp"
#include "core/base/file.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;

TEST_CASE("toolbox: a row for each experiment, smaller as it should be") {
  const tests::Folder folder("toolbox_test");
  const auto result = run_program(
      "espalier toolbox --synthetic --images 300 --seeds 1 --json --out " + folder.path.string());
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  const auto rows = nlohmann::json::parse(result.output).at("rows");
  REQUIRE(rows.size() == 13);
  const auto row = [&](const std::string& name) {
    for (const auto& r : rows)
      if (r.at("experiment") == name) return r;
    FAIL("no row " << name);
    return rows[0];
  };
  for (const auto& r : rows) CHECK(r.at("accuracy") > 0.2);
  CHECK(row("prune 80 %").at("deflate") > 2.5);
  CHECK(row("cluster 16").at("smaller") > 6);
  CHECK(row("PCQAT: prune 50 %, cluster 8").at("smaller") > row("cluster 16").at("smaller"));
  CHECK(row("80 % zeros, 4 bits aware").at("smaller") > 16);
  CHECK(row("float16").at("smaller") > 2);
  CHECK(row("dynamic range").at("smaller") > 3.5);  // 4 and more on MNIST
  CHECK(row("prune 80 % + dynamic range").at("smaller") > 12);
  CHECK(2 * row("half the filters").at("macs").get<int>() == row("baseline").at("macs"));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path)) {
    format::read(read_file(entry.path()), entry.path().string());
    ++files;
  }
  CHECK(files == 12);
}

TEST_CASE("toolbox teaches and refuses") {
  CHECK(contains(run_program("espalier toolbox --help").output, "Example"));
  const auto many = run_program("espalier toolbox --synthetic --images 99999999");
  CHECK(many.exit_code == 2);
  CHECK(contains(many.output, "training images, asked for"));
  const auto unknown = run_program("espalier toolbox --synthetic --only quantum");
  CHECK(unknown.exit_code == 2);
  CHECK(contains(unknown.output, "there are: 'prune 80 %'"));
}
