// espalier new: what it writes is read, and its README's commands run as they stand.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/common/starting_recipe.hpp"
#include "compress/recipe/recipe.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "datasets/image.hpp"
#include "layers/model_json.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using nlohmann::json;
using tests::contains;
using tests::run_program;
namespace fs = std::filesystem;
namespace {

std::string text_of(const fs::path& file) {
  const Bytes bytes = read_file(file);
  return {bytes.begin(), bytes.end()};
}

std::string fenced(const std::string& readme) {
  const auto from = readme.find("```sh\n") + 6;
  return readme.substr(from, readme.find("```\n", from) - from);
}

// Sixty flowers of three kinds, told apart by their two numbers.
std::string csv() {
  std::string text = "length,width,kind\n";
  for (int i = 0; i < 60; ++i)
    text += std::to_string(i % 3 + i % 7 * 0.05) + "," + std::to_string(2 - i % 3 + i % 5 * 0.05) +
            ",kind " + std::to_string(i % 3) + "\n";
  return text;
}

}  // namespace

TEST_CASE("new: a model and a recipe with comments, and the next command") {
  const tests::Folder folder("new_test");
  const fs::path place = folder.path / "digits";
  const auto result = run_program("espalier new " + place.string());
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  const ModelJson model = load_model_json(place / "model.json");
  CHECK(model.name == "digits");
  CHECK(model.input == Shape{28, 28, 1});
  CHECK(model.model.output_shape(model.input) == Shape{10});
  const auto recipe = recipe::load_recipe(place / "recipe.json");
  REQUIRE(recipe.stages.size() == 3);
  CHECK(recipe.stages[0].name() == "train");
  CHECK(recipe.stages[1].prune->target.sparsity == 0.8f);
  CHECK(recipe.stages[2].quantize.has_value());
  for (const char* name : {"model.json", "recipe.json", "README.md"})
    CHECK_MESSAGE(contains(result.output, name), result.output);
  CHECK(contains(
      result.output,
      with_commas(static_cast<std::int64_t>(fs::file_size(place / "model.json"))) + " bytes"));
  CHECK(contains(result.output, "Next: cd " + place.string() +
                                    " && " ESPALIER_BIN_DIR "/espalier train --model model.json"));
  CHECK(contains(text_of(place / "README.md"),
                 "```sh\nexport PATH=" ESPALIER_BIN_DIR ":\"$PATH\"\nespalier train "));
  // Found by its name it is called by it; a program of another folder is not taken for it.
  fs::create_directories(folder.path / "bin");
  write_file(folder.path / "bin" / "espalier", std::string_view("#!/bin/sh\n"));
  const auto named = [&](const std::string& path, const std::string& to) {
    return run_program("espalier new " + place.string() + to, "PATH=" + path + ":/usr/bin:/bin")
        .output;
  };
  CHECK(contains(named(ESPALIER_BIN_DIR, "-a"), " && espalier train"));
  CHECK_FALSE(contains(text_of(place.string() + "-a/README.md"), "PATH"));
  fs::permissions(folder.path / "bin" / "espalier", fs::perms::owner_all);
  CHECK(contains(named((folder.path / "bin").string() + ":" ESPALIER_BIN_DIR, "-b"),
                 " && " ESPALIER_BIN_DIR "/espalier train"));

  const auto again = run_program("espalier new " + place.string());
  CHECK(again.exit_code == 4);
  CHECK(contains(again.output, "is there and not an empty folder"));
  CHECK(run_program("espalier new ''").exit_code == 2);
  CHECK(run_program("espalier new -q " + place.string() + "-2").output.empty());
  const auto report =
      json::parse(run_program("espalier new --json " + place.string() + "-3/").output);
  CHECK(report.at("files").size() == 3);
  CHECK(report.at("files")[1].at("bytes") == fs::file_size(place.string() + "-3/model.json"));
}

TEST_CASE(
    "new --data: the network fits the data, and every command of the README runs as it stands") {
  const tests::Folder folder("new_data_test");
  const fs::path place = folder.path / "my flowers";
  write_file(folder.path / "it's flowers.csv", csv());
  const auto result = run_program("espalier new \"" + place.string() + "\" --data \"" +
                                  (folder.path / "it's flowers.csv").string() + "\" --label kind");
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  const ModelJson model = load_model_json(place / "model.json");
  CHECK(model.input == Shape{1, 1, 2});
  CHECK(model.model.output_shape(model.input) == Shape{3});
  const std::string commands = fenced(text_of(place / "README.md"));
  CHECK(std::ranges::count(commands, '\n') == 6);
  write_file(folder.path / "commands.sh", commands);
  const auto all =
      tests::run_shell("sh -c 'cd \"" + place.string() + "\" && sh -e ../commands.sh'");
  CHECK_MESSAGE(all.exit_code == 0, all.output);
  CHECK(contains(all.output, "test rows right"));
  CHECK(contains(all.output, "The same answer to "));
  CHECK(fs::exists(place / "model.c"));
}

