// espalier inspect MODEL.esp: what a file holds and costs.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/espalier/commands.hpp"
#include "apps/espalier/draw.hpp"
#include "apps/espalier/layer_facts.hpp"
#include "apps/espalier/prepare_image.hpp"
#include "apps/espalier/trace.hpp"
#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/runtime/model.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "datasets/resize.hpp"
#include "datasets/synthetic_digits.hpp"

namespace espalier::apps {
namespace {

using nlohmann::json;

struct InspectOptions {
  std::filesystem::path model;
  bool json = false, trace = false, invert = false;
  std::optional<std::string> image;
  TraceOptions neuron;
};

std::string shape_text(const std::array<std::int64_t, 3>& s) {
  return std::to_string(s[0]) + " x " + std::to_string(s[1]) + " x " + std::to_string(s[2]);
}

double ratio(std::int64_t a, std::int64_t b) {
  return b ? static_cast<double>(a) / static_cast<double>(b) : 0;
}

std::string labels_text(const format::PackedModel& model, std::int64_t classes) {
  if (model.labels.empty()) return "0 to " + std::to_string(classes - 1) + " (by number)";
  std::vector<std::string> shown(
      model.labels.begin(),
      model.labels.begin() + std::min<std::ptrdiff_t>(12, std::ssize(model.labels)));
  if (shown.size() < model.labels.size()) shown.push_back("...");
  return join(shown, ", ");
}

void print(const std::string& file, std::size_t file_bytes, const format::PackedModel& model,
           const ModelFacts& facts) {
  const auto bytes = static_cast<std::int64_t>(file_bytes);
  std::cout << file << ": " << with_commas(bytes) << " bytes, .esp version 1\n"
            << "input   " << shape_text(model.input_shape) << " (H W C), ";
  if (model.input.is_float())
    std::cout << "float32";
  else
    std::cout << "levels 0..127, one level = " << model.input.scale
              << (model.input.zero_point ? ", zero point " + std::to_string(model.input.zero_point)
                                         : std::string());
  if (model.input_mean != 0 || model.input_deviation != 1)
    std::cout << ", of (pixel / 255 - " << model.input_mean << ") / " << model.input_deviation;
  const auto& last = facts.layers.back().output;
  std::cout << "\nlabels  " << labels_text(model, last[0] * last[1] * last[2]) << "\n\n";

  std::size_t name_width = 5, kind_width = 4;
  for (const auto& l : facts.layers) {
    name_width = std::max(name_width, display_width(l.name));
    kind_width = std::max(kind_width, l.kind.size());
  }
  const auto row = [&](const std::string& name, const std::string& kind, const std::string& output,
                       const std::string& bits, const std::string& weights,
                       const std::string& zeros, const std::string& size, const std::string& macs) {
    std::cout << pad_right(name, name_width) << "  " << pad_right(kind, kind_width)
              << pad_left(output, 16) << pad_left(bits, 6) << pad_left(weights, 12)
              << pad_left(zeros, 9) << pad_left(size, 11) << pad_left(macs, 13) << "\n";
  };
  row("layer", "kind", "output", "bits", "weights", "zeros", "bytes", "MACs");
  row("header", "", "", "", "", "", with_commas(static_cast<std::int64_t>(facts.header_bytes)), "");
  for (const auto& l : facts.layers)
    row(l.name, l.kind, shape_text(l.output), l.bits ? std::to_string(l.bits) : "",
        l.weights ? with_commas(l.weights) : "",
        l.weights ? percent(ratio(l.zeros, l.weights), 1) : "",
        with_commas(static_cast<std::int64_t>(l.file_bytes)), l.macs ? with_commas(l.macs) : "");
  row("total", "", "", "", with_commas(facts.weights),
      percent(ratio(facts.zeros, facts.weights), 1),
      with_commas(static_cast<std::int64_t>(facts.file_bytes)), with_commas(facts.macs));
  std::cout << "\n"
            << with_commas(facts.parameters) << " parameters; as float32 they take "
            << with_commas(facts.dense_float_bytes) << " bytes, "
            << fixed(ratio(facts.dense_float_bytes, bytes), 1) << " times the file\n"
            << "peak activation memory: " << with_commas(facts.peak_activation_bytes)
            << " bytes an image (a layer's input and output)\n"
            << "zeros: share of the weights that are 0. MACs: multiply-accumulates an image, zeros "
               "included.\n";
}

json facts_json(const std::string& file, std::size_t file_bytes, const format::PackedModel& model,
                const ModelFacts& facts) {
  json layers = json::array();
  for (const auto& l : facts.layers)
    layers.push_back({{"name", l.name},
                      {"kind", l.kind},
                      {"output", l.output},
                      {"bits", l.bits},
                      {"weights", l.weights},
                      {"sparsity", ratio(l.zeros, l.weights)},
                      {"file_bytes", l.file_bytes},
                      {"macs", l.macs},
                      {"activation_bytes", l.activation_bytes}});
  return {{"file", file},
          {"file_bytes", file_bytes},
          {"version", 0},
          {"header_bytes", facts.header_bytes},
          {"input_shape", model.input_shape},
          {"input_scale", model.input.scale},
          {"input_zero_point", model.input.zero_point},
          {"input_mean", model.input_mean},
          {"input_deviation", model.input_deviation},
          {"labels", model.labels},
          {"layers", layers},
          {"parameters", facts.parameters},
          {"sparsity", ratio(facts.zeros, facts.weights)},
          {"macs", facts.macs},
          {"dense_float_bytes", facts.dense_float_bytes},
          {"peak_activation_bytes", facts.peak_activation_bytes}};
}

json trace_json(const Trace& t) {
  json products = json::array();
  for (const auto& p : t.products)
    products.push_back(
        {{"y", p.y}, {"x", p.x}, {"channel", p.channel}, {"level", p.level}, {"weight", p.weight}});
  json all = {{"layer", t.layer},
              {"unit", t.unit},
              {"y", t.y},
              {"x", t.x},
              {"products", products},
              {"sum", t.sum},
              {"bias", t.bias},
              {"accumulator", t.accumulator},
              {"multiplier", t.multiplier},
              {"real", t.real}};
  if (!t.logit)
    all.update({{"scaled", t.scaled},
                {"rounded", t.rounded},
                {"zero_point", t.output.zero_point},
                {"level", t.level}});
  return all;
}

// The picture asked for, else a synthetic digit, resized where the model wants another shape.
PreparedImage traced_image(const InspectOptions& options, const format::PackedModel& model) {
  if (options.image) return prepare_image(*options.image, model, options.invert);
  const auto [height, width, channels] = model.input_shape;
  constexpr std::int64_t kSeven = 7;
  const Tensor digit = datasets::resize(
      datasets::synthetic_digits({.train = 1, .test = kSeven + 1}).test->get(kSeven).image, height,
      width);
  Tensor image = Tensor::uninitialized({height, width, channels});
  for (std::int64_t i = 0; i < image.elements(); ++i)
    image.mutable_data()[i] = digit.data()[i / channels];
  return {image, "a synthetic 7; --image FILE takes another"};
}

void inspect(const InspectOptions& options) {
  const Bytes bytes = read_file(options.model);
  const std::size_t file_bytes = bytes.size();
  const auto model = runtime::Model(format::read(bytes, options.model.string()));
  const auto& packed = model.packed();
  const auto coding = format::coding_of(bytes);
  const ModelFacts facts = count_facts(packed, coding);
  json report = facts_json(options.model.string(), file_bytes, packed, facts);
  if (!options.json) print(options.model.string(), file_bytes, packed, facts);
  if (options.trace) {
    const auto prepared = traced_image(options, packed);
    const Trace trace = trace_unit(packed, prepared.image, options.neuron);
    if (options.json) {
      report["trace"] = trace_json(trace);
    } else {
      std::cout << "\nThe image (" << prepared.changes << "):\n"
                << (prepared.image.shape()[1] <= 64 ? draw(prepared.image, utf8_locale()) : "")
                << "\n";
      print_trace(std::cout, trace);
    }
  }
  if (options.json)
    std::cout << report.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto o = std::make_shared<InspectOptions>();
  auto* command = app.add_subcommand("inspect", "Show a model's layers, sizes and costs");
  command->add_option("model", o->model, "An .esp file")->required();
  command->add_flag("--json", o->json, "Print one line of JSON");
  auto* trace =
      command->add_flag("--trace", o->trace, "Follow one neuron's integer arithmetic on one image");
  command->add_option("--image", o->image, "Picture for --trace (default: a synthetic 7)")
      ->needs(trace);
  command->add_flag("--invert", o->invert, "Turn the picture's light and dark round")->needs(trace);
  command
      ->add_option("--layer", o->neuron.layer,
                   "Layer for --trace, by name or number from 1 (default: the first with weights)")
      ->needs(trace);
  command
      ->add_option("--unit", o->neuron.unit,
                   "Output channel or neuron for --trace, from 0 (default: the most active)")
      ->needs(trace);
  command->footer(
      "Examples: espalier inspect espalier-out/quantized.esp\n"
      "          espalier inspect espalier-out/quantized.esp --trace --layer dense --unit 7");
  command->callback([o] { inspect(*o); });
}

}  // namespace espalier::apps
