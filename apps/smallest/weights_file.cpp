#include "apps/smallest/weights_file.hpp"

#include "layers/network_file.hpp"
#include "layers/parameter_file.hpp"

namespace espalier::apps {
namespace {

// With values of its own yet.
ModelJson network_called(const std::string& name, const Task& task) {
  if (name.ends_with(".json")) return load_model_json(name);
  const NetworkKind& kind = network_kind(name);
  Rng rng(1, "init");
  return {name, task.image, {}, make_network(kind, kind.widths, task, rng)};
}

}  // namespace

ModelJson load_weights(const std::filesystem::path& path, const std::string& model,
                       const Task& task) {
  const Archive archive = load_archive(path);
  const std::string file = path.string();
  require(!is_under_way(archive), ErrorKind::kCorrupt, file,
          "belongs to a training run under way, whose passes still transform its weights; "
          "espalier train --weights keeps those of a run that has ended");
  if (model.empty()) {
    require(archive.metadata.contains("model"), ErrorKind::kCorrupt, file,
            "does not say which network its weights belong to; name it with --model");
    return network_of(archive, file);
  }
  ModelJson network = network_called(model, task);
  set_parameters(network.model, archive, file);
  return network;
}

}  // namespace espalier::apps
