// Exported .onnx and .tflite files in their own engines, where these are installed: answers as the
// reference executor's, logits within a few levels' rounding.
#include <doctest/doctest.h>

#include <cstdlib>

#include "compress/export/onnx.hpp"
#include "compress/export/tflite.hpp"
#include "tests/apps/program.hpp"
#include "tests/compress/export/networks.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::exports;

namespace {

void write(const std::filesystem::path& folder, const std::string& name, const PackedModel& model,
           std::uint64_t seed) {
  Rng rng(seed, "pixels");
  const Pixels pixels = pixels_of(rng, model, 200);
  const Logits logits = wanted(model, pixels);
  Bytes raw(logits.size() * sizeof(float));
  std::memcpy(raw.data(), logits.data(), raw.size());
  write_file(folder / (name + ".pixels"), pixels);
  write_file(folder / (name + ".logits"), raw);
  write_file(folder / (name + ".onnx"), onnx(model, {.name = name}));
  try {
    write_file(folder / (name + ".tflite"), tflite(model, {.name = name}));
  } catch (const Error& error) {  // the one thing that it cannot say
    REQUIRE_MESSAGE(tests::contains(error.what(), "average pool"), error.what());
  }
}

}  // namespace

TEST_CASE("ONNX Runtime and LiteRT give the reference's answers") {
  const char* given = std::getenv("ESPALIER_ENGINES_PYTHON");
  const std::string python = given ? given : "python3";
  const ProcessResult found = run_process(
      {python, "-c", "import numpy, onnx, onnxruntime, ai_edge_litert"}, {.capture_error = true});
  if (!found.ok()) {
    MESSAGE(
        "skipped: pip install numpy onnx onnxruntime ai-edge-litert, and name that python in "
        "ESPALIER_ENGINES_PYTHON");
    return;
  }
  const tests::Folder folder("engines_test");
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    write(folder.path, "integers" + std::to_string(seed), random_integers(seed), seed);
    write(folder.path, "floats" + std::to_string(seed), random_floats(seed), seed);
  }
  // Random networks tell their classes apart by little, and round halves often: a level may differ.
  const ProcessResult result = run_process(
      {python, test_file("check_engines.py"), folder.path.string(), "--difference", "0.05"},
      {.capture_error = true});
  CHECK_MESSAGE(result.ok(), result.output << result.error);
}
