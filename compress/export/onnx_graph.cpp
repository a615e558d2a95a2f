#include "compress/export/onnx_graph.hpp"

namespace espalier::exports {
namespace {

constexpr int kIrVersion = 8, kOpset = 17;

// ValueInfoProto of float32 [batch, dims...].
Message value_info(const std::string& name, const std::vector<std::int64_t>& dims) {
  Message shape;
  shape.message(1, Message().text(2, "batch"));
  for (const std::int64_t d : dims) shape.message(1, Message().integer(1, d));
  const Message tensor = Message().integer(1, static_cast<int>(OnnxType::kFloat)).message(2, shape);
  return Message().text(1, name).message(2, Message().message(1, tensor));
}

}  // namespace

Message onnx_integer(std::string_view name, std::int64_t value) {
  return Message().text(1, name).integer(3, value).integer(20, 2);
}

Message onnx_integers(std::string_view name, const std::vector<std::int64_t>& values) {
  Message attribute;
  attribute.text(1, name);
  for (const std::int64_t v : values) attribute.integer(8, v);
  return attribute.integer(20, 7);
}

std::string OnnxGraph::node(const std::string& type, const std::string& name, const Strings& inputs,
                            const std::vector<Message>& attributes) {
  Message node;
  for (const auto& input : inputs) node.text(1, input);
  node.text(2, name).text(3, name).text(4, type);
  for (const auto& attribute : attributes) node.message(5, attribute);
  nodes_.push_back(std::move(node));
  return name;
}

std::string OnnxGraph::add_constant(const std::string& name, OnnxType type, const Bytes& raw,
                                    const std::vector<std::int64_t>& dims) {
  Message tensor;
  for (const std::int64_t d : dims) tensor.integer(1, d);
  constants_.push_back(tensor.integer(2, static_cast<int>(type)).text(8, name).bytes(9, raw));
  return name;
}

Bytes OnnxGraph::model(const std::string& name, const std::string& input,
                       const std::vector<std::int64_t>& input_dims, const std::string& output,
                       std::int64_t classes,
                       const std::vector<std::pair<std::string, std::string>>& metadata) const {
  Message graph;
  for (const auto& node : nodes_) graph.message(1, node);
  graph.text(2, name);
  for (const auto& constant : constants_) graph.message(5, constant);
  graph.message(11, value_info(input, input_dims)).message(12, value_info(output, {classes}));
  Message model;
  model.integer(1, kIrVersion).text(2, "espalier").message(7, graph);
  model.message(8, Message().text(1, "").integer(2, kOpset));
  for (const auto& [key, value] : metadata)
    model.message(14, Message().text(1, key).text(2, value));
  return model.wire();
}

}  // namespace espalier::exports
