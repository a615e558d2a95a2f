#include "core/base/text.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/depthwise_conv2d.hpp"
#include "layers/dropout.hpp"
#include "layers/flatten.hpp"
#include "layers/json_reader.hpp"
#include "layers/kind.hpp"
#include "layers/model_json.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "layers/residual.hpp"

namespace espalier {
namespace {

Json size_json(const Size2d& size) {
  return size.h == size.w ? Json(size.h) : Json::array({size.h, size.w});
}

Json padding_json(const Padding& p) {
  if (p.is_same()) return "same";
  if (p == Padding::valid()) return "valid";
  if (p == Padding(p.top())) return p.top();
  return Json::array({p.top(), p.left(), p.bottom(), p.right()});
}

// Without the values that are the defaults, but for batch norm's, which differ between frameworks.
Json layer_json(const std::string& name, const Layer& layer) {
  Json json = {{"type", ""}, {"name", name}};
  const auto window = [&](const char* key, const SlidingWindow& window, Size2d default_stride) {
    json[key] = size_json(window.kernel);
    if (window.stride != default_stride) json["strides"] = size_json(window.stride);
    if (window.padding != Padding::valid()) json["padding"] = padding_json(window.padding);
  };
  const auto init = [&](Init init, Init otherwise) {
    if (init == otherwise) return;
    json["init"] = init == Init::kHeNormal ? "he_normal" : "glorot_uniform";
  };
  if (const auto* conv = dynamic_cast<const Conv2d*>(&layer)) {
    const auto& o = conv->options();
    json["type"] = "Conv2d";
    json["filters"] = o.out;
    window("kernel_size", {o.kernel, o.stride, o.padding}, 1);
    init(o.init, Init::kHeNormal);
  } else if (const auto* depthwise = dynamic_cast<const DepthwiseConv2d*>(&layer)) {
    const auto& o = depthwise->options();
    json["type"] = "DepthwiseConv2d";
    window("kernel_size", {o.kernel, o.stride, o.padding}, 1);
    init(o.init, Init::kHeNormal);
  } else if (const auto* pool = dynamic_cast<const Pool2d*>(&layer)) {
    json["type"] = dynamic_cast<const MaxPool2d*>(&layer) ? "MaxPool2d" : "AveragePool2d";
    window("pool_size", pool->options(), pool->options().kernel);
  } else if (const auto* norm = dynamic_cast<const BatchNorm*>(&layer)) {
    json["type"] = "BatchNorm";
    json["momentum"] = shortest_decimal(norm->options().momentum);
    json["epsilon"] = shortest_decimal(norm->options().epsilon);
  } else if (const auto* dense = dynamic_cast<const Dense*>(&layer)) {
    json["type"] = "Dense";
    json["units"] = dense->options().out;
    init(dense->options().init, Init::kGlorotUniform);
  } else if (const auto* dropout = dynamic_cast<const Dropout*>(&layer)) {
    json["type"] = "Dropout";
    json["rate"] = shortest_decimal(dropout->rate());
  } else if (dynamic_cast<const Relu*>(&layer)) {
    json["type"] = "Relu";
  } else if (dynamic_cast<const Residual*>(&layer)) {
    json["type"] = "Residual";
  } else if (dynamic_cast<const Flatten*>(&layer)) {
    json["type"] = "Flatten";
  } else {
    fail(ErrorKind::kUsage, "model.json", "has no word for layer ", name, ", ", layer.describe());
  }
  return json;
}

// On one line, with a space after each comma and colon.
std::string on_one_line(const Json& json) {
  if (!json.is_structured()) return json.dump();
  std::string text;
  for (const auto& [key, value] : json.items()) {
    if (!text.empty()) text += ", ";
    if (json.is_object()) text += Json(key).dump() + ": ";
    text += on_one_line(value);
  }
  return json.is_object() ? "{" + text + "}" : "[" + text + "]";
}

}  // namespace

std::string format_model_json(const Sequential& model, const Shape& input, const std::string& name,
                              const std::vector<std::string>& labels) {
  model.output_shape(input);
  std::vector<Json> layers;
  bool takes_activation = false;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const auto& [layer_name, layer] = model.layers()[i];
    if (takes_activation && dynamic_cast<const Relu*>(layer.get()) &&
        layer_name == layers.back()["name"].get<std::string>() + "_relu") {
      layers.back()["activation"] = "relu";
      takes_activation = false;
      continue;
    }
    layers.push_back(layer_json(layer_name, *layer));
    Json& json = layers.back();
    const auto name_of = [&, reader = layer_name](std::size_t stage) {
      require(stage > 0, "model.json",
              "has no word for a layer that reads the input again: ", reader);
      return model.layers()[stage - 1].name;
    };
    if (model.input_stage(i) != i) json["from"] = name_of(model.input_stage(i));
    if (const auto other = model.other_stage(i)) json["with"] = name_of(*other);
    takes_activation = (is_linear(*layer) || is_any<Residual>(*layer)) && model.feeds_next_alone(i);
  }
  std::string text =
      "{\n  \"name\": " + Json(name).dump() + ",\n  \"input\": " +
      on_one_line(Json(std::vector<std::int64_t>(input.sizes().begin(), input.sizes().end())));
  if (!labels.empty()) text += ",\n  \"labels\": " + on_one_line(Json(labels));
  text += ",\n  \"layers\": [";
  for (std::size_t i = 0; i < layers.size(); ++i)
    text += (i == 0 ? "\n    " : ",\n    ") + on_one_line(layers[i]);
  return text + "\n  ]\n}\n";
}

}  // namespace espalier
