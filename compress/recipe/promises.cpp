#include "compress/recipe/promises.hpp"

#include <algorithm>
#include <set>
#include <span>

#include "compress/recipe/stage_passes.hpp"

namespace espalier::recipe {
namespace {

// The last stage up to `index` that clustered the parameter; null: none did.
const Cluster* clustered(const std::string& name, const Parameter& p, const Recipe& recipe,
                         std::size_t index) {
  const Cluster* found = nullptr;
  for (std::size_t i = 0; i <= index; ++i)
    if (const auto& c = recipe.stages[i].cluster; c && selection(c->select)(name, p)) found = &*c;
  return found;
}

template <class T>
void check_values(const std::string& what, const Cluster& cluster, std::span<const T> values,
                  std::int64_t channels) {
  const std::size_t groups = cluster.per_channel ? static_cast<std::size_t>(channels) : 1,
                    each = values.size() / groups;
  for (std::size_t g = 0; g < groups; ++g) {
    const auto own = values.subspan(g * each, each);
    const std::size_t count = std::set<T>(own.begin(), own.end()).size();
    require(count <= static_cast<std::size_t>(cluster.clusters), ErrorKind::kInternal, what,
            "should hold at most ", cluster.clusters, " values", groups > 1 ? " in a channel" : "",
            ", holds ", count);
  }
}

// Calls use(name, parameter, cluster) for each parameter; cluster: as clustered().
template <class Use>
void each_parameter(Sequential& model, const Recipe& recipe, std::size_t index, Use use) {
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    use(name, p, clustered(name, p, recipe, index));
  }});
}

}  // namespace

void check_promises(Sequential& model, const quantize::IntegerNetwork* network,
                    const Recipe& recipe, std::size_t index) {
  each_parameter(model, recipe, index, [&](const auto& name, Parameter& p, const Cluster* cluster) {
    const Tensor& w = p.latent().value();
    if (cluster) check_values(name, *cluster, w.values(), w.shape()[0]);
    if (!network) return;
    for (const quantize::IntegerLayer& layer : network->layers) {
      if (layer.levels.empty() || name != layer.name + ".weight") continue;
      const std::span<const std::int8_t> levels(layer.levels);
      if (cluster) check_values(name + "'s levels", *cluster, levels, w.shape()[0]);
      const auto wanted = std::ranges::count(w.values(), 0.0f), got = std::ranges::count(levels, 0);
      require(got >= wanted, ErrorKind::kInternal, name + "'s levels", "should hold ", wanted,
              " zeros, hold ", got);
    }
  });
}

void check_promises(const format::PackedModel& file, Sequential& model, const Recipe& recipe,
                    std::size_t index) {
  each_parameter(model, recipe, index, [&](const auto& name, Parameter&, const Cluster* cluster) {
    if (!cluster) return;
    for (const format::PackedLayer& layer : file.layers) {
      if (layer.weight.shape.empty() || name != layer.name + ".weight") continue;
      const auto& weight = layer.weight;
      const std::string what = name + " in the file";
      if (weight.is_float())
        check_values(what, *cluster, std::span<const float>(weight.values), weight.shape[0]);
      else
        check_values(what, *cluster, std::span<const std::int8_t>(weight.levels), weight.shape[0]);
    }
  });
}

}  // namespace espalier::recipe
