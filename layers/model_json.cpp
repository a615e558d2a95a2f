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
#include "layers/model_fields.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "layers/residual.hpp"

namespace espalier {
namespace {

using namespace model_json;

constexpr std::size_t kMaxFileBytes = 1 << 20, kMaxPathBytes = 4096;
constexpr std::int64_t kMaxActivation = 1 << 28;

// The keys of a record, in the order of its fields.
class Keys {
 public:
  const std::vector<std::string>& all() const { return all_; }
  // clang-format off
  template <class... Rest> void required_integer(const char* key, Rest&&...) { add(key); }
  template <class... Rest> void required_size(const char* key, Rest&&...) { add(key); }
  template <class... Rest> void size(const char* key, Rest&&...) { add(key); }
  template <class... Rest> void padding(const char* key, Rest&&...) { add(key); }
  template <class... Rest> void number(const char* key, Rest&&...) { add(key); }
  template <class... Rest> void required_number(const char* key, Rest&&...) { add(key); }
  template <class... Rest> void required_layer(const char* key, Rest&&...) { add(key); }
  // clang-format on
  template <class E>
  void choice(const char* key, E&, const Names<E>&, const char*) {
    add(key);
  }

 private:
  void add(const char* key) { all_.emplace_back(key); }
  std::vector<std::string> all_;
};

// Puts what an object says into a record, which holds the defaults.
class Reader {
 public:
  explicit Reader(const JsonReader& json) : json_(json) {}

  void required_integer(const char* key, std::int64_t& to, std::int64_t min, std::int64_t max,
                        const char*) {
    to = json_.at(key).integer(min, max);
  }
  void required_size(const char* key, Size2d& to, const char*) { to = size_of(json_.at(key)); }
  template <class Size>
  void size(const char* key, Size& to, const char*) {
    if (const auto found = json_.find(key)) to = size_of(*found);
  }
  void padding(const char* key, Padding& to, const char*) {
    if (const auto found = json_.find(key)) to = padding_of(*found);
  }
  void number(const char* key, float& to, Share, const char*) {
    if (const auto found = json_.find(key)) to = static_cast<float>(found->number(0, 1));
  }
  void required_number(const char* key, float& to, Share, const char*) {
    to = static_cast<float>(json_.at(key).number(0, 1));
  }
  void required_layer(const char* key, std::string& to, const char*) {
    to = json_.at(key).text(kMaxNameBytes);
  }
  template <class E>
  void choice(const char* key, E& to, const Names<E>& names, const char*) {
    const auto found = json_.find(key);
    if (!found) return;
    found->check(found->value() != "softmax",
                 "softmax is part of the loss and changes no prediction; leave it out");
    std::vector<std::string> words;
    for (const auto& [word, _] : names) words.push_back(word);
    const std::string word = found->choice(words);
    for (const auto& [name, value] : names)
      if (name == word) to = value;
  }

 private:
  static Size2d size_of(const JsonReader& json) {
    if (!json.value().is_array()) return json.integer(1, kMaxWindow);
    const auto both = json.elements(2, 2);
    return {both[0].integer(1, kMaxWindow), both[1].integer(1, kMaxWindow)};
  }
  static Padding padding_of(const JsonReader& json) {
    if (json.value().is_string())
      return json.choice({"valid", "same"}) == "same" ? Padding::same() : Padding::valid();
    if (!json.value().is_array()) return json.integer(0, kMaxWindow);
    const auto sides = json.elements(4, 4);
    const auto side = [&](std::size_t i) { return sides[i].integer(0, kMaxWindow); };
    return Padding::sides(side(0), side(1), side(2), side(3));
  }

  const JsonReader& json_;
};

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
    for_each_kind([&](const char* type, auto&&...) { types.emplace_back(type); });
    const std::string wanted = json.at("type").choice(types);
    for_each_kind([&](const char* type, const char* stem, auto record, const char*) {
      if (type == wanted) add(json, stem, record);
    });
  }

