// espalier inspect: counts that can be checked by hand.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "apps/espalier/layer_facts.hpp"
#include "core/base/file.hpp"
#include "core/onednn/isa.hpp"
#include "tests/apps/digit_models.hpp"
#include "tests/apps/program.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;

TEST_CASE("facts: shapes, MACs, zeros, bytes and peak memory of a small model") {
  const auto model = tests::integer_nearest_mean();
  const auto facts = apps::count_facts(model);
  REQUIRE(facts.layers.size() == 3);
  const auto &conv = facts.layers[0], &flatten = facts.layers[1], &dense = facts.layers[2];
  CHECK(conv.kind == "conv 3x3 + relu");
  CHECK(conv.output == std::array<std::int64_t, 3>{26, 26, 2});
  CHECK(conv.macs == 26 * 26 * 2 * 9);
  CHECK(conv.weights == 18);
  CHECK(conv.zeros == 15);
  CHECK(conv.activation_bytes == 26 * 26 * 2);
  CHECK(flatten.bits == 0);
  CHECK(dense.macs == 13520);
  CHECK(dense.activation_bytes == 40);  // ten float logits
  CHECK(facts.parameters == 18 + 2 + 13520 + 10);
  CHECK(facts.dense_float_bytes == 4 * facts.parameters);
  CHECK(facts.peak_activation_bytes == 28 * 28 + 26 * 26 * 2);
}

TEST_CASE("facts: the layers' bytes and the header's are the file's, in both codings") {
  for (const int bits : {2, 8, 32})
    for (const auto coding : {format::Coding::kPlain, format::Coding::kRange}) {
      const auto model = format::samples::network(bits, 0.3);
      const auto facts = apps::count_facts(model, coding);
      CHECK(facts.file_bytes == format::write(model, coding).size());
      std::size_t sum = facts.header_bytes;
      for (const auto& layer : facts.layers) sum += layer.file_bytes;
      CHECK(sum == facts.file_bytes);
      // Plain, a level costs its bit, and a nonzero float its four bytes.
      const auto& dense = facts.layers.back();
      if (coding == format::Coding::kPlain && bits == 32)
        CHECK(dense.file_bytes >= 12 + 4 * static_cast<std::size_t>(dense.weights - dense.zeros));
    }
}

TEST_CASE("inspect: text, JSON and trace as a user sees them") {
  const tests::Folder folder("inspect_test");
  const std::string file = (folder.path / "digits.esp").string();
  for (const auto coding : {format::Coding::kPlain, format::Coding::kRange}) {
    write_file(file, format::write(tests::integer_nearest_mean(), coding));
    const auto json = run_program("espalier inspect --json --trace --layer means " + file);
    INFO(json.output);
    REQUIRE(json.exit_code == 0);
    const auto report = nlohmann::json::parse(json.output);
    CHECK(report["version"] == 1);
    CHECK(report["file_bytes"] == std::filesystem::file_size(file));
    std::size_t sum = report["header_bytes"];
    for (const auto& layer : report["layers"]) sum += layer["file_bytes"].get<std::size_t>();
    CHECK(sum == report["file_bytes"]);
    CHECK(report["trace"]["layer"] == "means");
  }
  const auto text = run_program("espalier inspect -q " + file);
  CHECK(text.exit_code == 0);
  for (const char* part : {"conv 3x3 + relu", "26x26x2", "12,168", "peak activation memory"})
    CHECK_MESSAGE(contains(text.output, part), part);
  const auto trace = run_program("espalier inspect --trace " + file, "LC_ALL=C");
  CHECK(contains(trace.output, "One neuron, by integers: copy"));
  CHECK(run_program("espalier inspect --layer copy " + file).exit_code == 2);  // needs --trace
  CHECK(run_program("espalier inspect --trace --layer cpy " + file).exit_code == 2);
  CHECK(run_program("espalier inspect --trace --image /nonexistent_folder.png " + file).exit_code ==
        4);
  std::filesystem::resize_file(file, 100);
  CHECK(run_program("espalier inspect " + file).exit_code == 3);
}

