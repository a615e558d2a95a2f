#include "layers/model_json.hpp"

#include <map>
#include <set>

#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/depthwise_conv2d.hpp"
#include "layers/dropout.hpp"
#include "layers/flatten.hpp"
#include "layers/json_reader.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "layers/residual.hpp"

namespace espalier {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20, kMaxLayers = 1024, kMaxNameBytes = 64;
constexpr std::int64_t kMaxSize = 1 << 20, kMaxWindow = 4096, kMaxActivation = 1 << 28;

Size2d size_of(const JsonReader& json) {
  if (!json.value().is_array()) return json.integer(1, kMaxWindow);
  const auto both = json.elements(2, 2);
  return {both[0].integer(1, kMaxWindow), both[1].integer(1, kMaxWindow)};
}

Padding padding_of(const JsonReader& layer) {
  const auto json = layer.find("padding");
  if (!json) return Padding::valid();
  if (json->value().is_string())
    return json->choice({"valid", "same"}) == "same" ? Padding::same() : Padding::valid();
  if (!json->value().is_array()) return json->integer(0, kMaxWindow);
  const auto sides = json->elements(4, 4);
  const auto side = [&](std::size_t i) { return sides[i].integer(0, kMaxWindow); };
  return Padding::sides(side(0), side(1), side(2), side(3));
}

// The error of a layer's own check, at the layer's place in the file.
template <class F>
auto checked(const JsonReader& json, F f) {
  try {
    return f();
  } catch (const Error& error) {
    fail(ErrorKind::kCorrupt, json.place(), error.what());
  }
}

class Builder {
 public:
  Builder(Shape input, const ModelJsonOptions& options)
      : shape_(std::move(input)),
        shapes_{shape_},
        rng_(options.seed, "init"),
        max_parameters_(options.max_parameters) {}

  void build(const JsonReader& layers) {
    const auto all = layers.elements(1, kMaxLayers);
    for (const JsonReader& json : all)
      if (const auto name = json.find("name")) reserve(*name);
    std::vector<std::size_t> ends;  // the last layer of each record
    for (const JsonReader& json : all) {
      add(json);
      ends.push_back(model_.layers().size() - 1);
    }
    for (std::size_t i = 0; i + 1 < all.size(); ++i)
      all[i].check(!model_.readers(ends[i] + 1).empty(),
                   "no layer reads what it yields; name it in "
                   "a layer's \"from\" or \"with\", or take it out");
  }
  const Shape& shape() const { return shape_; }
  Sequential release() { return std::move(model_); }

 private:
  using Build = void (Builder::*)(const JsonReader&, const std::string&);
  struct Kind {
    const char *type, *stem;  // nameless layers are stem_1, stem_2, ...
    std::vector<std::string> keys;
    Build build;
  };
  static const std::vector<Kind>& kinds() {
    static const std::vector<Kind> table = {
        {"Conv2d",
         "conv2d",
         {"filters", "kernel_size", "strides", "padding", "activation", "init"},
         &Builder::conv2d},
        {"DepthwiseConv2d",
         "depthwise_conv2d",
         {"kernel_size", "strides", "padding", "activation", "init"},
         &Builder::depthwise_conv2d},
        {"MaxPool2d", "max_pool2d", {"pool_size", "strides", "padding"}, &Builder::pool<MaxPool2d>},
        {"AveragePool2d",
         "average_pool2d",
         {"pool_size", "strides", "padding"},
         &Builder::pool<AveragePool2d>},
        {"GlobalAveragePool2d", "global_average_pool2d", {}, &Builder::global_average_pool},
        {"BatchNorm", "batch_norm", {"momentum", "epsilon"}, &Builder::batch_norm},
        {"Dense", "dense", {"units", "activation", "init"}, &Builder::dense},
        {"Dropout", "dropout", {"rate"}, &Builder::dropout},
        {"Relu", "relu", {}, &Builder::plain<Relu>},
        {"Flatten", "flatten", {}, &Builder::plain<Flatten>},
        {"Residual", "residual", {"with", "activation"}, &Builder::residual},
    };
    return table;
  }

  void reserve(const JsonReader& json) {
    const std::string name = json.text(kMaxNameBytes);
    json.check(name.find('.') == std::string::npos, "wants a name without dots, got ",
               json.shown());
    json.check(names_.insert(name).second, "the name ", json.shown(),
               " is taken by a layer before");
  }

  // stem, or stem_1, stem_2, ...: the first that no layer has.
  std::string free_name(const std::string& stem, bool numbered) {
    if (!numbered && names_.insert(stem).second) return stem;
    for (;;) {
      std::string name = stem + "_" + std::to_string(++counts_[stem]);
      if (names_.insert(name).second) return name;
    }
  }

