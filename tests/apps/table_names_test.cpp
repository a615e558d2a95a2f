// A table's columns by their names, through the programs: any order, the label anywhere.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/base/file.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using nlohmann::json;
using tests::contains;
using tests::run_program;
namespace {

// Of the columns that are asked for, in their order; 200 rows.
std::string table(const std::vector<std::string>& columns, bool header = true) {
  std::string text;
  for (int i = header ? -1 : 0; i < 200; ++i) {
    const int a = i * 7 % 23, b = i * 5 % 11;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string& name = columns[c];
      const std::string cell = name == "a"      ? std::to_string(a)
                               : name == "b"    ? std::to_string(b)
                               : name == "kind" ? (a > 2 * b ? "more" : "less")
                                                : "n/a";
      text += (c ? "," : "") + (i < 0 ? name : cell);
    }
    text += '\n';
  }
  return text;
}

struct Place : tests::Folder {
  Place() : Folder("table_names_test") {
    write_file(path / "recipe.json",
               R"([{"epochs": 8, "learning_rate": 0.01, "batch_size": 16},
                   {"quantize": {}, "epochs": 2}])");
    write_file(path / "t.csv", table({"a", "b", "kind"}));
    write_file(path / "other.csv", table({"note", "kind", "b", "a"}));
    write_file(path / "bare.csv", table({"a", "b", "kind"}, false));
    write_file(path / "front.csv", table({"kind", "a", "b"}, false));
    write_file(path / "odd.csv", std::string_view("a,B2,kind\n1,2,more\n"));
  }
  std::string at(const char* name) const { return (path / name).string(); }
  std::string train(const char* csv, const char* esp, const std::string& more) const {
    return "espalier train -q --model tabular --recipe " + at("recipe.json") + " --data " +
           at(csv) + " --out " + at(esp) + more;
  }
};

std::string succeeded(const std::string& command) {
  const auto result = run_program(command);
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  return result.output;
}

}  // namespace

TEST_CASE("eval, run, verify and compress find a table's columns by name") {
  const Place place;
  succeeded(place.train("t.csv", "m.esp", " --weights " + place.at("m.safetensors")));
  const std::string esp = place.at("m.esp"), other = place.at("other.csv");
  const json by_name =
      json::parse(succeeded("espalier eval --all --json " + esp + " --data " + other));
  json as_trained =
      json::parse(succeeded("espalier eval --all --json " + esp + " --data " + place.at("t.csv")));
  CHECK(by_name.at("accuracy") > 0.8);
  CHECK(by_name.at("accuracy") == as_trained.at("accuracy"));
  CHECK(succeeded("espalier run " + esp + ' ' + other) ==
        succeeded("espalier run " + esp + ' ' + place.at("t.csv")));
  const json verified = json::parse(succeeded("espalier verify --json " + esp + " --against " +
                                              place.at("m.safetensors") + " --data " + other));
  CHECK(verified.at("images") == 40);
  const std::string compress = "espalier compress --json --recipe " + place.at("recipe.json") +
                               " --weights " + place.at("m.safetensors") + " --max-drop 20 --out " +
                               place.at("out") + " --data ";
  CHECK(json::parse(succeeded(compress + other)).at("kept") == true);
  CHECK(contains(succeeded("espalier inspect " + place.at("out/best.esp")),
                 "columns a, b; they say kind"));
  const auto odd = run_program(compress + place.at("odd.csv"));
  CHECK(odd.exit_code == 2);
  CHECK_MESSAGE(contains(odd.output, "odd.csv: has no column 'b', which the model wants"),
                odd.output);
  // By position, which is said; a label in front is found out.
  const auto bare = run_program("espalier run " + esp + ' ' + place.at("bare.csv"));
  CHECK(bare.exit_code == 0);
  CHECK_MESSAGE(contains(bare.output, "columns go by position"), bare.output);
  const auto front = run_program("espalier run " + esp + ' ' + place.at("front.csv"));
  CHECK(front.exit_code == 2);
  CHECK_MESSAGE(contains(front.output, "--label NUMBER"), front.output);
  CHECK(succeeded("espalier run --label 1 " + esp + ' ' + place.at("front.csv")) ==
        succeeded("espalier run " + esp + ' ' + place.at("t.csv")));
}

TEST_CASE("a table without a header gives a model without names") {
  const Place place;
  succeeded(place.train("bare.csv", "m.esp", ""));
  const json facts = json::parse(succeeded("espalier inspect --json " + place.at("m.esp")));
  CHECK(facts.at("label_name") == "");
  CHECK(!facts.at("columns")[0].contains("name"));
  const auto eval =
      run_program("espalier eval -q " + place.at("m.esp") + " --data " + place.at("t.csv"));
  CHECK_MESSAGE(contains(eval.output, "'kind', the last, is taken for the label"), eval.output);
}

TEST_CASE("compress refuses what has learned nothing, by a recipe") {
  const Place place;
  std::string noise = "a,b,kind\n";
  for (int i = 0; i < 120; ++i)
    noise += std::to_string(i * 37 % 101) + ",7," + (i * 53 % 97 % 2 ? "x\n" : "y\n");
  write_file(place.path / "noise.csv", noise);
  // The learning rate is far too low for anything to be learned.
  write_file(
      place.path / "timid.json",
      std::string_view(R"([{"epochs": 1, "learning_rate": 1e-9}, {"quantize": {}, "epochs": 0}])"));
  const auto result = run_program("espalier compress -q --model tabular --max-drop 1 --recipe " +
                                  place.at("timid.json") + " --data " + place.at("noise.csv") +
                                  " --out " + place.at("out"));
  CHECK_MESSAGE(result.exit_code == 5, result.output);
  CHECK_MESSAGE(contains(result.output, "the network in float has learned nothing"), result.output);
}
