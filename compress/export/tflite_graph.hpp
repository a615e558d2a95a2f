// Records of the .tflite schema (tensorflow/lite/schema/schema.fbs; the numbers are its fields and
// enumerators): tensors, operators, and the model around them.
#pragma once

#include <string>
#include <vector>

#include "compress/export/flatbuffer.hpp"

namespace espalier::exports {

enum class TfliteType { kFloat32 = 0, kInt32 = 2, kInt8 = 9 };

enum class TfliteOp {
  kAdd = 0,
  kAveragePool2d = 1,
  kConv2d = 3,
  kDepthwiseConv2d = 4,
  kDequantize = 6,
  kMaxPool2d = 17,
  kMul = 18,
  kRelu = 19,
  kReshape = 22,
  kPad = 34,
  kCast = 53,
  kMaximum = 55,
  kMinimum = 57,
  kPadV2 = 60,
  kQuantize = 114,
  kRound = 116,
};

enum class TflitePadding { kSame = 0, kValid = 1 };

// real = scale * (level - zero_point); of constants one scale, or one for each index of dimension
// `axis`.
struct TfliteGrid {
  std::vector<float> scales;
  std::int64_t zero_point = 0;
  std::int32_t axis = 0;
};

class TfliteGraph {
 public:
  using Dims = std::vector<std::int32_t>;

  // Each gives the number of the tensor. A first dimension of -1 is the batch.
  std::int32_t tensor(const std::string& name, TfliteType type, const Dims& dims,
                      const TfliteGrid& grid = {});
  template <class T>
  std::int32_t constant(const std::string& name, TfliteType type, const Dims& dims,
                        const std::vector<T>& values, const TfliteGrid& grid = {}) {
    Bytes raw(values.size() * sizeof(T));
    std::memcpy(raw.data(), values.data(), raw.size());  // little-endian, as is every target
    return add_constant(name, type, dims, raw, grid);
  }

  // `options` are the fields of the operator's own options.
  void op(TfliteOp op, const std::vector<std::int32_t>& inputs, std::int32_t output,
          const std::vector<Flat::Field>& options = {});

  Bytes file(const std::string& name, std::int32_t input, std::int32_t output,
             const std::string& description) const;

 private:
  std::int32_t add_constant(const std::string& name, TfliteType type, const Dims& dims,
                            const Bytes& raw, const TfliteGrid& grid);
  std::int32_t add_tensor(const std::string& name, TfliteType type, const Dims& dims,
                          std::size_t buffer, const TfliteGrid& grid);

  std::vector<Flat> tensors_, operators_, codes_;
  std::vector<Flat> buffers_ = {Flat::table({})};  // the first is no constant's
  std::vector<TfliteOp> known_;                    // of codes_
};

}  // namespace espalier::exports
