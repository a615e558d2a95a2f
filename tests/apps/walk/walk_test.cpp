// The whole way, as a user walks it: a folder of pictures, a network by name, a recipe, a file, and
// what runs elsewhere. C99 and JavaScript answer as the runtime does, bit for bit; ONNX Runtime and
// LiteRT, where ESPALIER_ENGINES_PYTHON names a python that has them, nearly so.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "compress/format/reader.hpp"
#include "compress/runtime/session.hpp"
#include "datasets/image.hpp"
#include "datasets/load.hpp"
#include "datasets/synthetic_shapes.hpp"
#include "tests/apps/walk/steps.hpp"
#include "tests/compress/export/engines.hpp"
#include "tests/compress/export/exported.hpp"
#include "tests/datasets/pictures.hpp"

namespace fs = std::filesystem;
using namespace espalier;
using namespace espalier::exports;
using tests::answers;
using tests::json_of;
using tests::output_of;
namespace {

struct Walk {
  std::string network;
  // Four of the shapes, which a small network tells apart after some seconds.
  std::set<std::string> kinds = {"bar", "disc", "ring", "star"};
  std::int64_t train = 600, test = 100;
  int jpeg_quality = 95;
  std::string recipe = R"([{"epochs": 6, "batch_size": 16, "learning_rate": 0.004},
      {"prune": {"sparsity": 0.6, "frequency_steps": 5}, "epochs": 2, "batch_size": 16},
      {"quantize": {}, "epochs": 1, "batch_size": 16}])";
  double least_accuracy = 0.8, most_lost = 0.06;  // most_lost: by both passes together
};

// The first `count` of them, every other one a PNG and a JPEG, in a folder a class.
void write_pictures(const fs::path& folder, const datasets::Dataset& data, std::int64_t count,
                    const Walk& w) {
  const auto names = datasets::shape_names();
  std::int64_t written = 0;
  for (std::int64_t i = 0; written < count; ++i) {
    REQUIRE(i < data.size());
    const auto example = data.get(i);
    const std::string& name = names[static_cast<std::size_t>(example.label)];
    if (!w.kinds.contains(name)) continue;
    ++written;
    Tensor bytes(data.image_shape(), DType::kUint8);
    std::ranges::transform(example.image.values(), bytes.mutable_data<std::uint8_t>(),
                           [](float v) { return static_cast<std::uint8_t>(std::lround(v * 255)); });
    const bool png = i / 10 % 2 == 0;
    fs::create_directories(folder / name);
    const fs::path file = folder / name / (std::to_string(i) + (png ? ".png" : ".jpg"));
    write_file(file, png ? datasets::encode_png(bytes, file.string())
                         : tests::jpeg_of(bytes, {.quality = w.jpeg_quality}));
  }
}

struct Pictures {
  Pixels pixels;
  std::vector<std::uint8_t> labels;
};

