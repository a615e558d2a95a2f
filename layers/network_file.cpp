#include "layers/network_file.hpp"

#include <algorithm>

#include "layers/parameter_file.hpp"

namespace espalier {
namespace {

constexpr const char* kModel = "model";

}  // namespace

Bytes encode_network(Sequential& model, const Shape& input, const std::vector<std::string>& labels,
                     const std::map<std::string, std::string>& more) {
  Archive archive = parameters_of(model);
  archive.metadata.insert(more.begin(), more.end());
  archive.metadata[kModel] = format_model_json(model, input, kModel, labels);
  return encode_archive(archive);
}

bool is_under_way(const Archive& archive) {
  return std::ranges::any_of(
      archive.tensors, [](const auto& tensor) { return tensor.first.starts_with("optimizer."); });
}

ModelJson network_of(const Archive& archive, const std::string& name) {
  const auto text = archive.metadata.find(kModel);
  require(text != archive.metadata.end(), ErrorKind::kCorrupt, name,
          "holds tensors, but no model.json to build their network from");
  std::int64_t values = 0;  // no more than the file holds are allocated
  for (const auto& [_, tensor] : archive.tensors) values += tensor.elements();
  ModelJson network = parse_model_json(text->second, name, {.max_parameters = values});
  set_parameters(network.model, archive, name);
  return network;
}

ModelJson load_network(const std::filesystem::path& path) {
  return network_of(load_archive(path), path.string());
}

}  // namespace espalier
