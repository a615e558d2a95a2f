// espalier compress without a recipe, of a model.json: the search over prices that built-in networks have.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "compress/format/reader.hpp"
#include "core/base/file.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;
namespace {

// Nothing that is built in: a norm, a branch, dropout, names of its own.
std::string model(int filters) {
  return R"({"name": "mine", "input": [28, 28, 1], "layers": [)"
         R"({"type": "Conv2d", "name": "look", "filters": )" +
         std::to_string(filters) +
         R"(, "kernel_size": 5, "strides": 2},
    {"type": "BatchNorm", "name": "norm", "momentum": 0.9, "epsilon": 0.001},
    {"type": "Relu", "name": "positive"},
    {"type": "MaxPool2d", "name": "halve", "pool_size": 2},
    {"type": "Conv2d", "name": "again", "filters": )" +
         std::to_string(filters) + R"(, "kernel_size": 3, "padding": "same", "activation": "relu"},
    {"type": "Residual", "name": "sum", "with": "halve"},
    {"type": "Flatten", "name": "flatten"},
    {"type": "Dropout", "name": "forget", "rate": 0.1},
    {"type": "Dense", "name": "answer", "units": 10}]})";
}

}  // namespace

TEST_CASE(
    "compress --model model.json searches for a file of so many bytes, and of so small a drop") {
  const tests::Folder folder("compress_own_model");
  const std::string json = (folder.path / "mine.json").string(),
                    out = (folder.path / "out").string();
  write_file(json, model(8));
  const std::string command =
      "espalier compress --synthetic --images 1200 --minutes 0.05 --model " + json + " --out " +
      out;
  const auto small = run_program(command + " --target-bytes 3000 --json");
  REQUIRE_MESSAGE(small.exit_code == 0, small.output);
  const auto report = nlohmann::json::parse(small.output);
  const Bytes best = read_file(folder.path / "out" / "best.esp");
  CHECK(report.at("best").at("bytes") == best.size());
  CHECK(best.size() <= 3000);
  CHECK(report.at("best").at("test_error") < 0.3);
  // Each weight is a level, most of them zeros: the price did that, nothing of the network's own.
  const auto packed = format::read(best, "best.esp");
  std::int64_t weights = 0, zeros = 0;
  for (const auto& layer : packed.layers) {
    CHECK((layer.weight.shape.empty() || !layer.weight.levels.empty()));
    weights += std::ssize(layer.weight.levels);
    zeros += std::ranges::count(layer.weight.levels, 0);
  }
  CHECK(weights > 0);
  CHECK(zeros > weights / 4);

  // The goal may change, and its own network in whole is what the drop is counted from.
  const auto drop = run_program(command + " --max-drop 60");
  CHECK_MESSAGE(drop.exit_code == 0, drop.output);
  CHECK(contains(drop.output, " trials are there already"));
  CHECK(contains(drop.output, "the whole network in float is right on "));

  // Another network of the same name is another search.
  write_file(json, model(6));
  const auto other = run_program(command + " --target-bytes 3000");
  CHECK(other.exit_code == 2);
  CHECK_MESSAGE(contains(other.output, "belongs to another search"), other.output);
}

TEST_CASE("compress says of a model.json what does not fit, before it trains") {
  const tests::Folder folder("compress_own_refused");
  const std::string json = (folder.path / "mine.json").string();
  const std::string command = "espalier compress --synthetic --target-bytes 900 --model " + json +
                              " --out " + (folder.path / "out").string();
  const auto refused = [&](const std::string& more, int code, const std::string& part) {
    const auto result = run_program(command + more);
    CHECK_MESSAGE(result.exit_code == code, result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
  };
  refused("", 4, "mine.json");
  write_file(json, "{\"name\": \"mine\"}");
  refused("", 3, "mine.json: ");
  write_file(json, R"({"name": "m", "input": [32, 32, 3], "layers": [{"type": "Flatten"},)"
                   R"( {"type": "Dense", "units": 10}]})");
  refused("", 2, "/input: the data's images are [28x28x1], got [32x32x3]");
  write_file(json, model(4));
  refused(" --widths 3", 2, "--widths: is for built-in networks");
  CHECK_FALSE(std::filesystem::exists(folder.path / "out"));
}
