// espalier toolbox on a few synthetic digits: every experiment has its row, and files that are read.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "apps/toolbox/measure.hpp"
#include "compress/format/reader.hpp"
#include "core/base/file.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;
namespace {

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

TEST_CASE("toolbox: a row for each experiment, smaller as it should be") {
  const tests::Folder folder("toolbox_test");
  const auto result = run_program(
      "espalier toolbox --synthetic --images 300 --seeds 1 --json --out " + folder.path.string());
  // So few images meet the sizes, and not the accuracies.
  REQUIRE_MESSAGE(result.exit_code == 5, result.output);
  const auto rows = nlohmann::json::parse(first_line(result.output)).at("rows");
  REQUIRE(rows.size() == 14);
  const auto row = [&](const std::string& name) {
    for (const auto& r : rows)
      if (r.at("experiment") == name) return r;
    FAIL("no row " << name);
    return rows[0];
  };
  for (const auto& r : rows) CHECK(r.at("accuracy") > 0.2);
  CHECK(row("prune 80 %").at("deflate") > 2.5);
  CHECK(row("cluster 16").at("smaller") > 6);
  CHECK(row("cluster 16, priced, + int8").at("smaller") >
        1.2 * row("cluster 16 + int8").at("smaller").get<double>());
  CHECK(row("PCQAT: prune 50 %, cluster 8").at("smaller") > row("cluster 16").at("smaller"));
  CHECK(row("80 % zeros, 4 bits aware").at("smaller") > 16);
  CHECK(row("float16").at("smaller") > 2);
  CHECK(row("dynamic range").at("smaller") > 3.5);
  CHECK(row("prune 80 % + dynamic range").at("smaller") > 12);
  CHECK(2 * row("half the filters").at("macs").get<int>() == row("baseline").at("macs"));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path)) {
    format::read(read_file(entry.path()), entry.path().string());
    ++files;
  }
  CHECK(files == 13);
}

TEST_CASE("toolbox ends with 5 where a row says NO, after the table and naming the row") {
  const std::string command = "espalier toolbox --synthetic --images 300 --seeds 1 --quiet --only ";
  const auto good = run_program(command + "float16");
  CHECK_MESSAGE(good.exit_code == 0, good.output);
  CHECK(contains(good.output, " yes"));
  CHECK_FALSE(contains(good.output, " NO"));
  // 300 images do not teach a network 97.4 %.
  const auto bad = run_program(command + "float16 --only 'prune 80 % + int8'");
  CHECK_MESSAGE(bad.exit_code == 5, bad.output);
  CHECK(contains(bad.output, " yes"));
  CHECK(contains(bad.output, " NO"));
  CHECK_MESSAGE(bad.output.ends_with("espalier toolbox: 1 of 2 experiments miss what they "
                                     "must reach: 'prune 80 % + int8' (wants 12x, 97.4 %)\n"),
                bad.output);
}

TEST_CASE("toolbox --tables: a network by technique and by sparsity") {
  const auto result = run_program(
      "espalier toolbox --tables --only LeNet-300 --synthetic --images 600 --seeds 1 --json");
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  const auto json = nlohmann::json::parse(result.output);
  const auto& techniques = json.at("techniques");
  REQUIRE(techniques.size() == 6);
  for (const auto& r : techniques) {
    CHECK(r.at("network") == "LeNet-300-100");
    CHECK(r.at("latency_us") > 0);
    CHECK(r.at("accuracy") > 0.2);
  }
  CHECK(techniques[1].at("name") == "float16");
  CHECK(techniques[1].at("smaller") > 1.8 * techniques[0].at("smaller").get<double>());
  CHECK(techniques[2].at("smaller") > 3 * techniques[0].at("smaller").get<double>());
  CHECK(techniques[5].at("smaller") > 2 * techniques[4].at("smaller").get<double>());
  const auto& sparsities = json.at("sparsities");
  REQUIRE(sparsities.size() == 7);
  CHECK(sparsities[0].at("name") == "dense");
  for (std::size_t i = 1; i < 6; ++i)  // 50, 75, 87.5, 90, 95 %
    CHECK(sparsities[i].at("file_bytes") < sparsities[i - 1].at("file_bytes"));
  CHECK(sparsities[6].at("name") == "2 of 4");
}

TEST_CASE("middle: the median of each value by itself, of an even number the lower") {
  const apps::Measured a{
      .accuracy = 0.9, .drop = 0.1, .file_bytes = 30, .macs = 7, .smaller = 2, .deflate = 5},
      b{.accuracy = 0.7, .drop = 0.3, .file_bytes = 10, .macs = 9, .smaller = 3, .deflate = 4},
      c{.accuracy = 0.8, .drop = 0.2, .file_bytes = 20, .macs = 8, .smaller = 1, .deflate = 6};
  const auto m = apps::middle({a, b, c});
  CHECK(m.accuracy == 0.8);
  CHECK(m.drop == 0.2);
  CHECK(m.file_bytes == 20);
  CHECK(m.macs == 8);
  CHECK(m.smaller == 2);
  CHECK(m.deflate == 5);
  CHECK(apps::middle({a, b}).accuracy == 0.7);
  CHECK(apps::middle({a, b}).file_bytes == 10);
  CHECK_THROWS_AS(apps::middle({}), Error);
}

TEST_CASE("toolbox teaches and refuses") {
  CHECK(contains(run_program("espalier toolbox --help").output, "Example"));
  const auto many = run_program("espalier toolbox --synthetic --images 99999999");
  CHECK(many.exit_code == 2);
  CHECK(contains(many.output, "training images, asked for"));
  const auto unknown = run_program("espalier toolbox --synthetic --only quantum");
  CHECK(unknown.exit_code == 2);
  CHECK(contains(unknown.output, "there are: 'prune 80 %'"));
  const auto network = run_program("espalier toolbox --tables --synthetic --only ResNet");
  CHECK(network.exit_code == 2);
  CHECK(contains(network.output, "no network's name holds 'ResNet'"));
  const auto both = run_program("espalier toolbox --tables --out here --synthetic");
  CHECK(both.exit_code == 2);
  CHECK(contains(both.output, "--out"));
}
