#include "layers/torch_weights.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include "core/base/text.hpp"
#include "layers/json_reader.hpp"
#include "layers/parameter_file.hpp"
#include "layers/torch_modules.hpp"

namespace espalier {
namespace {

using torch::Module;
using torch::Slot;

constexpr std::size_t kMaxNameBytes = 256, kMaxShown = 4;

struct Target {
  std::string name;
  Layer* layer;
  std::vector<Slot> slots;
  std::map<std::string, std::string> tensors = {};  // from a slot's own name to the file's
};

std::string shown(const std::string& tensor, const Shape& shape) {
  std::ostringstream out;
  out << tensor << ' ' << shape;
  return out.str();
}

// What a target's module must hold, for which it is known by: "weight [8x1x3x3]".
std::string signature(const Target& target) {
  for (const Slot& slot : target.slots)
    if (!slot.without) return shown(slot.theirs, slot.wanted);
  return {};
}

class Matcher {
 public:
  Matcher(const Archive& archive, const std::string& file, const TorchMap& map)
      : archive_(archive), file_(file), map_(map), modules_(torch::modules_of(archive)) {}

  TorchReport match(std::vector<Target>& targets) {
    check_map(targets);
    for (Target& target : targets) follow_map(target);
    for (Target& target : targets)
      if (open(target)) take_named(target);
    take_alike(targets);
    TorchReport report;
    std::set<std::string> used;
    for (Target& target : targets) {
      if (kept_.contains(target.name)) {
        report.kept.push_back(target.name);
        continue;
      }
      for (const Slot& slot : target.slots) check(target, slot);
      for (const auto& [_, tensor] : target.tensors) used.insert(tensor);
      report.matches.push_back(matches_.at(target.name));
    }
    for (const Module& module : modules_)
      for (const auto& [_, tensor] : module.tensors)
        if (!used.contains(tensor)) report.unused.push_back(shown(tensor, shape(tensor)));
    require(report.unused.empty() || !map_.empty(), ErrorKind::kCorrupt, file_, "holds ",
            some(report.unused),
            ", which no layer takes; is the model the same? A map leaves out what it does not "
            "name: --map MAP.json, with {\"LAYER\": \"MODULE\"}");
    return report;
  }

 private:
  bool open(const Target& target) const {
    return !kept_.contains(target.name) && !matches_.contains(target.name);
  }
  const Shape& shape(const std::string& tensor) const {
    return archive_.tensors.at(tensor).shape();
  }

  static std::string some(std::vector<std::string> names) {
    const std::size_t all = names.size();
    if (all > kMaxShown) names.resize(kMaxShown);
    return join(names, ", ") +
           (all > kMaxShown ? " and " + std::to_string(all - kMaxShown) + " more" : "");
  }

  const Module* module_called(const std::string& name) const {
    const auto found = std::ranges::find(modules_, name, &Module::name);
    return found != modules_.end() ? &*found : nullptr;
  }

  std::string meant(const std::string& name, const std::vector<std::string>& names) const {
    const std::string near = nearest(name, names);
    return near.empty() ? "" : "; did you mean \"" + near + "\"?";
  }

  // Every key is a layer or one of its tensors, every value a module or a tensor.
  void check_map(const std::vector<Target>& targets) const {
    std::vector<std::string> ours, theirs;
    for (const Target& target : targets) {
      ours.push_back(target.name);
      for (const Slot& slot : target.slots) ours.push_back(target.name + "." + slot.own);
    }
    for (const Module& module : modules_) theirs.push_back(module.name);
    for (const auto& [tensor, _] : archive_.tensors) theirs.push_back(tensor);
    for (const auto& [key, value] : map_) {
      require(std::ranges::find(ours, key) != ours.end(), ErrorKind::kCorrupt, "map/" + key,
              "the model has no layer and no tensor of this name", meant(key, ours));
      const bool layer = std::ranges::find(targets, key, &Target::name) != targets.end();
      require(value || layer, ErrorKind::kCorrupt, "map/" + key,
              "null is for a whole layer; leave it out");
      require(
          !value || (layer ? module_called(*value) != nullptr : archive_.tensors.contains(*value)),
          ErrorKind::kCorrupt, file_, "has no ", layer ? "module" : "tensor", " ",
          value.value_or(""), ", which the map gives ", key, meant(value.value_or(""), theirs));
    }
  }

