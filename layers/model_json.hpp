// A model as data, in the manner of Keras: an ordered list of layers whose input sizes follow from
// the shapes.
//
//   {"name": "small", "input": [28, 28, 1], "labels": ["zero", ...],            (labels: optional)
//    "layers": [
//     {"type": "Conv2d", "filters": 12, "kernel_size": 3, "strides": 1, "padding": "valid",
//      "activation": "relu", "init": "he_normal", "name": "conv1"},
//     {"type": "DepthwiseConv2d", "kernel_size": 3},   (a kernel a channel; else as Conv2d)
//     {"type": "MaxPool2d", "pool_size": 2, "strides": 2, "padding": "valid"},
//     {"type": "AveragePool2d", "pool_size": 2},   {"type": "BatchNorm", "momentum": 0.99,
//     "epsilon": 0.001},   {"type": "Relu"},   {"type": "Dropout", "rate": 0.4},
//     {"type": "GlobalAveragePool2d"},   {"type": "Flatten"},
//     {"type": "Residual", "with": "conv1", "activation": "linear"},
//     {"type": "Dense", "units": 10, "activation": "linear", "init": "glorot_uniform"}]}
//
// Sizes are a whole number or [h, w]; padding is "valid", "same", a whole number or [top, left,
// bottom, right]. "filters", "kernel_size", "units", "rate" and "with" are required. The other values
// above are the defaults, but for "activation", which is "linear", and "strides" of a pooling layer,
// which is its pool size. The activation "relu" adds a layer "<name>_relu"; a layer without a name
// gets one: "dense_1". GlobalAveragePool2d is an AveragePool2d of the whole image, then a Flatten
// "<name>_flatten": [H W C] -> [C]. A layer takes what the one before it yields, or what the one of
// the name "from" does; Residual adds to it what the layer "with" yields. Each layer but the last is
// read by another. There may be comments, // and /* */, and a "$schema" for editors.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "layers/sequential.hpp"

namespace espalier {

struct ModelJson {
  std::string name;
  Shape input;                      // of one example: [H W C] or [F]
  std::vector<std::string> labels;  // none, or one an output
  Sequential model;
};

struct ModelJsonOptions {
  std::uint64_t seed = 1;                               // of the stream "init"
  std::int64_t max_parameters = std::int64_t{1} << 26;  // checked before they are allocated
};

// `file` names the text in errors. Limits: 1 MB, 1024 layers, sizes of 2^20, windows of 4096, 2^28
// values between two layers. Errors (kCorrupt): "file: /layers/2/kernel_size: wants ..., got ...".
ModelJson parse_model_json(std::string_view text, const std::string& file,
                           ModelJsonOptions options = {});
// Errors: also those of read_file.
ModelJson load_model_json(const std::filesystem::path& path, ModelJsonOptions options = {});

// The text that builds an equal model, one layer a line, most defaults left out. Errors: a layer
// that it has no word for; an input that does not fit.
std::string format_model_json(const Sequential& model, const Shape& input,
                              const std::string& name = "model",
                              const std::vector<std::string>& labels = {});

// The JSON Schema (draft 2020-12) of such files, as model.schema.json holds it. It knows keys, types
// and ranges; what fits what, and which names there are, only reading tells.
std::string model_json_schema();

}  // namespace espalier