TEST_CASE("new --data with pictures: their size and channels; reading options are repeated") {
  const tests::Folder folder("new_pictures_test");
  for (int i = 0; i < 12; ++i) {
    const fs::path of = folder.path / "pictures" / ("class " + std::to_string(i % 4));
    fs::create_directories(of);
    datasets::write_png(of / (std::to_string(i) + ".png"), Tensor(Shape{20, 16, 3}, DType::kUint8));
  }
  const std::string place = (folder.path / "project").string(),
                    data = (folder.path / "pictures").string();
  REQUIRE(
      run_program("espalier new " + place + " --data " + data + " --size 12x10 --grey").exit_code ==
      0);
  const ModelJson model = load_model_json(place + "/model.json");
  CHECK(contains(text_of(place + "/model.json"), "built-in tutorial-small"));
  CHECK(model.input == Shape{12, 10, 1});
  CHECK(model.model.output_shape(model.input) == Shape{4});
  CHECK(contains(text_of(place + "/README.md"), " --data " + data + " --size 12x10 --grey"));
  REQUIRE(run_program("espalier new " + place + "-of-digits --data digits").exit_code == 0);
  CHECK(contains(text_of(place + "-of-digits/README.md"), " --data digits\n"));
  const auto none = run_program("espalier new " + place + "-2 --data /nonexistent_folder");
  CHECK(none.exit_code == 4);
  CHECK_FALSE(fs::exists(place + "-2"));
}

TEST_CASE("new --model: each built-in network trains, and to the bytes that it has by its name") {
  const tests::Folder folder("new_networks_test");
  const std::string pictures = (folder.path / "pictures").string(),
                    table = (folder.path / "table.csv").string(),
                    step = (folder.path / "step.json").string();
  for (int i = 0; i < 16; ++i) {
    const fs::path of = fs::path(pictures) / ("class " + std::to_string(i % 2));
    fs::create_directories(of);
    Tensor picture(Shape{28, 28, 3}, DType::kUint8);
    for (std::uint8_t& v : picture.mutable_values<std::uint8_t>())
      v = static_cast<std::uint8_t>(90 * (i % 2) + 9 * i);
    datasets::write_png(of / (std::to_string(i) + ".png"), picture);
  }
  write_file(table, csv());
  write_file(step, R"([{"epochs": 1}])");
  for (const std::string network : {"mlp", "lenet5", "lenet300", "tutorial-small", "tutorial-large",
                                    "dscnn", "resnet8", "tabular"}) {
    CAPTURE(network);
    const std::string place = (folder.path / network).string(),
                      data = " --data " + (network == "tabular" ? table : pictures);
    const auto made = run_program("espalier new -q " + place + " --model " + network + data);
    REQUIRE_MESSAGE(made.exit_code == 0, made.output);
    const std::string text = text_of(place + "/model.json");
    CHECK(contains(text, "as the built-in " + network + " has them"));
    CHECK(contains(text, "// One sum a class"));
    const auto recipe = recipe::load_recipe(place + "/recipe.json");
    REQUIRE(recipe.stages.size() == 3);
    CHECK(recipe.stages[2].quantize.has_value());
    const std::string train = "espalier train -q --recipe " + step + data + " --model ";
    const auto by_file = run_program(train + place + "/model.json --out " + place + "/a.esp"),
               by_name = run_program(train + network + " --out " + place + "/b.esp");
    REQUIRE_MESSAGE(by_file.exit_code == 0, by_file.output);
    REQUIRE_MESSAGE(by_name.exit_code == 0, by_name.output);
    CHECK(read_file(place + "/a.esp") == read_file(place + "/b.esp"));
  }
  const std::string place = (folder.path / "refused").string();
  const auto misspelt = run_program("espalier new " + place + " --model resnet");
  CHECK(misspelt.exit_code == 2);
  CHECK_MESSAGE(contains(misspelt.output, "espalier: networks: there is no network resnet"),
                misspelt.output);
  const auto small =
      run_program("espalier new " + place + " --model lenet5 --size 8 --data " + pictures);
  CHECK_MESSAGE(small.exit_code == 2, small.output);
  CHECK_FALSE(fs::exists(place));
}

TEST_CASE("the network to start with suits the data, and its recipe the network") {
  using namespace espalier::apps;
  CHECK(starting_network({28, 28, 1}, false) == "tutorial-small");
  CHECK(starting_network({32, 32, 3}, false) == "resnet8");
  CHECK(starting_network({64, 48, 1}, false) == "resnet8");
  CHECK(starting_network({4, 100, 3}, false) == "mlp");
  CHECK(starting_network({1, 1, 12}, true) == "tabular");
  const auto deep = recipe::parse_recipe(
      starting_recipe(starting_data({32, 32, 3}, 10'000, false, "resnet8")), "start");
  CHECK(deep.stages[0].batch_size == 64);
  CHECK(deep.stages[0].epochs == 16);
  REQUIRE(deep.stages[2].augment.has_value());
  CHECK(deep.stages[2].augment->shift == 3);
  CHECK(deep.stages[1].prune->target.sparsity == 0.7f);
  const auto separable = recipe::parse_recipe(
      starting_recipe(starting_data({32, 32, 3}, 10'000, false, "dscnn")), "start");
  CHECK(separable.stages[1].prune->select.min_values == 600);
  CHECK(separable.stages[2].quantize->layer_bits.at("block4_depthwise") == 8);
}

TEST_CASE("new refuses how a path is read without one, and a file in its place") {
  const tests::Folder folder("new_refuses_test");
  const auto no_data =
      run_program("espalier new " + (folder.path / "p").string() + " --size 32x32");
  CHECK(no_data.exit_code == 2);
  CHECK_MESSAGE(contains(no_data.output, "--data: is missing"), no_data.output);
  write_file(folder.path / "empty", "");
  const auto file = run_program("espalier new " + (folder.path / "empty").string());
  CHECK(file.exit_code == 4);
  CHECK_MESSAGE(contains(file.output, "is there and not an empty folder"), file.output);
}

TEST_CASE("a shell reads a quoted word back") {
  for (const std::string word : {"plain", "two words", "it's", "$HOME `x` \"y\" \\", "", "*"})
    CHECK(tests::run_shell("printf %s " + shell_word(word)).output == word);
}