  void take(Target& target, const Module& module, TorchMatch::How how) {
    for (const Slot& slot : target.slots)
      if (const auto found = module.tensors.find(slot.theirs); found != module.tensors.end())
        target.tensors.emplace(slot.own, found->second);
    matches_[target.name] = {target.name, module.name, how};
    taken_.insert(module.name);
  }

  void follow_map(Target& target) {
    if (const auto found = map_.find(target.name); found != map_.end()) {
      if (found->second)
        take(target, *module_called(*found->second), TorchMatch::How::kMapped);
      else
        kept_.insert(target.name);
    }
    for (const Slot& slot : target.slots) {
      const auto found = map_.find(target.name + "." + slot.own);
      if (found == map_.end()) continue;
      target.tensors[slot.own] = *found->second;
      const std::string module = found->second->substr(0, found->second->rfind('.'));
      // The bias stands beside the weight.
      if (!matches_.contains(target.name) && module_called(module))
        take(target, *module_called(module), TorchMatch::How::kMapped);
      matches_.try_emplace(target.name,
                           TorchMatch{target.name, *found->second, TorchMatch::How::kMapped});
    }
  }

  void take_named(Target& target) {
    std::vector<const Module*> alike;
    for (const Module& module : modules_)
      if (!taken_.contains(module.name) &&
          (module.name == target.name || module.name.ends_with("." + target.name)))
        alike.push_back(&module);
    if (alike.size() == 1) take(target, *alike.front(), TorchMatch::How::kNamed);
  }

  bool fits(const Module& module, const Target& target) const {
    return std::ranges::all_of(target.slots, [&](const Slot& slot) {
      const auto found = module.tensors.find(slot.theirs);
      return found == module.tensors.end() ? slot.without.has_value()
                                           : shape(found->second) == slot.wanted;
    });
  }
  // Batch norm's weight and bias, too, would do for a layer that wants less.
  bool of_kind(const Module& module, const Target& target) const {
    return std::ranges::all_of(module.tensors, [&](const auto& tensor) {
      return std::ranges::find(target.slots, tensor.first, &Slot::theirs) != target.slots.end();
    });
  }

  // Layers and modules of one shape, in their order.
  void take_alike(std::vector<Target>& targets) {
    std::map<std::string, std::vector<Target*>> groups;
    for (Target& target : targets)
      if (open(target)) groups[signature(target)].push_back(&target);
    for (Target& first : targets) {
      if (!open(first)) continue;
      const std::vector<Target*>& group = groups.at(signature(first));
      std::vector<const Module*> modules;
      std::vector<std::string> names, layers;
      for (const Module& module : modules_)
        if (!taken_.contains(module.name) && of_kind(module, first) && fits(module, first)) {
          modules.push_back(&module);
          names.push_back(module.name);
        }
      for (const Target* target : group) layers.push_back(target->name);
      require(!modules.empty(), ErrorKind::kCorrupt, file_, first.name, " wants ", signature(first),
              ", and no module that is left has it: ", some(left()),
              "; make the model's layer alike, or say which with --map MAP.json: {\"", first.name,
              "\": \"MODULE\"}");
      require(modules.size() == group.size(), ErrorKind::kCorrupt, file_, some(layers),
              layers.size() == 1 ? " wants " : " want ", signature(first), ", which ", some(names),
              names.size() == 1 ? " has" : " have", "; say which with --map MAP.json: {\"",
              first.name, "\": \"", names.front(), "\"}");
      for (std::size_t i = 0; i < group.size(); ++i)
        take(*group[i], *modules[i],
             group.size() == 1 ? TorchMatch::How::kShape : TorchMatch::How::kOrder);
    }
  }