  void add(const JsonReader& json) {
    std::vector<std::string> types;
    for (const Kind& kind : kinds()) types.emplace_back(kind.type);
    const std::string type = json.at("type").choice(types);
    const Kind& kind = *std::ranges::find(kinds(), type, &Kind::type);
    std::vector<std::string> keys = kind.keys;
    keys.insert(keys.end(), {"type", "name", "from"});
    json.allow_only(keys);
    if (const auto from = json.find("from")) {
      const std::size_t layer = layer_named(*from);
      wires_.from = model_.layers()[layer].name;
      shape_ = shapes_[layer + 1];
    }
    const auto given = json.find("name");
    const auto name = given ? given->text(kMaxNameBytes) : free_name(kind.stem, true);
    (this->*kind.build)(json, name);
    last_of_[name] = model_.layers().size() - 1;
  }

  // Where a record became several layers, its name stands for the last of them.
  std::size_t layer_named(const JsonReader& json) {
    const std::string name = json.text(kMaxNameBytes);
    if (const auto found = last_of_.find(name); found != last_of_.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& [layer, index] : last_of_) names.push_back(layer);
    for (std::size_t i = 0; i < model_.layers().size(); ++i) {
      if (model_.layers()[i].name == name) return i;
      names.push_back(model_.layers()[i].name);
    }
    const std::string near = nearest(name, names);
    json.check(false, "wants the name of a layer before, got ", json.shown(),
               near.empty() ? "" : "; did you mean \"" + near + "\"?");
    return 0;
  }

  template <class L>
  void append(const JsonReader& json, const std::string& name, L layer) {
    shape_ = checked(json, [&] { return layer.output_shape(shape_); });
    json.check(shape_.elements() <= kMaxActivation, "yields ", shape_.elements(),
               " values, more than ", kMaxActivation);
    model_.add(name, std::move(layer), wires_);
    shapes_.push_back(shape_);
    wires_ = {};
  }

  // Counts before anything is allocated; as double, for the product may pass 2^63.
  void count_parameters(const JsonReader& json, double more) {
    parameters_ += more;
    json.check(parameters_ <= static_cast<double>(max_parameters_), "the model passes ",
               max_parameters_, " parameters; make this layer or those before smaller");
  }

  void activation(const JsonReader& json, const std::string& name) {
    const auto kind = json.find("activation");
    if (!kind) return;
    kind->check(kind->value() != "softmax",
                "softmax is part of the loss and changes no prediction; leave it out");
    if (kind->choice({"linear", "relu"}) == "relu")
      append(*kind, free_name(name + "_relu", false), Relu());
  }

  Init init(const JsonReader& json, Init otherwise) {
    const auto init = json.find("init");
    if (!init) return otherwise;
    return init->choice({"he_normal", "glorot_uniform"}) == "he_normal" ? Init::kHeNormal
                                                                        : Init::kGlorotUniform;
  }

  // The window must fit before weights are made for it. `size` is its kernel's key.
  void check_window(const JsonReader& json, const char* size, const SlidingWindow& window) {
    json.check(shape_.rank() == 3, "wants an image [H W C], got ", shape_);
    checked(json, [&] { window.check(json.at("type").text(kMaxNameBytes).c_str()); });
    const kernels::Window at = window.at(shape_);
    const std::int64_t h = shape_[0] + at.pad_top + at.pad_bottom;
    const std::int64_t w = shape_[1] + at.pad_left + at.pad_right;
    if (at.kernel_h > h || at.kernel_w > w)
      json.find(size).value_or(json).check(false, window.kernel,
                                           " is larger than the padded input, ", h, 'x', w,
                                           "; use a smaller one or \"padding\": \"same\"");
  }

  SlidingWindow convolution_window(const JsonReader& json) {
    const auto strides = json.find("strides");
    return {size_of(json.at("kernel_size")), strides ? size_of(*strides) : Size2d(1),
            padding_of(json)};
  }

  void conv2d(const JsonReader& json, const std::string& name) {
    const SlidingWindow window = convolution_window(json);
    const std::int64_t filters = json.at("filters").integer(1, kMaxSize);
    const Init how = init(json, Init::kHeNormal);
    check_window(json, "kernel_size", window);
    count_parameters(json, static_cast<double>(filters) *
                               (static_cast<double>(window.kernel.h * window.kernel.w) *
                                    static_cast<double>(shape_[2]) +
                                1));
    append(json, name,
           Conv2d({.in = shape_[2],
                   .out = filters,
                   .kernel = window.kernel,
                   .stride = window.stride,
                   .padding = window.padding,
                   .init = how},
                  rng_));
    activation(json, name);
  }

  void depthwise_conv2d(const JsonReader& json, const std::string& name) {
    const SlidingWindow window = convolution_window(json);
    const Init how = init(json, Init::kHeNormal);
    check_window(json, "kernel_size", window);
    json.check(shape_[2] <= kMaxSize, "wants at most ", kMaxSize, " channels, got ", shape_);
    count_parameters(json, static_cast<double>(window.kernel.h * window.kernel.w + 1) *
                               static_cast<double>(shape_[2]));
    append(json, name,
           DepthwiseConv2d({.channels = shape_[2],
                            .kernel = window.kernel,
                            .stride = window.stride,
                            .padding = window.padding,
                            .init = how},
                           rng_));
    activation(json, name);
  }

