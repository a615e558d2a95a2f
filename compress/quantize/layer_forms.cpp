#include "compress/quantize/layer_forms.hpp"

#include <algorithm>

#include "layers/batch_norm.hpp"
#include "layers/dropout.hpp"
#include "layers/flatten.hpp"
#include "layers/kind.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "layers/residual.hpp"

namespace espalier::quantize {
namespace {

// Why this layer, which moves activations, takes floats; empty: it takes levels.
std::string reason_for_floats(const Layer& layer, bool asked, bool next_takes_levels) {
  if (asked) return "named";
  if (is_linear(layer)) return "";
  if (!is_any<BatchNorm, Residual>(layer)) return "its kind has no integer form";
  if (next_takes_levels) return "";
  return is_any<Residual>(layer) ? "no integer layer follows this sum"
                                 : "no integer layer follows this batch norm";
}

}  // namespace

LayerForms layer_forms(const Sequential& model, const std::vector<std::string>& float_layers) {
  const auto& layers = model.layers();
  LayerForms forms{.layers = std::vector<LayerForm>(layers.size()), .report = {}};
  bool linear = false;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    linear |= is_linear(*layers[i].layer);
    forms.layers[i].moves =
        !is_any<Relu, MaxPool2d, AveragePool2d, Flatten, Dropout>(*layers[i].layer);
  }
  require(linear, "quantize",
          "the model has no convolution or dense layer, whose sums are integers; add one");
  for (const std::string& name : float_layers) {
    bool found = false;
    for (std::size_t i = 0; i < layers.size(); ++i)
      found |= layers[i].name == name && forms.layers[i].moves;
    require(
        found, "quantize", name,
        ", which shall stay in float, is no convolution, dense layer, batch norm or residual of "
        "the model (a batch norm behind one of these is folded into it)");
  }
  std::vector<char> levels(layers.size() + 1);  // of the stages: whether a layer takes it so
  for (std::size_t i = layers.size(); i-- > 0;) {
    const auto& [name, layer] = layers[i];
    LayerForm& form = forms.layers[i];
    const bool asked = std::ranges::count(float_layers, name) > 0;
    std::string reason;
    const bool wanted = levels[i + 1];
    form.output_grid = wanted;
    if (form.moves) reason = reason_for_floats(*layer, asked, wanted);
    form.integer = form.moves ? reason.empty() : wanted;
    if (form.integer) {
      levels[model.input_stage(i)] = true;
      if (const auto other = model.other_stage(i)) levels[*other] = true;
    }
    if (!reason.empty()) forms.report.push_back({name, layer->describe(), reason, asked});
  }
  std::ranges::reverse(forms.report);
  forms.input_grid = levels[0];
  for (std::size_t i = 0; i < layers.size(); ++i) {  // these keep to what they take
    LayerForm& form = forms.layers[i];
    const auto& [name, layer] = layers[i];
    if (!form.moves) {
      levels[i + 1] = levels[model.input_stage(i)];
      form.integer = form.output_grid = levels[i + 1];
    }
    if (!form.integer && is_any<AveragePool2d>(*layer))
      forms.report.push_back({name, layer->describe(), "no integer layer follows this mean"});
  }
  // A file knows levels by their grids alone: a batch norm or sum whose input and output both are on
  // one is of integers there.
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!is_any<BatchNorm, Residual>(*layers[i].layer) || forms.layers[i].integer) continue;
    const auto other = model.other_stage(i);
    const bool on_levels = levels[model.input_stage(i)] && (!other || levels[*other]);
    require(!on_levels || !forms.layers[i].output_grid, "quantize", layers[i].name,
            ", which shall stay in float, reads what another layer takes as levels, and yields "
            "levels; name that layer, or the one behind it, too");
  }
  return forms;
}

}  // namespace espalier::quantize
