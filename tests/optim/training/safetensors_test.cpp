// What we call safetensors is opened by the package of that name, where ESPALIER_ENGINES_PYTHON names
// a python that has it: names, shapes and every bit.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "compress/prune/pruner.hpp"
#include "core/archive/archive.hpp"
#include "core/base/file.hpp"
#include "core/base/process.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/network_file.hpp"
#include "layers/parameter_file.hpp"
#include "optim/training/fit.hpp"
#include "tests/apps/program.hpp"
#include "tests/optim/training/models.hpp"

using namespace espalier;
namespace {

std::string python_with_safetensors() {
  const char* given = std::getenv("ESPALIER_ENGINES_PYTHON");
  const std::string python = given ? given : "python3";
  if (run_process({python, "-c", "import numpy, safetensors"}, {.capture_error = true}).ok())
    return python;
  MESSAGE(
      "skipped: pip install numpy safetensors, and name that python in ESPALIER_ENGINES_PYTHON");
  return "";
}

std::string hex(const void* bytes, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    const int byte = static_cast<const std::uint8_t*>(bytes)[i];
    for (const int half : {byte >> 4, byte & 15}) text += "0123456789abcdef"[half];
  }
  return text;
}

// As the script prints it.
std::string line_of(const std::string& name, const Tensor& t) {
  const auto line = [&](const char* type, const void* data) {
    std::string text = "tensor " + name + ' ' + type + ' ';
    for (int i = 0; i < t.shape().rank(); ++i)
      text += (i ? "x" : "") + std::to_string(t.shape()[i]);
    return text + ' ' + hex(data, t.bytes());
  };
  switch (t.dtype()) {
    case DType::kFloat32:
      return line("float32", t.data());
    case DType::kInt32:
      return line("int32", t.data<std::int32_t>());
    case DType::kInt8:
      return line("int8", t.data<std::int8_t>());
    case DType::kUint8:
      return line("uint8", t.data<std::uint8_t>());
  }
  return "";
}

// The lines, after a check that we read what the package writes, too.
std::set<std::string> read_by_package(const std::string& python, const std::filesystem::path& file,
                                      const Archive& ours) {
  const std::string back = file.string() + ".back";
  const auto result = run_process(
      {python, std::string(ESPALIER_SOURCE_DIR) + "/tests/optim/training/read_safetensors.py",
       file.string(), back},
      {.capture_error = true});
  REQUIRE_MESSAGE(result.ok(), result.error);
  const Archive theirs = load_archive(back);
  REQUIRE(theirs.tensors.size() == ours.tensors.size());
  for (const auto& [name, tensor] : ours.tensors)
    CHECK(line_of(name, theirs.tensors.at(name)) == line_of(name, tensor));
  std::set<std::string> lines;
  std::size_t at = 0;
  for (std::size_t end; (end = result.output.find('\n', at)) != std::string::npos; at = end + 1)
    lines.insert(result.output.substr(at, end - at));
  return lines;
}

}  // namespace

TEST_CASE("the safetensors package opens weights and checkpoints, name by name and bit by bit") {
  const std::string python = python_with_safetensors();
  if (python.empty()) return;
  const tests::Folder folder("safetensors_test");
  const auto data = datasets::synthetic_digits({.train = 64, .test = 10});
  Sequential model = conv_model();
  prune::Pruner pruner({.schedule = prune::polynomial_sparsity({.initial = 0.2f, .final = 0.5f}),
                        .frequency_steps = 1});
  const auto checkpoint = folder.path / "run.safetensors", weights = folder.path / "w.safetensors";
  training::fit(model, *data.train,
                {.epochs = 1, .batch_size = 16, .quiet = true, .checkpoint = checkpoint},
                {&pruner});

  const auto values = parameters_of(model).tensors;  // in memory, not by our reader
  REQUIRE(values.contains("conv1.weight"));
  const auto run = read_by_package(python, checkpoint, load_archive(checkpoint));
  for (const auto& [name, tensor] : values) CHECK(run.contains(line_of("model." + name, tensor)));
  for (const std::string other :
       {"tensor optimizer.", "tensor pass.0.conv1.weight.mask ", "metadata machine.isa "})
    CHECK_MESSAGE(std::ranges::any_of(run, [&](auto& l) { return l.starts_with(other); }), other);

  pruner.bake();
  const Shape input{28, 28, 1};
  const std::vector<std::string> labels = {"0", "1", "2", "3", "4",
                                           "5", "6", "7", "8", "neuf\u00e9"};
  const Bytes file = encode_network(model, input, labels);
  write_file(weights, file);
  std::set<std::string> wanted;
  for (const auto& [name, tensor] : parameters_of(model).tensors)
    wanted.insert(line_of(name, tensor));
  const std::string json = format_model_json(model, input, "model", labels);
  wanted.insert("metadata model " + hex(json.data(), json.size()));
  CHECK(read_by_package(python, weights, load_archive(weights)) == wanted);
}
