#include "apps/verify/other_side.hpp"

#include <algorithm>

#include "apps/smallest/networks.hpp"
#include "compress/format/limits.hpp"
#include "compress/format/reader.hpp"
#include "compress/pack/pack.hpp"
#include "compress/runtime/stages.hpp"
#include "core/base/file.hpp"
#include "layers/network_file.hpp"
#include "layers/parameter_file.hpp"

namespace espalier::apps {
namespace {

// The network that weights belong to, with values of its own yet.
ModelJson network_called(const std::string& name, const format::PackedModel& like) {
  if (name.ends_with(".json")) return load_model_json(name);
  const NetworkKind& kind = network_kind(name);
  const auto [height, width, channels] = like.input_shape;
  const auto classes = runtime::stages(like).back().elements();
  Rng rng(1, "init");
  const Task task{.image = {height, width, channels}, .classes = classes};
  return {name, task.image, like.labels, make_network(kind, kind.widths, task, rng)};
}

ModelJson network_of_weights(const OtherSide& side, const format::PackedModel& like) {
  const Archive archive = load_archive(side.file);
  const std::string file = side.file.string();
  const bool under_way = std::ranges::any_of(
      archive.tensors, [](const auto& tensor) { return tensor.first.starts_with("optimizer."); });
  require(!under_way, ErrorKind::kCorrupt, file,
          "belongs to a training run under way, whose passes still transform its weights; "
          "espalier train --weights keeps those of a run that has ended");
  if (side.model.empty()) {
    require(archive.metadata.contains("model"), ErrorKind::kCorrupt, file,
            "does not say which network its weights belong to; name it with --model");
    return network_of(archive, file);
  }
  ModelJson network = network_called(side.model, like);
  set_parameters(network.model, archive, file);
  return network;
}

}  // namespace

format::PackedModel load_other_side(const OtherSide& side, const format::PackedModel& like) {
  if (side.file.extension() == ".esp") {
    require(side.model.empty(), "--model", side.file.string(),
            " holds its own network; --model is for files of weights");
    return format::read(read_file(side.file, format::kMaxFileBytes), side.file.string());
  }
  ModelJson network = network_of_weights(side, like);
  format::PackedModel packed = pack::pack(network.model, network.input);
  packed.labels = network.labels;
  return packed;
}

}  // namespace espalier::apps
