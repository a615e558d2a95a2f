#include "compress/export/tflite_graph.hpp"

#include <algorithm>

namespace espalier::exports {
namespace {

constexpr std::int32_t kSchemaVersion = 3;

struct OpRecord {
  TfliteOp op;
  std::int32_t version;  // that knows int8, where the first did not
  std::int32_t options;  // which of the schema's BuiltinOptions
};
constexpr OpRecord kOps[] = {
    {TfliteOp::kAdd, 1, 11},
    {TfliteOp::kAveragePool2d, 2, 5},
    {TfliteOp::kCast, 1, 37},
    {TfliteOp::kConv2d, 3, 1},
    {TfliteOp::kDepthwiseConv2d, 3, 2},
    {TfliteOp::kDequantize, 2, 38},
    {TfliteOp::kMaxPool2d, 2, 5},
    {TfliteOp::kMaximum, 2, 39},
    {TfliteOp::kMinimum, 2, 39},
    {TfliteOp::kMul, 1, 21},
    {TfliteOp::kPad, 2, 22},
    {TfliteOp::kPadV2, 2, 43},
    {TfliteOp::kQuantize, 1, 89},
    {TfliteOp::kRelu, 2, 0},
    {TfliteOp::kReshape, 1, 17},
    {TfliteOp::kRound, 1, 0},
};

const OpRecord& record_of(TfliteOp op) {
  return *std::ranges::find(kOps, op, &OpRecord::op);
}

}  // namespace

std::int32_t TfliteGraph::add_tensor(const std::string& name, TfliteType type, const Dims& dims,
                                     std::size_t buffer, const TfliteGrid& grid) {
  Dims shape = dims;
  if (!shape.empty()) shape[0] = std::abs(shape[0]);  // a batch of 1 until it is resized
  std::vector<Flat::Field> fields{{0, 0, {Flat::vector(shape)}},
                                  {1, static_cast<std::int32_t>(type)},
                                  {2, static_cast<std::int32_t>(buffer)},
                                  {3, 0, {Flat::text(name)}}};
  if (!grid.scales.empty()) {
    const std::vector<std::int64_t> zeros(grid.scales.size(), grid.zero_point);
    std::vector<Flat::Field> numbers{{2, 0, {Flat::vector(grid.scales)}},
                                     {3, 0, {Flat::vector(zeros)}}};
    if (grid.axis != 0) numbers.push_back({6, grid.axis});
    fields.push_back({4, 0, {Flat::table(numbers)}});
  }
  if (shape != dims) fields.push_back({7, 0, {Flat::vector(dims)}});
  tensors_.push_back(Flat::table(fields));
  return static_cast<std::int32_t>(tensors_.size()) - 1;
}

std::int32_t TfliteGraph::tensor(const std::string& name, TfliteType type, const Dims& dims,
                                 const TfliteGrid& grid) {
  return add_tensor(name, type, dims, 0, grid);
}

std::int32_t TfliteGraph::add_constant(const std::string& name, TfliteType type, const Dims& dims,
                                       const Bytes& raw, const TfliteGrid& grid) {
  constexpr std::size_t kBufferAlignment = 16;
  buffers_.push_back(Flat::table_of(0, Flat::vector(raw, kBufferAlignment)));
  return add_tensor(name, type, dims, buffers_.size() - 1, grid);
}

void TfliteGraph::op(TfliteOp op, const std::vector<std::int32_t>& inputs, std::int32_t output,
                     const std::vector<Flat::Field>& options) {
  const OpRecord& record = record_of(op);
  auto at = std::ranges::find(known_, op);
  if (at == known_.end()) {
    known_.push_back(op);
    at = known_.end() - 1;
    const auto code = static_cast<std::int32_t>(op);  // both fields: the second came later
    codes_.push_back(Flat::table({{0, code}, {2, record.version}, {3, code}}));
  }
  std::vector<Flat::Field> fields{{0, static_cast<std::int32_t>(at - known_.begin())},
                                  {1, 0, {Flat::vector(inputs)}},
                                  {2, 0, {Flat::vector(std::vector<std::int32_t>{output})}}};
  if (record.options) {
    fields.push_back({3, record.options});
    fields.push_back({4, 0, {Flat::table(options)}});
  }
  operators_.push_back(Flat::table(fields));
}

Bytes TfliteGraph::file(const std::string& name, std::int32_t input, std::int32_t output,
                        const std::string& description) const {
  const auto one = [](std::int32_t i) { return Flat::vector(std::vector<std::int32_t>{i}); };
  const Flat graph = Flat::table({{0, 0, {Flat::objects(tensors_)}},
                                  {1, 0, {one(input)}},
                                  {2, 0, {one(output)}},
                                  {3, 0, {Flat::objects(operators_)}},
                                  {4, 0, {Flat::text(name)}}});
  return Flat::file(Flat::table({{0, kSchemaVersion},
                                 {1, 0, {Flat::objects(codes_)}},
                                 {2, 0, {Flat::objects({graph})}},
                                 {3, 0, {Flat::text(description)}},
                                 {4, 0, {Flat::objects(buffers_)}}}),
                    "TFL3");
}

}  // namespace espalier::exports