  template <class Pool>
  void pool(const JsonReader& json, const std::string& name) {
    const auto size = json.find("pool_size"), strides = json.find("strides");
    Pool2dOptions options{.padding = padding_of(json)};
    if (size) options.kernel = size_of(*size);
    options.stride = strides ? size_of(*strides) : options.kernel;
    check_window(json, "pool_size", {options.kernel, options.stride, options.padding});
    append(json, name, Pool(options));
  }

  void global_average_pool(const JsonReader& json, const std::string& name) {
    json.check(shape_.rank() == 3, "wants an image [H W C], got ", shape_);
    const Size2d whole{shape_[0], shape_[1]};
    check_window(json, "type", {whole, whole, {}});
    append(json, name, AveragePool2d({.kernel = whole}));
    append(json, free_name(name + "_flatten", false), Flatten());
  }

  void batch_norm(const JsonReader& json, const std::string& name) {
    json.check(shape_[-1] <= kMaxSize, "wants at most ", kMaxSize, " channels, got ", shape_);
    BatchNorm::Options options{.channels = shape_[-1]};
    if (const auto momentum = json.find("momentum"))
      options.momentum = static_cast<float>(momentum->number(0, 1));
    if (const auto epsilon = json.find("epsilon"))
      options.epsilon = static_cast<float>(epsilon->number(0, 1));
    count_parameters(json, 4.0 * static_cast<double>(options.channels));
    append(json, name, checked(json, [&] { return BatchNorm(options); }));
  }

  void dense(const JsonReader& json, const std::string& name) {
    const std::int64_t units = json.at("units").integer(1, kMaxSize);
    const Init how = init(json, Init::kGlorotUniform);
    json.check(shape_.rank() == 1, "wants features [F], got ", shape_,
               "; put {\"type\": \"Flatten\"} before it");
    count_parameters(json, static_cast<double>(units) * (static_cast<double>(shape_[0]) + 1));
    append(json, name, Dense({.in = shape_[0], .out = units, .init = how}, rng_));
    activation(json, name);
  }

  void residual(const JsonReader& json, const std::string& name) {
    const auto with = json.at("with");
    const std::size_t other = layer_named(with);
    with.check(shapes_[other + 1] == shape_, "adds ", shapes_[other + 1], " to ", shape_,
               "; make both alike, for example by a 1x1 convolution with the same strides");
    wires_.with = model_.layers()[other].name;
    append(json, name, Residual());
    activation(json, name);
  }

  void dropout(const JsonReader& json, const std::string& name) {
    const auto place = json.at("rate");
    const auto rate = static_cast<float>(place.number(0, 1));
    append(json, name, checked(place, [&] { return Dropout(rate); }));
  }

  template <class L>
  void plain(const JsonReader& json, const std::string& name) {
    append(json, name, L());
  }

  Shape shape_;                // of what the next layer takes
  std::vector<Shape> shapes_;  // of the stages
  Wires wires_;                // of the next layer
  std::map<std::string, std::size_t> last_of_;
  Rng rng_;
  std::int64_t max_parameters_;
  double parameters_ = 0;
  Sequential model_;
  std::set<std::string> names_;
  std::map<std::string, int> counts_;
};

Shape input_of(const JsonReader& json) {
  std::vector<std::int64_t> sizes;
  double values = 1;
  for (const JsonReader& size : json.elements(1, 3)) {
    sizes.push_back(size.integer(1, kMaxSize));
    values *= static_cast<double>(sizes.back());
  }
  json.check(sizes.size() != 2, "wants [H, W, C] or [F], got ", json.shown());
  json.check(values <= static_cast<double>(kMaxActivation), "has more than ", kMaxActivation,
             " values: ", json.shown());
  return Shape(std::span<const std::int64_t>(sizes));
}

}  // namespace

ModelJson parse_model_json(std::string_view text, const std::string& file,
                           ModelJsonOptions options) {
  require(text.size() <= kMaxFileBytes, ErrorKind::kCorrupt, file, "has ", text.size(),
          " bytes, more than ", kMaxFileBytes);
  const Json json = parse_json(text, file);
  const JsonReader top(json, file);
  top.allow_only({"name", "input", "labels", "layers"});
  const auto name = top.find("name"), labels = top.find("labels");
  ModelJson result;
  result.name = name ? name->text(kMaxNameBytes) : "model";
  result.input = input_of(top.at("input"));
  Builder builder(result.input, options);
  builder.build(top.at("layers"));
  if (labels) {
    const auto outputs = static_cast<std::size_t>(builder.shape().elements());
    for (const JsonReader& label : labels->elements(outputs, outputs))
      result.labels.push_back(label.text(kMaxNameBytes));
  }
  result.model = builder.release();
  return result;
}

ModelJson load_model_json(const std::filesystem::path& path, ModelJsonOptions options) {
  const Bytes bytes = read_file(path, kMaxFileBytes);
  return parse_model_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                          path.string(), options);
}

}  // namespace espalier
