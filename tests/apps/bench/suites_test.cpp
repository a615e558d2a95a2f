// espalier-bench as a user and peers/compare.py run it.
#include <nlohmann/json.hpp>

#include "compress/format/writer.hpp"
#include "core/base/file.hpp"
#include "core/base/rng.hpp"
#include "core/base/sanitized.hpp"
#include "core/onednn/isa.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using namespace espalier::tests;
using nlohmann::json;

TEST_CASE("bench: --help names the suites") {
  const auto help = run_program("espalier-bench --help");
  CHECK(help.exit_code == 0);
  for (const char* suite : {"train", "infer", "sparse", "load", "codec", "all", "worker", "models"})
    CHECK_MESSAGE(contains(help.output, suite), suite);
  CHECK(run_program("espalier-bench").exit_code == 2);
  CHECK(run_program("espalier-bench infer --model smal").exit_code == 2);
  CHECK(run_program("espalier-bench-once /nonexistent_folder.esp").exit_code == 4);
}

TEST_CASE("bench: a short run of each suite, and its JSON") {
  const Folder folder("bench");
  const auto file = folder.path / "run.json";
  for (const std::string suite : {"train", "infer", "sparse", "load", "codec"}) {
    const auto run =
        run_program("espalier-bench " + suite +
                    " --model small --batch 2 --rounds 3 --seconds 0.0001 --json " + file.string());
    INFO(suite << "\n" << run.output);
    REQUIRE(run.exit_code == 0);
    const Bytes bytes = read_file(file);
    const json all = json::parse(bytes.begin(), bytes.end());
    for (const char* fact : {"cpu", "isa", "governor", "onednn", "compiler"})
      CHECK(all.at("machine").at(fact).get<std::string>() != "");
    CHECK(all.at("threads") == 1);
    REQUIRE(!all.at("results").empty());
    for (const json& r : all.at("results")) {
      CHECK(r.at("suite") == suite);
      CHECK(r.at("model") == "small");
      CHECK(r.at("rounds") == 3);
      CHECK(r.at("median_us") > 0);
      CHECK(r.at("p10_us") <= r.at("median_us"));
      CHECK(r.at("median_us") <= r.at("p99_us"));
      CHECK(r.at("items_per_second") > 0);
    }
  }
}

TEST_CASE("bench: the roof, whatever the model") {
  const auto run = run_program("espalier-bench peak --rounds 2 --seconds 0.0001");
  INFO(run.output);
  REQUIRE(run.exit_code == 0);
  for (const char* row : {"matrix product float32", "matrix product int8", "reading 65536 kB"})
    CHECK(run.output.find(row) != std::string::npos);
}

TEST_CASE("bench: a regression ends with 5") {
  const Folder folder("bench_against");
  const auto saved = (folder.path / "saved.json").string();
  const std::string command = "espalier-bench infer --model lenet300 --batch 1 --seconds 0.0001 ";
  REQUIRE(run_program(command + "--json " + saved).exit_code == 0);
  CHECK(run_program(command + "--tolerance 100 --against " + saved).exit_code == 0);
  const Bytes bytes = read_file(saved);
  json faster = json::parse(bytes.begin(), bytes.end());
  for (json& r : faster["results"]) r["median_us"] = 1e-6, r["mad_us"] = 0;
  write_file(saved, faster.dump());
  // Of one round the MAD is 0: the tolerance alone decides. --json may name the file of --against.
  const auto slower = run_program(command + "--rounds 1 --json " + saved + " --against " + saved);
  CHECK_MESSAGE(slower.exit_code == 5, slower.output);
  CHECK(contains(slower.output, "slower: infer lenet300"));
  write_file(saved, "no JSON");
  CHECK(run_program(command + "--against " + saved).exit_code == 3);
}