Pictures test_pictures(const fs::path& folder) {
  const auto data = datasets::load_data(folder).data;
  Pictures all;
  for (std::int64_t i = 0; i < data.test->size(); ++i) {
    const auto example = data.test->get(i);
    for (const float v : example.image.values())
      all.pixels.push_back(static_cast<std::uint8_t>(std::lround(v * 255)));
    all.labels.push_back(static_cast<std::uint8_t>(example.label));
  }
  return all;
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

void walk(const Walk& w) {
  const tests::Folder place("walk_test_" + w.network + std::to_string(w.train));
  const auto shapes = datasets::synthetic_shapes({.train = 3 * w.train, .test = 3 * w.test});
  write_pictures(place.path / "pictures/train", *shapes.train, w.train, w);
  write_pictures(place.path / "pictures/test", *shapes.test, w.test, w);
  write_file(place.path / "recipe.json", w.recipe);
  const std::string data = " --data " + (place.path / "pictures").string(),
                    file = (place.path / "net.esp").string();
  const auto trained = json_of("train --json --model " + w.network + " --recipe " +
                               (place.path / "recipe.json").string() + data + " --out " + file);
  const auto& stages = trained.at("stages");
  INFO(trained.dump());
  REQUIRE(stages.size() == 3);
  const double whole = stages[0].at("accuracy"), small = stages[2].at("accuracy");
  CHECK(stages[2].at("file_bytes").get<double>() < 0.3 * stages[0].at("file_bytes").get<double>());
  CHECK(whole > w.least_accuracy);
  CHECK(small > w.least_accuracy);
  CHECK(small >= whole - w.most_lost);
  CHECK(tests::contains(output_of("inspect " + file),
                        w.network == "dscnn" ? "depthwise" : "residual"));
  CHECK(json_of("eval --json " + file + data).at("accuracy") == small);

  const runtime::Model model(format::read(read_file(file), file));
  CHECK(model.packed().labels == std::vector<std::string>(w.kinds.begin(), w.kinds.end()));
  const auto [pixels, labels] = test_pictures(place.path / "pictures");
  REQUIRE(std::ssize(labels) == w.test);
  write_file(place.path / "pixels", pixels);
  write_file(place.path / "labels", labels);
  const Logits want = answers(model, pixels, runtime::Executor::kReference);
  std::set<std::vector<float>> rows;  // a network that says the same to all would agree with any
  const std::size_t classes = w.kinds.size();
  for (std::size_t i = 0; i < want.size(); i += classes)
    rows.emplace(want.begin() + static_cast<std::ptrdiff_t>(i),
                 want.begin() + static_cast<std::ptrdiff_t>(i + classes));
  CHECK(std::ssize(rows) > w.test * 9 / 10);
  CHECK(differing(answers(model, pixels, runtime::Executor::kPlan), want) == 0);
  for (const auto& [format, name] :
       {std::pair("c99", "net.c"), std::pair("js", "net.js"), std::pair("onnx", "net.onnx"),
        std::pair("tflite", "net.tflite")})
    output_of("export " + std::string(format) + " " + file + " -o " + (place.path / name).string());
  CHECK(differing(c99_answers(place.path, model.packed()), want) == 0);
  if (installed("node"))
    CHECK(differing(js_answers(place.path), want) == 0);
  else
    MESSAGE("skipped: install nodejs");
  tests::write_logits(place.path / "net.logits", want);
  // Their rounding is their own: one picture in a hundred may lie on an edge.
  check_engines(place.path, {.answers = "0.99", .more = {"--accuracy", "0.01"}});
  MESSAGE(trained.dump());
}

}  // namespace

TEST_CASE("resnet8 on a folder of pictures, from PNG and JPEG to C99, JavaScript, ONNX, .tflite") {
  walk({.network = "resnet8"});
}

TEST_CASE("dscnn likewise") {
  walk({.network = "dscnn"});
}

// Minutes: apps/RESULTS.md says how it is run. The recipe is that of apps/bench/built_in_models.sh.
TEST_CASE("resnet8 on all of the 12,000 pictures" * doctest::skip()) {
  const std::string shaken = R"(, "augment": {"flip": 0.5, "shift": 3})";
  const auto names = datasets::shape_names();
  walk({.network = "resnet8",
        .kinds = {names.begin(), names.end()},
        .train = 10'000,
        .test = 2'000,
        .jpeg_quality = 92,
        .recipe = R"([{"epochs": 16, "batch_size": 64, "learning_rate": 0.004)" + shaken +
                  R"(}, {"prune": {"sparsity": 0.7, "end": 0.6, "frequency_steps": 25}, "epochs": 6,
                    "batch_size": 64, "learning_rate": 0.002)" +
                  shaken + R"(}, {"quantize": {"weight_bits": 5}, "epochs": 4, "batch_size": 64)" +
                  shaken + "}]",
        .least_accuracy = 0.99,
        .most_lost = 0.005});
}