  template <class Record>
  void add(const JsonReader& json, const char* stem, Record& record) {
    Keys known;
    fields(known, record);
    std::vector<std::string> keys = known.all();
    keys.insert(keys.end(), {"type", "name", "from"});
    json.allow_only(keys);
    if (const auto from = json.find("from")) {
      const std::size_t layer = layer_named(*from);
      wires_.from = model_.layers()[layer].name;
      shape_ = shapes_[layer + 1];
    }
    const auto given = json.find("name");
    const auto name = given ? given->text(kMaxNameBytes) : free_name(stem, true);
    Reader reader(json);
    fields(reader, record);
    build(json, name, record);
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

  void activation(const JsonReader& json, const std::string& name, Activation kind) {
    if (kind == Activation::kRelu) append(json, free_name(name + "_relu", false), Relu());
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

  void build(const JsonReader& json, const std::string& name, const Conv2dRecord& r) {
    const SlidingWindow& window = r.window;
    check_window(json, "kernel_size", window);
    count_parameters(json, static_cast<double>(r.filters) *
                               (static_cast<double>(window.kernel.h * window.kernel.w) *
                                    static_cast<double>(shape_[2]) +
                                1));
    append(json, name,
           Conv2d({.in = shape_[2],
                   .out = r.filters,
                   .kernel = window.kernel,
                   .stride = window.stride,
                   .padding = window.padding,
                   .init = r.init},
                  rng_));
    activation(json, name, r.activation);
  }

  void build(const JsonReader& json, const std::string& name, const DepthwiseConv2dRecord& r) {
    const SlidingWindow& window = r.window;
    check_window(json, "kernel_size", window);
    json.check(shape_[2] <= kMaxSize, "wants at most ", kMaxSize, " channels, got ", shape_);
    count_parameters(json, static_cast<double>(window.kernel.h * window.kernel.w + 1) *
                               static_cast<double>(shape_[2]));
    append(json, name,
           DepthwiseConv2d({.channels = shape_[2],
                            .kernel = window.kernel,
                            .stride = window.stride,
                            .padding = window.padding,
                            .init = r.init},
                           rng_));
    activation(json, name, r.activation);
  }

  template <class Pool>
  void build(const JsonReader& json, const std::string& name, const PoolRecord<Pool>& r) {
    const Pool2dOptions options{r.size, r.strides.value_or(r.size), r.padding};
    check_window(json, "pool_size", {options.kernel, options.stride, options.padding});
    append(json, name, Pool(options));
  }

  void build(const JsonReader& json, const std::string& name, const GlobalAveragePool2dRecord&) {
    json.check(shape_.rank() == 3, "wants an image [H W C], got ", shape_);
    const Size2d whole{shape_[0], shape_[1]};
    check_window(json, "type", {whole, whole, {}});
    append(json, name, AveragePool2d({.kernel = whole}));
    append(json, free_name(name + "_flatten", false), Flatten());
  }

  void build(const JsonReader& json, const std::string& name, const BatchNormRecord& r) {
    json.check(shape_[-1] <= kMaxSize, "wants at most ", kMaxSize, " channels, got ", shape_);
    count_parameters(json, 4.0 * static_cast<double>(shape_[-1]));
    append(json, name, checked(json, [&] {
             return BatchNorm({shape_[-1], r.momentum, r.epsilon});
           }));
  }

  void build(const JsonReader& json, const std::string& name, const DenseRecord& r) {
    json.check(shape_.rank() == 1, "wants features [F], got ", shape_,
               "; put {\"type\": \"Flatten\"} before it");
    count_parameters(json, static_cast<double>(r.units) * (static_cast<double>(shape_[0]) + 1));
    append(json, name, Dense({.in = shape_[0], .out = r.units, .init = r.init}, rng_));
    activation(json, name, r.activation);
  }

  void build(const JsonReader& json, const std::string& name, const ResidualRecord& r) {
    const auto with = json.at("with");
    const std::size_t other = layer_named(with);
    with.check(shapes_[other + 1] == shape_, "adds ", shapes_[other + 1], " to ", shape_,
               "; make both alike, for example by a 1x1 convolution with the same strides");
    wires_.with = model_.layers()[other].name;
    append(json, name, Residual());
    activation(json, name, r.activation);
  }

  void build(const JsonReader& json, const std::string& name, const DropoutRecord& r) {
    append(json, name, checked(json.at("rate"), [&] { return Dropout(r.rate); }));
  }
  void build(const JsonReader& json, const std::string& name, const ReluRecord&) {
    append(json, name, Relu());
  }
  void build(const JsonReader& json, const std::string& name, const FlattenRecord&) {
    append(json, name, Flatten());
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
  top.allow_only({"name", "input", "labels", "layers", "$schema"});
  if (const auto schema = top.find("$schema")) schema->text(kMaxPathBytes);  // for editors
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
