// espalier compare: counted against what eval and inspect say of the same files.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "compress/format/writer.hpp"
#include "core/base/file.hpp"
#include "tests/apps/digit_models.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using nlohmann::json;
using tests::contains;
using tests::run_program;
namespace {

struct Pair {
  tests::Folder folder{"compare_test"};
  std::string a = (folder.path / "float.esp").string(), b = (folder.path / "int.esp").string();
  Pair() {
    write_file(a, format::write(tests::nearest_mean()));
    write_file(b, format::write(tests::integer_nearest_mean()));
  }
};

}  // namespace

TEST_CASE(
    "compare: bytes and accuracies are the files' own, and disagreements explain their "
    "difference") {
  const Pair files;
  const auto result = run_program("espalier compare --json --synthetic " + files.a + ' ' + files.b);
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  const json found = json::parse(result.output);
  const std::int64_t images = found.at("images");
  CHECK(images == 2000);
  for (const auto& [side, file] : {std::pair("a", files.a), {"b", files.b}}) {
    const json eval = json::parse(run_program("espalier eval --json --synthetic " + file).output);
    CHECK(found[side].at("accuracy") == eval.at("accuracy"));
    CHECK(found[side].at("bytes") == read_file(file).size());
    CHECK(found[side].at("file") == file);
    CHECK(found[side].at("latency_us") > 0);
  }
  const std::int64_t only_a = found["a"].at("only_right"), only_b = found["b"].at("only_right");
  CHECK(only_a + only_b > 0);
  CHECK(found.at("disagreements") >= only_a + only_b);
  const double difference =
      found["a"]["accuracy"].get<double>() - found["b"]["accuracy"].get<double>();
  CHECK(difference * static_cast<double>(images) ==
        doctest::Approx(static_cast<double>(only_a - only_b)));

  const auto same = run_program("espalier compare --synthetic " + files.a + ' ' + files.a);
  CHECK(same.exit_code == 0);
  for (const char* part : {"the same", "They disagree on 0 of 2,000 test images",
                           "A alone is right on 0, B alone on 0, neither on 0"})
    CHECK_MESSAGE(contains(same.output, part), same.output);
  const auto text = run_program("espalier compare --synthetic " + files.a + ' ' + files.b);
  CHECK_MESSAGE(contains(text.output, "x smaller"), text.output);
}

TEST_CASE("compare refuses files that do not go together") {
  const Pair files;
  const auto refuses = [&](const std::string& arguments, int code, const std::string& part) {
    const auto result = run_program("espalier compare " + arguments);
    CHECK_MESSAGE(result.exit_code == code, result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
  };
  auto other = tests::nearest_mean();
  other.layers[1].weight.shape = {5, 784};
  other.layers[1].weight.values.resize(5 * 784);
  other.layers[1].bias.resize(5);
  const std::string five = (files.folder.path / "five.esp").string();
  write_file(five, format::write(other));
  refuses("--synthetic " + files.a + ' ' + five, 2, "knows other classes than");
  refuses("--synthetic " + files.a + " none.esp", 4, "none.esp");
  refuses(files.a, 2, "the second is not named; the first is " + files.a);
  write_file(five, "nonsense");
  refuses("--synthetic " + five + ' ' + files.a, 3, "five.esp");
}
