// The recipe to start from: some thousand steps for any data; train takes it by itself.
#include "apps/common/starting_recipe.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "compress/recipe/recipe.hpp"
#include "core/base/file.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using namespace espalier::apps;
using tests::contains;
using tests::run_program;

TEST_CASE("small data gets small batches and more epochs, large data what it had") {
  for (const std::int64_t examples : {10, 120, 1000, 4096, 60'000, 10'000'000}) {
    const auto recipe = recipe::parse_recipe(starting_recipe({.examples = examples}), "start");
    REQUIRE(recipe.stages.size() == 3);
    for (const auto& stage : recipe.stages) {
      const std::int64_t batches = (examples + stage.batch_size - 1) / stage.batch_size;
      CHECK(stage.batch_size == batch_for(examples));
      CHECK(stage.epochs * batches >= 400);
      CHECK((stage.batch_size == 128 || stage.epochs * batches < 2500));
    }
    CHECK(recipe.stages[0].epochs >= 4);
    CHECK(recipe.stages[1].prune->target.sparsity == 0.8f);
  }
  CHECK(batch_for(1) == 8);
  CHECK(batch_for(4096) == 128);
  const auto large = recipe::parse_recipe(starting_recipe(), "start");
  CHECK(large.stages[0].epochs == 4);
  CHECK(large.stages[2].epochs == 2);
  const auto table =
      recipe::parse_recipe(starting_recipe({.examples = 500, .table = true}), "start");
  CHECK(table.stages[1].prune->target.sparsity == 0.5f);
}

TEST_CASE("every network's recipe to start from is a recipe, for pictures and tables") {
  for (const char* network : {"mlp", "lenet5", "lenet300", "tutorial-small", "tutorial-large",
                              "dscnn", "resnet8", "tabular"})
    for (const bool table : {false, true})
      for (const std::int64_t examples : {20, 3000, 100'000}) {
        CAPTURE(network);
        CAPTURE(table);
        const Shape input = table ? Shape{1, 1, 6} : Shape{32, 32, 3};
        const std::string text = starting_recipe(starting_data(input, examples, table, network));
        CHECK(recipe::parse_recipe(text, "start").stages.size() == 3);
      }
}

TEST_CASE("train without --recipe and --model: a table's own, and a file that knows it") {
  const tests::Folder folder("starting_recipe_test");
  const std::string csv = (folder.path / "t.csv").string(), esp = (folder.path / "t.esp").string();
  std::string text = "a,b,kind\n";
  for (int i = 0; i < 90; ++i)
    text += std::to_string(i % 10) + ',' + std::to_string(i % 7) + ',' +
            (i % 10 > i % 7 ? "more\n" : "less\n");
  write_file(csv, text);
  const auto result = run_program("espalier train --json --data " + csv + " --out " + esp);
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  const auto report = nlohmann::json::parse(result.output);
  CHECK(report.at("model") == "tabular");
  CHECK(report.at("stages").size() == 3);
  CHECK(report.at("stages")[2].at("accuracy") > 0.8);
  const auto printed = run_program("espalier train --print-recipe --data " + csv);
  CHECK_MESSAGE(contains(printed.output, "\"batch_size\": 8"), printed.output);
}
