// espalier sensitivity on a few synthetic digits: table, JSON, the choice, and a recipe that makes it.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/base/file.hpp"
#include "layers/parameter_file.hpp"
#include "layers/tutorial_models.hpp"
#include "tests/apps/program_json.hpp"

using namespace espalier;
using nlohmann::json;
using tests::contains;
using tests::parsed;
using tests::run_program;
TEST_CASE("sensitivity: a table, JSON, and the sparsities that a recipe finds by itself") {
  const tests::Folder folder("sensitivity_test");
  const std::string place = folder.path.string() + "/", weights = place + "float.safetensors";
  write_file(place + "plain.json", R"([{"epochs": 4, "learning_rate": 0.005}])");
  parsed("espalier train --synthetic --images 400 --json --recipe " + place +
         "plain.json --weights " + weights + " --out " + place + "m.esp");
  const Bytes before = read_file(weights);
  const std::string command = "espalier sensitivity --synthetic --images 300 " + weights;
  const json found = parsed(command + " --json --sparsity 0.7");
  CHECK(read_file(weights) == before);
  CHECK(found.at("images") == 300);
  CHECK(found.at("baseline") > 0.5);
  REQUIRE(found.at("sparsities").size() == 11);
  CHECK(found["sparsities"][0] == 0.1);
  REQUIRE(found.at("tensors").size() == 2);
  for (const auto& [name, accuracies] : found["tensors"].items()) {
    CHECK(accuracies.size() == 11);
    CHECK(accuracies[10] < found["baseline"]);
  }
  const json& shares = found.at("chosen").at("sparsities");
  const double conv1 = shares.at("conv1.weight"), dense = shares.at("dense.weight");
  CHECK(conv1 != dense);
  CHECK((108 * conv1 + 20280 * dense) / 20388 == doctest::Approx(0.7));

  const auto text = run_program(command + " --quiet --max-drop 2 --layers dense");
  CHECK_MESSAGE(text.exit_code == 0, text.output);
  for (const char* part :
       {"pruned alone", "dense.weight", "10 %", "99 %",
        "on 300 of the training "
        "images of synthetic digits",
        "no more than 2.00 points",
        "{\"prune\": {\"allocation\":\"per_layer\",\"sparsities\":{\"dense.weight"})
    CHECK_MESSAGE(contains(text.output, part), text.output);
  CHECK_FALSE(contains(text.output, "conv1"));

  // What a recipe does by itself is what its printed choice does. 12,000 images are too many to train.
  const json all =
      parsed("espalier sensitivity --synthetic --json --sparsity 0.7 --images 300 " + weights);
  CHECK(all == found);
  const auto train = [&](const json& prune, const std::string& name) {
    write_file(place + name,
               json::array({{{"epochs", 2}}, {{"prune", prune}, {"epochs", 1}}}).dump());
    return parsed("espalier train --synthetic --images 400 --json --recipe " + place + name +
                  " --out " + place + name + ".esp");
  };
  json prune = {{"sparsity", 0.7},
                {"frequency_steps", 1},
                {"sensitivity_images", 300},
                {"allocation", "sensitivity"}};
  const json by_itself = train(prune, "a.json");
  const json given = by_itself["stages"][1].at("sparsities");
  CHECK(given.size() == 2);
  CHECK((108 * given.at("conv1.weight").get<double>() +
         20280 * given.at("dense.weight").get<double>()) /
            20388 ==
        doctest::Approx(0.7));
  prune = {{"sparsity", 0.7},
           {"frequency_steps", 1},
           {"allocation", "per_layer"},
           {"sparsities", given}};
  CHECK_FALSE(train(prune, "b.json")["stages"][1].contains("sparsities"));
  CHECK(read_file(place + "a.json.esp") == read_file(place + "b.json.esp"));
}

TEST_CASE("sensitivity refuses what cannot be") {
  const tests::Folder folder("sensitivity_cli_test");
  const std::string weights = folder.path.string() + "/w.safetensors";
  Sequential small = small_model(1);
  save_parameters(small, weights);
  const auto refuses = [&](const std::string& arguments, int code, const std::string& part) {
    const auto result = run_program("espalier sensitivity -q --synthetic --images 50 " + arguments);
    CHECK_MESSAGE(result.exit_code == code, result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
  };
  refuses("", 2, "weights is required");
  refuses("none.safetensors", 4, "none.safetensors");
  refuses(weights, 3, "name it with --model");
  refuses(weights + " --model lenet55", 2, "there is no network lenet55");
  refuses(weights + " --model lenet5", 3, "conv1.weight is float32 [12x3x3x1]");
  const std::string good = weights + " --model tutorial-small ";
  refuses(good + "--sparsity 0.1 --sparsities 0.5,0.4", 2, "wants sparsities in [0, 1) that rise");
  refuses(good + "--sparsities 0.5 --sparsity 0.6", 2, "nothing above 0.5 is measured");
  refuses(good + "--sparsity 0.5 --max-drop 1", 2, "--max-drop");
  refuses(good + "--layers conv1,conv9", 2, "--layers: the network has no conv9");
  refuses(good + "--layers dense.bias", 2, "no parameter of the model was selected");
  CHECK(run_program(
            "espalier sensitivity -q --synthetic --images 50 --sparsities 0.5 --max-drop 1 " + good)
            .exit_code == 0);
}
