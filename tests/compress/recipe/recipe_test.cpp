// Every key: read, printed, and in the schema.
#include "compress/recipe/recipe.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/file.hpp"

using namespace espalier;
using recipe::parse_recipe;
using recipe::Recipe;
namespace {

std::string text_of(const std::string& path) {
  const auto bytes = read_file(std::string(ESPALIER_SOURCE_DIR) + "/" + path);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("every key of the schema is read, changes the recipe, and is printed back") {
  const auto schema = nlohmann::json::parse(recipe::recipe_schema());
  // A value that is allowed and is not the default.
  const auto other = [](const nlohmann::json& p, const nlohmann::json& now) -> nlohmann::json {
    const std::string type = p.at("type");
    if (type == "boolean") return !now.get<bool>();
    if (type == "array") return {"conv1"};
    if (type == "object") {
      const bool bits = p.at("additionalProperties").at("type") == "integer";
      return {{"conv1", bits ? nlohmann::json(3) : nlohmann::json(0.25)}};
    }
    if (type == "string" && !p.contains("enum")) return "another";
    if (type == "string") {
      for (const auto& word : p.at("enum"))
        if (word != now && word != "per_layer") return word;
    }
    if (type == "integer") return now == p.at("minimum") ? now.get<int>() + 1 : now.get<int>() - 1;
    for (const double v : {0.0625, 0.4375, 0.8125})  // near, so that pairs keep their order
      if (v != now && v >= p.value("minimum", 0.0) && std::abs(v - now.get<double>()) < 0.25)
        return v;
    return now.get<double>() + 0.125;
  };
  const auto full = [](const nlohmann::json& stage) {
    return nlohmann::json::parse(
        recipe::format_recipe(parse_recipe(nlohmann::json::array({stage}).dump(), "r")))[0];
  };
  int keys = 0;
  const auto& properties = schema.at("items").at("properties");
  for (const auto& [pass, description] : properties.items()) {
    if (description.at("type") != "object") {  // the stage's own
      nlohmann::json stage = {{"prune", nlohmann::json::object()}};
      if (pass == "nesterov") stage["optimizer"] = "sgd";
      if (pass == "early_stop") stage = {{"epochs", 2}};
      const auto before = full(stage);
      stage[pass] = other(description, before.at(pass));
      CHECK_MESSAGE(full(stage).at(pass) == stage[pass], pass);
      ++keys;
      continue;
    }
    nlohmann::json least = nlohmann::json::object();
    for (const auto& required : description.value("required", nlohmann::json::array()))
      least[required.get<std::string>()] = "a file";
    nlohmann::json stage = {{pass, least}};
    const auto before = full(stage);
    CHECK(before.at(pass).size() == description.at("properties").size());
    for (const auto& [key, property] : description.at("properties").items()) {
      stage[pass] = least;
      stage[pass][key] = other(property, before.at(pass).at(key));
      if (key == "sparsities") stage[pass]["allocation"] = "per_layer";
      stage.erase("epochs");
      if (key == "bias_correction") stage["epochs"] = 0;
      if (key == "block_outputs" || key == "block_inputs") stage[pass]["structure"] = "blocks";
      const auto after = full(stage);
      CHECK_MESSAGE(after.at(pass).at(key) == stage[pass][key], pass << " " << key);
      CHECK_MESSAGE(after != before, pass << " " << key);
      ++keys;
    }
  }
  CHECK(keys > 60);
}

TEST_CASE("a recipe in full parses to itself") {
  const Recipe r = parse_recipe(
      R"([{"epochs": 1, "learning_schedule": "constant"},
          {"prune": {"sparsity": 0.8, "structure": "blocks", "block_outputs": 2,
                     "allocation": "per_layer", "sparsities": {"conv1": 0.1}}},
          {"quantize": {"layer_bits": {"dense": 4}}, "epochs": 2, "learning_rate": 0.0003}])",
      "r");
  const std::string printed = recipe::format_recipe(r);
  CHECK(printed.find("\"sparsity\": 0.8,") != std::string::npos);  // not 0.800000011920929
  CHECK(printed.find("\"frequency_steps\": 0") != std::string::npos);
  CHECK(recipe::format_recipe(parse_recipe(printed, "printed")) == printed);
}

TEST_CASE("the schema file is what the code reads; the page's recipes are good") {
  CHECK(text_of("compress/recipe/recipe.schema.json") == recipe::recipe_schema());
  const std::string page = text_of("compress/recipe/RECIPES.md");
  int examples = 0;
  const std::string begin = "```json\n";
  for (auto at = page.find(begin); at != std::string::npos; at = page.find(begin, at + 1)) {
    const auto from = at + begin.size();
    CHECK_NOTHROW(parse_recipe(page.substr(from, page.find("```", from) - from), "RECIPES.md"));
    ++examples;
  }
  CHECK(examples >= 3);
}