TEST_CASE("bench: models, and a worker's answers to good and bad requests") {
  const Folder folder("bench_worker");
  REQUIRE(run_program("espalier-bench models --model small -- " + folder.path.string()).exit_code ==
          0);
  for (const char* name : {"small.json", "small.safetensors", "small.float32.onnx",
                           "small.int8.tflite", "small.pruned.esp", "images.idx", "labels.idx"})
    CHECK_MESSAGE(std::filesystem::file_size(folder.path / name) > 0, name);

  std::string requests;
  for (const char* suite : {"infer", "train", "sparse"}) {
    const json prepare = {{"do", "prepare"}, {"suite", suite}, {"model", "small"},
                          {"batch", 2},      {"threads", 1},   {"folder", folder.path.string()}};
    const json round = {
        {"do", "round"}, {"seconds", 0}, {"variant", *suite == 's' ? "dense" : "float32"}};
    requests += prepare.dump() + "\n" + round.dump() + "\n";
  }
  requests += "{\"do\": \"facts\"}\nno JSON\n{\"do\": \"sing\"}\n{\"do\": \"round\"}\n";
  requests += R"({"do": "prepare", "suite": "infer", "model": "none", "batch": 1, "threads": 1,)"
              R"( "folder": "/nonexistent_folder"})"
              "\n";
  write_file(folder.path / "requests", requests);
  const auto answers =
      run_program("espalier-bench worker < " + (folder.path / "requests").string());
  INFO(answers.output);
  CHECK(answers.exit_code == 0);
  std::istringstream lines(answers.output);
  std::vector<json> replies;
  for (std::string line; std::getline(lines, line);) replies.push_back(json::parse(line));
  REQUIRE(replies.size() == 11);
  CHECK(replies[0].at("variants") == json({"int8", "float32"}));
  CHECK(replies[0].at("checks").at("int8").size() == 10);
  CHECK(replies[2].at("checks").at("float32").size() == 1);  // the loss
  CHECK(replies[2].at("checks").at("float32")[0] < 10);
  CHECK(replies[4].at("variants").size() == 3);
  for (const int round : {1, 3, 5}) {
    CHECK(replies[static_cast<std::size_t>(round)].at("seconds") > 0);
    CHECK(replies[static_cast<std::size_t>(round)].at("runs") >= 1);
  }
  CHECK(replies[6].at("name") == "espalier");
  for (std::size_t bad = 7; bad < 11; ++bad) CHECK(replies[bad].contains("error"));

  const auto once = run_program("espalier-bench-once " + (folder.path / "small.int8.esp").string());
  INFO(once.output);
  const json took = json::parse(once.output);
  CHECK(took.at("seconds") > 0);
  CHECK(took.at("cpu_seconds") >= 0);
  CHECK(took.at("peak_kib") >= took.at("start_kib"));
}

// A dense layer of 12.8 million random weights: its file is hardly smaller. Of file, levels and lines of the
// kernel there is never more than one at a time, but for a part that is on its way.
TEST_CASE("bench: a fresh process holds the weights of a large layer once") {
  const Folder folder("bench-once");
  constexpr std::int64_t kInputs = 3136, kOutputs = 4096;
  format::PackedModel packed;
  packed.input_shape = {1, 1, kInputs};
  packed.input = {1.0f / 127, 0};
  format::PackedLayer dense;
  dense.weight = {{kOutputs, kInputs}, 8, {}, {}, {1}};
  Rng rng(1, "once");
  for (std::int64_t i = 0; i < kInputs * kOutputs; ++i)
    dense.weight.levels.push_back(static_cast<std::int8_t>(static_cast<int>(rng.below(81)) - 40));
  packed.layers = {dense};
  const Bytes bytes = format::write(packed);
  const double kib = kInputs * kOutputs / 1024.0;
  REQUIRE(static_cast<double>(bytes.size()) > 0.7 * 1024 * kib);
  write_file(folder.path / "dense.esp", bytes);
  for (const std::string option : {"", " --lean"}) {
    const auto once =
        run_program("espalier-bench-once " + (folder.path / "dense.esp").string() + option);
    INFO(once.output);
    const json took = json::parse(once.output);
    CHECK(took.at("seconds") > 0);
    // Not where the system does not say it, not where oneDNN multiplies, which rearranges all at once.
    if (took.at("peak_kib") == 0 || kSanitized || vector_isa() == VectorIsa::kPlain) continue;
    const double grown = took.at("peak_kib").get<double>() - took.at("start_kib").get<double>();
    CHECK(grown > kib);
    CHECK(grown < 1.3 * kib);
  }
}
