// `compress --recipe --max-drop` as a whole command on a table of numbers: what is given back and in which
// order, what is said where nothing is compressed any more, and which layer it names where it cannot keep
// the promise.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/file.hpp"
#include "tests/apps/program_json.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;
namespace {

struct Place : tests::Folder {
  Place() : Folder("promise_test") {
    std::string text = "a,b,c,price\n";
    for (int i = 0; i < 240; ++i) {
      const double a = i % 13, b = i % 7, c = i % 11;
      text += std::to_string(a) + ',' + std::to_string(b) + ',' + std::to_string(c) + ',' +
              std::to_string(3 * a - b * b + std::sin(c)) + '\n';
    }
    write_file(path / "t.csv", text);
  }
  std::string compress(const std::string& recipe, const std::string& more) const {
    write_file(path / "r.json", recipe);
    return "espalier compress --model tabular --regression --data " + (path / "t.csv").string() +
           " --recipe " + (path / "r.json").string() + " --out " + (path / "out").string() + more;
  }
};

const std::string kPlain = R"([{"epochs": 60, "batch_size": 16, "learning_rate": 0.01}, )";

}  // namespace

TEST_CASE(
    "a promise of nothing lost: weights come back before bits, bits before floats, and it is "
    "said") {
  const Place place;
  const std::string command = place.compress(
      kPlain +
          R"({"prune": {"sparsity": 0.5}, "epochs": 0}, {"quantize": {"weight_bits": 6}, "epochs": 0}])",
      " --max-drop 0");
  const auto kept = run_program(command);
  REQUIRE_MESSAGE(kept.exit_code == 0, kept.output);
  const auto tries =
      nlohmann::json::parse(run_program(command + " --json 2>/dev/null").output).at("tries");
  REQUIRE(tries.size() > 4);
  CHECK(tries[0].at("change") == "the recipe as it is");
  std::map<std::string, int> reached;  // by each layer: 1 weights, 2 bits, 3 floats
  for (std::size_t i = 1; i < tries.size(); ++i) {
    const std::string change = tries[i].at("change");
    const std::string layer = change.substr(0, change.find(':'));
    const int what = contains(change, ": sparsity ") ? 1 : contains(change, " to floats") ? 3 : 2;
    CHECK_MESSAGE(what >= reached[layer], tries.dump());
    reached[layer] = what;
  }
  CHECK(contains(tries[1].at("change"), ": sparsity 50 % to 0 %"));
  CHECK_MESSAGE(std::ranges::any_of(reached, [](const auto& layer) { return layer.second > 1; }),
                tries.dump());
  CHECK_FALSE(contains(kept.output, "nothing is compressed"));
}

TEST_CASE("a file of floats alone keeps every promise, and it is said that nothing is compressed") {
  const Place place;
  const auto all = run_program(place.compress(
      kPlain + R"({"quantize": {"float_layers": ["dense1", "dense2", "dense3"]}, "epochs": 0}])",
      " --max-drop 0 -q"));
  CHECK_MESSAGE(all.exit_code == 0, all.output);
  CHECK_MESSAGE(contains(all.output,
                         "warning: compress: the file holds all weights as floats, none of them at "
                         "zero: nothing is compressed any more"),
                all.output);
}

TEST_CASE("a promise that cannot be kept: exit code 5, and the layer that costs most") {
  const Place place;
  // Nothing of n of m can be given back.
  const auto missed = run_program(place.compress(
      kPlain + R"({"prune": {"structure": "n_of_m", "keep": 1, "of": 8}, "epochs": 0}])",
      " --max-drop 1"));
  CHECK_MESSAGE(missed.exit_code == 5, missed.output);
  CHECK_MESSAGE(contains(missed.output, " % more RMSE where 1.00 are allowed; layer dense"),
                missed.output);
  CHECK_MESSAGE(contains(missed.output, " costs most, "), missed.output);
  CHECK_MESSAGE(
      contains(missed.output, " alone: ask less of it in " + (place.path / "r.json").string()),
      missed.output);
}

TEST_CASE("--weights: that they may know the validation examples is said") {
  const Place place;
  REQUIRE(run_program("espalier train -q --model tabular --regression --epochs 30 --data " +
                      (place.path / "t.csv").string() + " --weights " +
                      (place.path / "w.safetensors").string() + " --out " +
                      (place.path / "t.esp").string())
              .exit_code == 0);
  std::string command = place.compress(R"([{"quantize": {}, "epochs": 0}])", " --max-drop 90");
  command.replace(command.find("--model tabular"), 15,
                  "--weights " + (place.path / "w.safetensors").string());
  const auto result = run_program(command);
  CHECK_MESSAGE(result.exit_code == 0, result.output);
  CHECK_MESSAGE(contains(result.output,
                         "w.safetensors was trained on all of this data, it knows the 32 "
                         "validation rows that it is compared on"),
                result.output);
}
