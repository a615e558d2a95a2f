// Records of ONNX's schema (github.com/onnx/onnx, onnx.proto; the numbers are its fields): nodes,
// constants, and the model around them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "compress/export/protobuf.hpp"

namespace espalier::exports {

enum class OnnxType { kFloat = 1, kUint8 = 2, kInt8 = 3, kInt32 = 6, kInt64 = 7 };

// One attribute of a node: an integer or a list of them.
Message onnx_integer(std::string_view name, std::int64_t value);
Message onnx_integers(std::string_view name, const std::vector<std::int64_t>& values);

class OnnxGraph {
 public:
  using Strings = std::vector<std::string>;

  // Each gives the name of the value that it adds. A node's is its own output, `name`.
  std::string node(const std::string& type, const std::string& name, const Strings& inputs,
                   const std::vector<Message>& attributes = {});
  template <class T>
  std::string constant(const std::string& name, OnnxType type, const std::vector<T>& values,
                       const std::vector<std::int64_t>& dims) {
    Bytes raw(values.size() * sizeof(T));
    std::memcpy(raw.data(), values.data(), raw.size());  // little-endian, as is every target
    return add_constant(name, type, raw, dims);
  }
  std::string scalar(const std::string& name, float value) {
    return constant<float>(name, OnnxType::kFloat, {value}, {});
  }

  // The file. `input` and `output` are [batch, dims...] of float32.
  Bytes model(const std::string& name, const std::string& input,
              const std::vector<std::int64_t>& input_dims, const std::string& output,
              std::int64_t classes,
              const std::vector<std::pair<std::string, std::string>>& metadata) const;

 private:
  std::string add_constant(const std::string& name, OnnxType type, const Bytes& raw,
                           const std::vector<std::int64_t>& dims);

  std::vector<Message> nodes_, constants_;
};

}  // namespace espalier::exports
