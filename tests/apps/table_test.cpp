// Rows of a table through the programs: classes and numbers, and a file that brings its own scaling.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/common/number_scores.hpp"
#include "compress/format/reader.hpp"
#include "core/archive/archive.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "tests/apps/program_json.hpp"

using namespace espalier;
using nlohmann::json;
using tests::contains;
using tests::parsed;
using tests::run_program;
namespace {

// price = 100 + 3 size - 20 (weight mod 7); dear from 130 on. Sizes begin at `from`.
std::string table(int rows, int from, bool numbers) {
  std::string text = numbers ? "size,weight,price\n" : "size,weight,kind\n";
  for (int i = 0; i < rows; ++i) {
    const int size = from + i % 37, weight = i % 7, price = 100 + 3 * size - 20 * weight;
    text += std::to_string(size) + ',' + std::to_string(weight) + ',' +
            (numbers       ? std::to_string(price)
             : price < 130 ? "cheap"
                           : "dear") +
            '\n';
  }
  return text;
}

struct Place : tests::Folder {
  Place() : Folder("table_test") {
    for (const bool numbers : {false, true}) {
      write_file(path / (numbers ? "n.csv" : "c.csv"), table(740, 0, numbers));
      // Other statistics: sizes from 20 on alone.
      write_file(path / (numbers ? "n2.csv" : "c2.csv"), table(40, 20, numbers));
    }
    write_file(path / "recipe.json",
               R"([{"epochs": 25, "learning_rate": 0.01, "batch_size": 32},
                   {"quantize": {}, "epochs": 3}])");
  }
  std::string at(const char* name) const { return (path / name).string(); }
  // Of the numbers in n.csv.
  static double deviation() {
    double sum = 0, squares = 0;
    for (int i = 0; i < 740; ++i) {
      const double price = 100 + 3 * (i % 37) - 20 * (i % 7);
      sum += price, squares += price * price;
    }
    return std::sqrt(squares / 740 - sum / 740 * (sum / 740));
  }
};

// Of a program's text: the number behind `before`, or behind the first `then` from there on.
double number_after(const std::string& text, const std::string& before,
                    const std::string& then = "") {
  std::size_t at = text.find(before);
  REQUIRE_MESSAGE(at != std::string::npos, before << " is not in " << text);
  at = text.find(then, at + before.size());
  REQUIRE_MESSAGE(at != std::string::npos, then << " is not in " << text);
  return std::stod(text.substr(at + then.size()));
}

}  // namespace

