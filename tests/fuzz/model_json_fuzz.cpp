// model.json: what is accepted is written, and reads back to the same text.
#include <string>
#include <string_view>

#include "layers/model_json.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;

std::vector<Bytes> fuzz::seeds() {
  std::vector<Bytes> seeds;
  for (const std::string_view text : {
           R"({"name": "small", "input": [8, 8, 1], "labels": ["a", "b"], "layers": [
  {"type": "Conv2d", "filters": 2, "kernel_size": 3, "strides": [1, 2], "padding": "same",
   "activation": "relu", "init": "he_normal", "name": "conv1"},
  {"type": "MaxPool2d", "pool_size": 2, "strides": 2, "padding": "valid"},
  {"type": "Flatten"}, {"type": "Dense", "units": 2, "init": "glorot_uniform"}]})",
           R"({"input": [6, 6, 2], "layers": [{"type": "BatchNorm", "momentum": 0.9,
  "epsilon": 1e-3}, {"type": "AveragePool2d", "pool_size": [2, 3], "padding": [1, 0, 1, 0]},
  {"type": "Relu"}, {"type": "Dropout", "rate": 0.4}, {"type": "Flatten"},
  {"type": "Dense", "units": 3, "activation": "linear"}]})",
           R"({"input": [4], "layers": [{"type": "Dense", "units": 3}]})"})
    seeds.emplace_back(text.begin(), text.end());
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  constexpr ModelJsonOptions kSmall = {.max_parameters = 1 << 12};
  fuzz::may_refuse([&] {
    const ModelJson first = parse_model_json(text, "fuzz.json", kSmall);
    const auto format = [](const ModelJson& m) {
      return format_model_json(m.model, m.input, m.name, m.labels);
    };
    const std::string written = format(first);
    try {
      fuzz::promise(format(parse_model_json(written, "again.json", kSmall)) == written);
    } catch (const Error&) {
      fuzz::promise(false);  // what was accepted once must be accepted as we write it
    }
  });
  return 0;
}
