// The whole way, as a user walks it: a folder of pictures, a network by name, a recipe, a file, and
// what runs elsewhere. C99 and JavaScript answer as the runtime does, bit for bit; ONNX Runtime and
// LiteRT, where ESPALIER_ENGINES_PYTHON names a python that has them, nearly so.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "compress/format/reader.hpp"
#include "compress/runtime/session.hpp"
#include "datasets/image.hpp"
#include "datasets/load.hpp"
#include "datasets/synthetic_shapes.hpp"
#include "tests/apps/program.hpp"
#include "tests/compress/export/exported.hpp"
#include "tests/datasets/pictures.hpp"

namespace fs = std::filesystem;
using namespace espalier;
using namespace espalier::exports;
using tests::run_program;
namespace {

constexpr std::int64_t kTest = 60;

// Every other picture a PNG and a JPEG, in a folder a class.
void write_pictures(const fs::path& folder, const datasets::Dataset& data) {
  const auto names = datasets::shape_names();
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const auto example = data.get(i);
    Tensor bytes(data.image_shape(), DType::kUint8);
    std::ranges::transform(example.image.values(), bytes.mutable_data<std::uint8_t>(),
                           [](float v) { return static_cast<std::uint8_t>(std::lround(v * 255)); });
    const bool png = i / 10 % 2 == 0;
    const fs::path of = folder / names[static_cast<std::size_t>(example.label)];
    fs::create_directories(of);
    const fs::path file = of / (std::to_string(i) + (png ? ".png" : ".jpg"));
    write_file(file, png ? datasets::encode_png(bytes, file.string()) : tests::jpeg_of(bytes));
  }
}

std::string espalier(const std::string& command) {
  const auto result = run_program("espalier " + command);
  REQUIRE_MESSAGE(result.exit_code == 0, command << '\n' << result.output);
  return result.output;
}

struct Pictures {
  Pixels pixels;
  std::vector<std::uint8_t> labels;
};

Pictures test_pictures(const fs::path& folder) {
  const auto data = datasets::load_data(folder).data;
  REQUIRE(data.test->size() == kTest);
  Pictures all;
  for (std::int64_t i = 0; i < kTest; ++i) {
    const auto example = data.test->get(i);
    for (const float v : example.image.values())
      all.pixels.push_back(static_cast<std::uint8_t>(std::lround(v * 255)));
    all.labels.push_back(static_cast<std::uint8_t>(example.label));
  }
  return all;
}

Logits answers(const runtime::Model& model, const Pixels& pixels, runtime::Executor executor) {
  runtime::Session session(model, {.executor = executor, .batch = kTest});
  Tensor images({kTest, 32, 32, 3});
  std::ranges::transform(pixels, images.mutable_data(),
                         [](std::uint8_t v) { return static_cast<float>(v) / 255; });
  const auto logits = session.run(images);
  return {logits.begin(), logits.end()};
}

Logits c99_answers(const fs::path& folder, const format::PackedModel& model) {
  auto command = joined({ESPALIER_C_COMPILER, "-std=c99", "-O2"}, driver_arguments(folder, model));
  const std::string program = (folder / "net").string();
  succeed(joined(command, {"-o", program, "-lm"}));
  succeed({program, (folder / "pixels").string(), (folder / "c.logits").string()});
  return floats_of(read_file(folder / "c.logits"));
}

Logits js_answers(const fs::path& folder) {
  succeed({"node", test_file("driver.mjs"), (folder / "net.js").string(),
           (folder / "pixels").string(), (folder / "js.logits").string(),
           std::to_string(32 * 32 * 3)});
  return floats_of(read_file(folder / "js.logits"));
}

void check_engines(const fs::path& folder) {
  const char* python = std::getenv("ESPALIER_ENGINES_PYTHON");
  if (!python) {
    MESSAGE("skipped: ESPALIER_ENGINES_PYTHON names no python with the engines");
    return;
  }
  // Their rounding is their own, and the answers of a network that has hardly learned lie near each
  // other.
  const auto result = run_process({python, test_file("check_engines.py"), folder.string(),
                                   "--agree", "0.95", "--difference", "0.05"},
                                  {.capture_error = true});
  CHECK_MESSAGE(result.ok(), result.output << result.error);
}

void walk(const std::string& network) {
  const tests::Folder place("walk_test_" + network);
  const auto shapes = datasets::synthetic_shapes({.train = 300, .test = kTest});
  write_pictures(place.path / "pictures/train", *shapes.train);
  write_pictures(place.path / "pictures/test", *shapes.test);
  write_file(place.path / "recipe.json",
             R"([{"epochs": 4, "batch_size": 8, "learning_rate": 0.003},
                 {"prune": {"sparsity": 0.7, "frequency_steps": 5}, "epochs": 1, "batch_size": 8},
                 {"quantize": {}, "epochs": 1, "batch_size": 8}])");
  const std::string data = " --data " + (place.path / "pictures").string(),
                    file = (place.path / "net.esp").string();
  const std::string table =
      espalier("train -q --model " + network + " --recipe " +
               (place.path / "recipe.json").string() + data + " --out " + file);
  for (const char* stage : {"train", "prune", "quantize"})
    CHECK_MESSAGE(tests::contains(table, stage), table);
  CHECK(
      tests::contains(espalier("inspect " + file), network == "dscnn" ? "depthwise" : "residual"));
  CHECK(tests::contains(espalier("eval " + file + data), "test images right"));

  const runtime::Model model(format::read(read_file(file), file));
  CHECK(model.packed().labels == datasets::shape_names());
  const auto [pixels, labels] = test_pictures(place.path / "pictures");
  write_file(place.path / "pixels", pixels);
  write_file(place.path / "labels", labels);
  const Logits want = answers(model, pixels, runtime::Executor::kReference);
  std::set<std::vector<float>> rows;  // a network that says the same to all would agree with any
  for (std::size_t i = 0; i < want.size(); i += 10)
    rows.emplace(want.begin() + static_cast<std::ptrdiff_t>(i),
                 want.begin() + static_cast<std::ptrdiff_t>(i + 10));
  CHECK(rows.size() > 50);
  CHECK(differing(answers(model, pixels, runtime::Executor::kPlan), want) == 0);
  for (const auto& [format, name] :
       {std::pair("c99", "net.c"), std::pair("js", "net.js"), std::pair("onnx", "net.onnx"),
        std::pair("tflite", "net.tflite")})
    espalier("export " + std::string(format) + " " + file + " -o " + (place.path / name).string());
  CHECK(differing(c99_answers(place.path, model.packed()), want) == 0);
  if (installed("node"))
    CHECK(differing(js_answers(place.path), want) == 0);
  else
    MESSAGE("skipped: install nodejs");
  Bytes raw(want.size() * sizeof(float));
  std::memcpy(raw.data(), want.data(), raw.size());
  write_file(place.path / "net.logits", raw);
  check_engines(place.path);
}

}  // namespace

TEST_CASE("resnet8 on a folder of pictures, from PNG and JPEG to C99, JavaScript, ONNX, .tflite") {
  walk("resnet8");
}

TEST_CASE("dscnn likewise") {
  walk("dscnn");
}