TEST_CASE("a model of rows scales new rows as those of its training") {
  const Place place;
  const std::string esp = place.at("c.esp");
  parsed("espalier train --json --model tabular --recipe " + place.at("recipe.json") + " --data " +
         place.at("c.csv") + " --out " + esp + " --weights " + place.at("c.safetensors"));
  const auto packed = format::read(read_file(esp), esp);
  REQUIRE(packed.columns.size() == 2);
  CHECK(packed.columns[0].mean == doctest::Approx(18).epsilon(0.05));
  CHECK(packed.columns[0].deviation == doctest::Approx(10.68).epsilon(0.05));
  CHECK(packed.labels == std::vector<std::string>{"cheap", "dear"});
  CHECK(packed.column_names == std::vector<std::string>{"size", "weight"});
  CHECK(packed.label_name == "kind");
  const auto weights = load_archive(place.at("c.safetensors"));
  CHECK(json::parse(weights.metadata.at("column_names")) == json{"size", "weight"});
  CHECK(json::parse(weights.metadata.at("label_name")) == "kind");
  const auto columns = json::parse(weights.metadata.at("columns"));
  CHECK(columns[1][0].get<float>() == packed.columns[1].mean);

  // Every row is the model's own training's, so it knows them, though their statistics are others.
  const json eval =
      parsed("espalier eval --json --all --confusion " + esp + " --data " + place.at("c2.csv"));
  CHECK(eval.at("images") == 40);
  CHECK(eval.at("accuracy") > 0.9);
  CHECK(eval.at("differing_logits") == 0);
  const json& classes = eval.at("classes");
  CHECK(classes[0].at("images").get<int>() + classes[1].at("images").get<int>() == 40);
  double right = 0;
  for (int c = 0; c < 2; ++c) {
    CHECK(eval.at("confusion")[c][c] == classes[c].at("right"));
    CHECK(classes[c].at("accuracy").get<double>() ==
          doctest::Approx(classes[c].at("right").get<double>() /
                          classes[c].at("images").get<double>()));
    right += classes[c].at("right").get<double>();
  }
  CHECK(right == doctest::Approx(40 * eval.at("accuracy").get<double>()));
  const auto text =
      run_program("espalier eval --confusion -q " + esp + " --data " + place.at("c.csv"));
  CHECK_MESSAGE(contains(text.output, "as cheap"), text.output);

  // One class alone is enough; one that the model does not know is refused.
  write_file(place.path / "dear.csv",
             std::string_view("size,weight,kind\n30,0,dear\n36,1,dear\n35,0,dear\n"));
  CHECK(parsed("espalier eval --json --all " + esp + " --data " + place.at("dear.csv"))
            .at("accuracy") == 1.0);
  write_file(place.path / "odd.csv", std::string_view("size,weight,kind\n30,0,odd\n36,1,dear\n"));
  const auto odd = run_program("espalier eval " + esp + " --data " + place.at("odd.csv"));
  CHECK(odd.exit_code == 3);
  CHECK_MESSAGE(contains(odd.output, "line 2: the class 'odd' is none that the model knows"),
                odd.output);

  // run: with the label column, and without.
  const auto run = run_program("espalier run --json " + esp + " " + place.at("dear.csv"));
  const json first = json::parse(run.output.substr(0, run.output.find('\n')));
  CHECK(first.at("row") == 1);
  CHECK(first.at("top")[0].at("label") == "dear");
  write_file(place.path / "bare.csv", std::string_view("30,0\n36,1\n35,0\n"));
  const auto bare = run_program("espalier run --json " + esp + " " + place.at("bare.csv"));
  CHECK(json::parse(bare.output.substr(0, bare.output.find('\n'))).at("logits") ==
        first.at("logits"));
  const auto wide = run_program("espalier run " + esp + " " + place.at("recipe.json"));
  CHECK(wide.exit_code != 0);
  write_file(place.path / "wide.csv", std::string_view("1,2,3,4\n"));
  const auto four = run_program("espalier run " + esp + " " + place.at("wide.csv"));
  CHECK_MESSAGE(contains(four.output, "holds 4 columns; the model wants its 2 features"),
                four.output);
}

