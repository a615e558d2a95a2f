// Names of layers in a recipe, held against the model.
#include <algorithm>

#include "compress/recipe/stage_passes.hpp"
#include "core/base/text.hpp"

namespace espalier::recipe {
namespace {

using Names = std::vector<std::string>;

struct Known {
  Names layers, parameters;  // of layers with parameters
  Names linear;              // convolutions and dense layers
  Names any;                 // every layer
};

Known known_of(Sequential& model) {
  Known known;
  model.visit({.parameter = [&](const std::string& name, Parameter&) {
    known.parameters.push_back(name);
    const std::string layer = name.substr(0, name.rfind('.'));
    if (known.layers.empty() || known.layers.back() != layer) known.layers.push_back(layer);
    if (name.ends_with(".weight")) known.linear.push_back(layer);
  }});
  for (const auto& entry : model.layers()) known.any.push_back(entry.name);
  return known;
}

template <class T>
Names keys_of(const std::map<std::string, T>& map) {
  Names names;
  for (const auto& entry : map) names.push_back(entry.first);
  return names;
}

// Checks the names at one place of a stage.
class Checker {
 public:
  Checker(const Stage& stage, const Known& known) : stage_(stage), known_(known) {}

  // Of layers or parameters.
  void these(const std::string& place, const Names& names) const {
    for (const std::string& name : names)
      if (!holds(known_.layers, name) && !holds(known_.parameters, name))
        refuse(place, name, name.find('.') != std::string::npos ? known_.parameters : known_.layers,
               "layers with parameters", known_.layers);
  }
  void layers(const std::string& place, const Names& names, const Names& wanted,
              const char* kind) const {
    for (const std::string& name : names)
      if (!holds(wanted, name)) refuse(place, name, wanted, kind, wanted);
  }

 private:
  static bool holds(const Names& names, const std::string& name) {
    return std::ranges::count(names, name) > 0;
  }
  [[noreturn]] void refuse(const std::string& place, const std::string& name, const Names& meant,
                           const char* kind, const Names& all) const {
    const std::string near = nearest(name, meant);
    const bool other = holds(known_.any, name);  // of another kind
    fail(stage_.place.empty() ? ErrorKind::kUsage : ErrorKind::kCorrupt,
         (stage_.place.empty() ? "recipe" : stage_.place) + "/" + place,
         other ? "" : "the model has no ", name,
         other ? std::string(" is none of the model's ") + kind : "",
         near.empty() ? "" : "; did you mean \"" + near + "\"?", near.empty() ? "; its " : " Its ",
         kind, " are ", join(all, ", "));
  }

  const Stage& stage_;
  const Known& known_;
};

}  // namespace

void check_names(const Stage& stage, Sequential& model) {
  constexpr const char* kLinear = "convolutions and dense layers";
  const Known known = known_of(model);
  const Checker check(stage, known);
  if (stage.prune) {
    check.these("prune/layers", stage.prune->select.layers);
    check.these("prune/sparsities", keys_of(stage.prune->sparsities));
  }
  if (stage.units) check.these("units/layers", stage.units->select.layers);
  if (stage.cluster) check.these("cluster/layers", stage.cluster->select.layers);
  if (const auto& q = stage.quantize) {
    check.layers("quantize/layer_bits", keys_of(q->layer_bits), known.linear, kLinear);
    check.layers("quantize/layer_activation_bits", keys_of(q->layer_activation_bits), known.any,
                 "layers");
    check.layers("quantize/float_layers", q->float_layers, known.any, "layers");
  }
  if (stage.float16) check.layers("float16/keep", stage.float16->keep, known.linear, kLinear);
  if (stage.dynamic_range)
    check.layers("dynamic_range/keep", stage.dynamic_range->keep, known.linear, kLinear);
}

}  // namespace espalier::recipe