TEST_CASE("inspect --plan: kernels, times, counts, as text and as JSON") {
  const tests::Folder folder("inspect_plan_test");
  const std::string file = (folder.path / "digits.esp").string();
  write_file(file, format::write(tests::integer_nearest_mean()));
  const auto text = run_program("espalier inspect --plan " + file);
  CHECK(text.exit_code == 0);
  for (const char* part : {"kernel", "skipped", "input", "1 image, "})
    CHECK_MESSAGE(contains(text.output, part), part);
  for (const std::string kernels : {"fixed", "timed", "onednn", "blocks", "scattered"}) {
    const auto json =
        run_program("espalier inspect --json --plan --batch 3 --kernels " + kernels + " " + file);
    INFO(json.output);
    REQUIRE(json.exit_code == 0);
    const auto whole = nlohmann::json::parse(json.output)["plan"];
    CHECK(whole["batch"] == 3);
    CHECK(whole["isa"] == name_of(vector_isa()));
    const auto plan = whole["steps"];
    REQUIRE(plan.size() == 3);  // the input, the convolution, the dense layer
    CHECK(plan[1]["layers"] == "copy");
    CHECK(plan[1]["macs"].get<std::int64_t>() > 0);
    if (kernels == "blocks" || kernels == "scattered") CHECK(plan[1]["kernel"] == kernels);
    if (kernels == "onednn") CHECK(plan[1]["kernel"] == "oneDNN");
  }
  CHECK(run_program("espalier inspect --kernels fixed " + file).exit_code == 2);  // needs --plan
  CHECK(run_program("espalier inspect --image a.png " + file).exit_code == 2);    // or --trace
  CHECK(run_program("espalier inspect --plan --kernels best " + file).exit_code == 2);
  CHECK(run_program("espalier inspect --plan --batch 0 " + file).exit_code == 2);
}

TEST_CASE("inspect, eval: how weights are stored and what a layer computes with") {
  const auto facts = apps::count_facts(format::samples::crossings());
  CHECK(facts.layers[0].bits == 32);
  CHECK(!facts.layers[0].integer);
  CHECK(facts.layers[6].bits == 4);
  CHECK(facts.layers[6].integer);
  CHECK(facts.layers[7].bits == 16);
  // Levels in, 7x4x5 floats out.
  CHECK(facts.peak_activation_bytes == 9 * 8 * 2 + 4 * 7 * 4 * 5);
  CHECK(!apps::count_facts(format::samples::dynamic_range(8)).layers[0].integer);

  const tests::Folder folder("inspect_types_test");
  const std::string file = (folder.path / "types.esp").string();
  auto model = tests::integer_nearest_mean();  // its dense layer in float, behind levels
  auto& means = model.layers[2];
  for (std::size_t k = 0; k < means.weight.levels.size(); ++k)
    means.weight.values.push_back(static_cast<float>(means.weight.levels[k]) / 127);
  for (const auto level : means.bias_levels)
    means.bias.push_back(static_cast<float>(level) / (127 * 127));
  means.weight.levels.clear(), means.weight.scales.clear(), means.bias_levels.clear();
  means.weight.bits = 32;
  write_file(file, format::write(model));
  const auto report = nlohmann::json::parse(run_program("espalier inspect --json " + file).output);
  CHECK(report["version"] == 2);
  CHECK(report["layers"][0]["integer"] == true);
  CHECK(report["layers"][2]["integer"] == false);
  CHECK(report["layers"][2]["bits"] == 32);
  const auto text = run_program("espalier inspect " + file);
  CHECK(contains(text.output, "int32"));
  CHECK(contains(text.output, "float"));
  const auto eval =
      nlohmann::json::parse(run_program("espalier eval --synthetic --json " + file).output);
  CHECK(eval["differing_logits"] == 0);
  CHECK(eval["accuracy"] > 0.5);
}

TEST_CASE("inspect, run: a file's own words cannot steer the terminal") {
  const tests::Folder folder("hostile_words_test");
  const std::string file = (folder.path / "\x1b]0;owned.esp").string();
  auto model = tests::integer_nearest_mean();
  for (auto& layer : model.layers) layer.name += "\x1b[2J";
  model.labels.assign(10, "\x1b]0;title\x07");
  write_file(file, format::write(model));
  for (const std::string& arguments :
       {"inspect '" + file + "'", "inspect --trace '" + file + "'",
        "inspect --trace --layer nowhere '" + file + "'", "eval --synthetic '" + file + "'",
        "run '" + file + "' /nonexistent_folder"}) {
    const auto result = run_program("espalier " + arguments);
    CHECK_MESSAGE(!contains(result.output, "\x1b"), arguments);
    CHECK_MESSAGE(contains(result.output, result.exit_code == 4 ? "nonexistent" : "\\x1b"),
                  arguments);
  }
}

TEST_CASE("inspect: 80 columns are enough, and where there are fewer the table goes on below") {
  auto model = tests::integer_nearest_mean();
  const auto facts = apps::count_facts(model);
  const auto shown = [&](std::size_t width) {
    std::ostringstream out;
    apps::print_facts(out, "f", 1, model, facts, width);
    return out.str();
  };
  const auto tables = [](const std::string& text) {  // parts that the table was broken into
    std::size_t count = 0;
    for (auto at = text.find("\nlayer "); at != std::string::npos;
         at = text.find("\nlayer ", at + 1))
      ++count;
    return count;
  };
  std::istringstream lines(shown(0));
  for (std::string line; std::getline(lines, line);) CHECK_MESSAGE(line.size() <= 80, line);
  CHECK(tables(shown(0)) == 1);
  CHECK(tables(shown(80)) == 1);
  CHECK(tables(shown(40)) > 1);
}