TEST_CASE("numbers are predicted: trained, packed, tested and run in the table's unit") {
  const Place place;
  const std::string esp = place.at("n.esp");
  const std::string train = "espalier train --model tabular --recipe " + place.at("recipe.json") +
                            " --data " + place.at("n.csv") + " --out " + esp;
  const json report = parsed(train + " --regression --json");
  for (const json& stage : report.at("stages")) {
    CHECK(!stage.contains("accuracy"));
    CHECK(stage.at("r2") > 0.97);
    CHECK(stage.at("rmse") < 8);
  }
  const auto packed = format::read(read_file(esp), esp);
  REQUIRE(packed.target.has_value());
  CHECK(packed.target->mean == doctest::Approx(94).epsilon(0.05));
  const json eval = parsed("espalier eval --json " + esp + " --data " + place.at("n.csv"));
  CHECK(eval.at("rmse") == report.at("stages").back().at("rmse"));
  CHECK(eval.at("r2") == report.at("stages").back().at("r2"));
  CHECK(eval.at("differing_logits") == 0);
  const json others = parsed("espalier eval --all --json " + esp + " --data " + place.at("n2.csv"));
  CHECK(others.at("rmse") < 8);
  const auto run = run_program("espalier run --json " + esp + " " + place.at("n2.csv"));
  const json first = json::parse(run.output.substr(0, run.output.find('\n')));  // 20, 0: 160
  CHECK(first.at("value").get<double>() == doctest::Approx(160).epsilon(0.1));
  CHECK(first.at("value").get<float>() ==
        doctest::Approx(packed.target->mean +
                        packed.target->deviation * first.at("logits")[0].get<float>()));

  const auto refuses = [](const std::string& command, const std::string& part) {
    const auto result = run_program(command);
    CHECK_MESSAGE(result.exit_code == 2, result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
  };
  refuses("espalier eval --confusion " + esp + " --data " + place.at("n.csv"), "--confusion");
  refuses("espalier train --regression --recipe " + place.at("recipe.json"), "--data: is missing");
  write_file(place.path / "smooth.json", std::string_view(R"([{"label_smoothing": 0.1}])"));
  refuses("espalier train -q --regression --model tabular --recipe " + place.at("smooth.json") +
              " --data " + place.at("n.csv") + " --out " + esp,
          "label_smoothing");
}

TEST_CASE("numbers are verified, compared, compressed by a promise and scanned, by their error") {
  const Place place;
  const std::string esp = place.at("n.esp"), floats = place.at("n.safetensors"),
                    data = " --data " + place.at("n.csv");
  parsed("espalier train --json --regression --model tabular --recipe " + place.at("recipe.json") +
         data + " --out " + esp + " --weights " + floats);
  const json eval = parsed("espalier eval --json " + esp + data);
  const json found = parsed("espalier verify --json " + esp + " --against " + floats + data);
  CHECK(found.at("a").at("rmse") == eval.at("rmse"));
  CHECK(found.at("b").at("r2") > 0.97);
  CHECK(!found.contains("agreement"));
  CHECK(found.at("largest_difference") > 0);
  const double growth =
      100 * (found.at("a").at("rmse").get<double>() / found.at("b").at("rmse").get<double>() - 1);
  const auto strict = run_program("espalier verify -q " + esp + " --against " + floats + data +
                                  " --max-drop " + std::to_string(std::max(0.0, growth - 0.01)));
  CHECK_MESSAGE(strict.exit_code == (growth > 0 ? 5 : 0), strict.output);
  CHECK_MESSAGE(contains(strict.output, "RMSE "), strict.output);
  CHECK(run_program("espalier verify -q " + esp + " --against " + floats + data + " --max-drop " +
                    std::to_string(std::max(0.0, growth + 0.01)))
            .exit_code == 0);

  write_file(place.path / "narrow.json",
             std::string_view(R"([{"quantize": {"weight_bits": 2}, "epochs": 0}])"));
  const std::string compress = "espalier compress --json --recipe " + place.at("narrow.json") +
                               " --weights " + floats + data + " --out " + place.at("out");
  const json kept = parsed(compress + " --max-drop 30");
  CHECK(kept.at("kept") == true);
  CHECK(kept.at("tries").size() > 1);  // two bits are too few
  CHECK(kept.at("validation_rmse").get<double>() <=
        1.3 * kept.at("float_validation_rmse").get<double>());
  const std::string best = place.at("out/best.esp");
  CHECK(parsed("espalier eval --json " + best + data).at("rmse") == kept.at("test_rmse"));
  const json both = parsed("espalier compare --json " + esp + ' ' + best + data);
  CHECK(both.at("a").at("rmse") == eval.at("rmse"));
  CHECK(both.at("b").at("rmse") == kept.at("test_rmse"));
  CHECK(both.at("largest_difference") > 0);
  const auto text = run_program("espalier compare -q " + esp + ' ' + best + data);
  CHECK_MESSAGE(contains(text.output, "their predictions differ by at most"), text.output);

  const json scan =
      parsed("espalier sensitivity --json --sparsities 0.1,0.99 --sparsity 0.5 " + floats + data);
  CHECK(scan.at("baseline") > 0.97);
  // Models of other rows are not compared.
  parsed("espalier train --json --regression --model tabular --recipe " + place.at("recipe.json") +
         " --data " + place.at("n2.csv") + " --out " + place.at("n2.esp"));
  const auto other = run_program("espalier compare " + esp + ' ' + place.at("n2.esp") + data);
  CHECK(other.exit_code == 2);
  CHECK_MESSAGE(contains(other.output, "was trained on a table of other"), other.output);
}

TEST_CASE("numbers are compressed without a recipe, to so many bytes or so much more error") {
  const Place place;
  const std::string data = " --data " + place.at("n.csv"), best = place.at("out/best.esp"),
                    compress = "espalier compress --regression --json --minutes 0.05 --out " +
                               place.at("out") + data;
  const json small = parsed(compress + " --target-bytes 200");
  CHECK(read_file(best).size() <= 200);
  CHECK(small.at("best").at("bytes") == read_file(best).size());
  CHECK(small.at("best").at("test_r2") > 0.5);
  CHECK(small.at("settings").at("model") == "tabular");             // nobody named one
  const json eval = parsed("espalier eval --json " + best + data);  // in the table's unit
  CHECK(eval.at("rmse") == small.at("best").at("test_rmse"));
  CHECK(eval.at("r2") == small.at("best").at("test_r2"));
  for (const json& trial : small.at("trials"))
    if (trial.at("file") == small.at("best").at("file"))
      CHECK(
          small.at("best").at("validation_rmse").get<double>() ==
          doctest::Approx(place.deviation() * std::sqrt(trial.at("validation_error").get<double>()))
              .epsilon(0.1));

  std::filesystem::remove_all(place.path / "out");
  // A promise of numbers, where noise leaves room for it: twice the error of the network in float.
  std::string noisy = "size,weight,price\n";
  for (int i = 0; i < 740; ++i) {
    const int size = i % 37, weight = i % 7, noise = i * 7919 % 31 - 15;
    noisy += std::to_string(size) + ',' + std::to_string(weight) + ',' +
             std::to_string(100 + 3 * size - 20 * weight + noise) + '\n';
  }
  write_file(place.path / "noisy.csv", noisy);
  const std::string own = " --data " + place.at("noisy.csv"), file = place.at("promise/best.esp");
  const auto promise =
      run_program("espalier compress --regression --minutes 0.05 --max-drop 100 --out " +
                  place.at("promise") + own);
  REQUIRE_MESSAGE(promise.exit_code == 0, promise.output);
  const double whole = number_after(promise.output, "the whole network in float has an RMSE of "),
               allowed = number_after(promise.output, " on the validation rows: at most "),
               got = number_after(promise.output, "best.esp: ", " bytes, RMSE "),
               tested = number_after(promise.output, " on the validation rows, ");
  CHECK(whole > 5);  // the noise alone has 9
  CHECK(allowed == doctest::Approx(2 * whole).epsilon(1e-4));
  CHECK(got <= allowed);
  CHECK(parsed("espalier eval --json " + file + own).at("rmse").get<double>() ==
        doctest::Approx(tested).epsilon(1e-4));
  CHECK(tested < 1.5 * allowed);  // other rows than those it was chosen by
  const auto none = run_program(compress + " --max-drop 0 -q");
  CHECK_MESSAGE(none.exit_code == 5, none.output);
}

TEST_CASE("scores of numbers: the root of the mean square, and R2") {
  apps::NumberScores scores;
  for (const auto& [predicted, target] :
       {std::pair(1.0, 2.0), std::pair(5.0, 4.0), std::pair(6.0, 6.0)})
    scores.add(predicted, target);
  CHECK(scores.rmse() == doctest::Approx(std::sqrt(2.0 / 3)));
  CHECK(scores.r2() == doctest::Approx(1 - 2.0 / 8));
}