  std::vector<std::string> left() const {
    std::vector<std::string> all;
    for (const Module& module : modules_) {
      if (taken_.contains(module.name)) continue;
      for (const auto& [_, tensor] : module.tensors)
        if (shape(tensor).rank() > 1) all.push_back(shown(tensor, shape(tensor)));
    }
    if (all.empty()) all.emplace_back("none is left");
    return all;
  }

  void check(const Target& target, const Slot& slot) const {
    const auto found = target.tensors.find(slot.own);
    if (found == target.tensors.end()) {
      require(slot.without.has_value(), ErrorKind::kCorrupt, file_, matches_.at(target.name).module,
              " has no ", slot.theirs, ", which ", target.name,
              " wants; map another module to it (--map)");
      return;
    }
    const Tensor& tensor = archive_.tensors.at(found->second);
    require(tensor.dtype() == DType::kFloat32, ErrorKind::kCorrupt, file_, found->second, " is ",
            tensor.dtype(), ", ", target.name, '.', slot.own,
            " wants floats; save the network before it is quantized");
    require(tensor.shape() == slot.wanted, ErrorKind::kCorrupt, file_, found->second, " is ",
            tensor.shape(), ", ", target.name, '.', slot.own, " wants ", slot.wanted,
            slot.shape == slot.wanted ? "" : " as PyTorch has it",
            "; make the model's layer alike, or map another module to it (--map)");
    require_finite(tensor, found->second, file_);
  }

  const Archive& archive_;
  const std::string& file_;
  const TorchMap& map_;
  std::vector<Module> modules_;
  std::set<std::string> kept_, taken_;
  std::map<std::string, TorchMatch> matches_;
};

void fill(Tensor& to, const Target& target, const std::string& own, const Archive& archive) {
  const Slot& slot = *std::ranges::find(target.slots, own, &Slot::own);
  const auto found = target.tensors.find(own);
  if (found == target.tensors.end())
    std::ranges::fill(to.mutable_values(), *slot.without);
  else
    to.copy_from(slot.ours(archive.tensors.at(found->second)));
}

}  // namespace

TorchMap parse_torch_map(std::string_view text, const std::string& file) {
  const Json json = parse_json(text, file);
  const JsonReader top(json, file);
  top.check(json.is_object(), "wants an object {\"LAYER\": \"MODULE\", ...}, got ", top.shown());
  TorchMap map;
  for (const auto& [key, value] : json.items()) {
    const JsonReader reader = top.at(key);
    map[key] = value.is_null() ? std::nullopt : std::optional(reader.text(kMaxNameBytes));
  }
  return map;
}

TorchReport set_torch_weights(Sequential& model, const Shape& input, const Archive& archive,
                              const std::string& name, const TorchMap& map) {
  const auto images = torch::flattened_images(model, input);
  std::vector<Target> targets;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const auto& [layer_name, layer] = model.layers()[i];
    const auto mapped = map.find(layer_name);
    const bool kept = mapped != map.end() && !mapped->second;
    std::vector<Slot> slots;
    if (!kept) slots = torch::slots_of(*layer, layer_name, images[i]);
    if (kept || !slots.empty()) targets.push_back({layer_name, layer.get(), std::move(slots)});
  }
  TorchReport report = Matcher(archive, name, map).match(targets);
  for (const Target& target : targets) {
    if (std::ranges::find(report.kept, target.name) != report.kept.end()) continue;
    const auto set = [&](const std::string& own, Tensor& to) { fill(to, target, own, archive); };
    target.layer->visit({.parameter = [&](const std::string& own,
                                          Parameter& p) { set(own, p.latent().mutable_value()); },
                         .state = set});
  }
  return report;
}

}  // namespace espalier
