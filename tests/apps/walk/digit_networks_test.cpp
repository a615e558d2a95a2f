// The built-in networks of digits by name, trained for a moment, pruned, in 5 bits: what they are exported to
// answers as the runtime does. (resnet8, dscnn and tabular have walks of their own.)
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "compress/format/reader.hpp"
#include "datasets/idx_folder.hpp"
#include "datasets/synthetic_digits.hpp"
#include "tests/apps/walk/steps.hpp"
#include "tests/compress/export/engines.hpp"

using namespace espalier;
using namespace espalier::exports;
using tests::output_of;
namespace {

constexpr std::int64_t kTrain = 320, kTest = 40;

Pixels pixels_of(const datasets::Dataset& data) {
  Pixels all;
  for (std::int64_t i = 0; i < data.size(); ++i)
    for (const float v : data.get(i).image.values())
      all.push_back(static_cast<std::uint8_t>(std::lround(v * 255)));
  return all;
}

}  // namespace

TEST_CASE(
    "mlp, lenet300, lenet5 and the tutorial's networks: C99 to the bit, ONNX and .tflite nearly") {
  const tests::Folder place("digit_networks");
  const auto at = [&](const std::string& name) { return (place.path / name).string(); };
  const auto digits = datasets::synthetic_digits({.train = kTrain, .test = kTest});
  datasets::write_idx_folder(at("data"), digits, {});
  write_file(at("recipe.json"),
             R"([{"epochs": 2, "batch_size": 16}, {"prune": {"sparsity": 0.9}, "epochs": 0},
                 {"quantize": {"weight_bits": 5}, "epochs": 0}])");
  // The same bytes as what the folder gives: those that training and eval see.
  const Pixels pixels = pixels_of(*datasets::load_idx_folder(at("data")).data.test);
  write_file(at("pixels"), pixels);
  for (const std::string network :
       {"mlp", "lenet300", "lenet5", "tutorial-small", "tutorial-large"}) {
    CAPTURE(network);
    const std::string file = at(network + ".esp");
    output_of("train -q --model " + network + " --recipe " + at("recipe.json") + " --data " +
              at("data") + " --out " + file);
    const runtime::Model model(format::read(read_file(file), file));
    const Logits want = tests::answers(model, pixels, runtime::Executor::kReference);
    std::set<std::vector<float>> rows;
    for (auto at_row = want.begin(); at_row != want.end(); at_row += 10)
      rows.emplace(at_row, at_row + 10);
    CHECK(std::ssize(rows) > kTest * 3 / 4);
    CHECK(differing(tests::answers(model, pixels, runtime::Executor::kPlan), want) == 0);
    CHECK(differing(run_c99(place.path, model.packed(), pixels), want) == 0);
    tests::write_logits(at(network + ".logits"), want);
    for (const char* format : {"onnx", "tflite"})
      output_of("export -q " + std::string(format) + " " + file + " -o " +
                at(network + "." + format));
  }
  check_engines(place.path, {.answers = "0.97"});  // one of the 40 images may lie on an edge
}
