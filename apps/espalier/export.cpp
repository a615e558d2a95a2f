// espalier export FORMAT MODEL.esp -o FILE: the model for other programs and machines.
#include <filesystem>
#include <functional>
#include <iomanip>
#include <iostream>
#include <memory>

#include "apps/common/words.hpp"
#include "apps/espalier/commands.hpp"
#include "apps/espalier/written.hpp"
#include "compress/export/c99.hpp"
#include "compress/export/js.hpp"
#include "compress/export/onnx.hpp"
#include "compress/export/tflite.hpp"
#include "compress/format/limits.hpp"
#include "compress/format/reader.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {
namespace {

struct ExportOptions {
  std::string format, name;
  std::filesystem::path model, output;
  SayOptions say;
};

struct Target {
  std::filesystem::path file;
  std::string name;
};

using Exporter = std::function<Bytes(const format::PackedModel&, const Target&)>;

struct Format {
  const char* name;
  Exporter write;
  std::string (*next)(const std::filesystem::path&,
                      const format::PackedModel&);  // a command that does something with it
};

Bytes bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

// A string of JavaScript and of Python.
std::string quoted(const std::filesystem::path& file) {
  std::string text = "\"";
  for (const char c : file.string())
    text += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return text + "\"";
}

const std::vector<Format>& formats() {
  static const std::vector<Format> kAll = {
      {"c99",
       [](const auto& model, const Target& target) {
         return bytes_of(exports::c99(model, {.name = target.name}));
       },
       [](const auto& file, const auto&) {
         return "cc -std=c99 -O2 -Wall -c " + shell_word(file.string()) +
                "   # its first lines say how to call it";
       }},
      {"js",
       [](const auto& model, const Target& target) {
         return bytes_of(exports::js(model, {.name = target.name,
                                             .module = target.file.extension() == ".mjs",
                                             .file = target.file.filename().string()}));
       },
       [](const auto& file, const auto& model) {
         const std::string shown = model.target ? "predict" : "labels";
         const std::string path = quoted(std::filesystem::absolute(file));
         return file.extension() == ".mjs"
                    ? "node --input-type=module -e " +
                          shell_word("import m from " + path + "; console.log(m." + shown + ")")
                    : "node -p " + shell_word("require(" + path + ")." + shown);
       }},
      {"onnx",
       [](const auto& model, const Target& target) {
         return exports::onnx(model, {.name = target.name});
       },
       [](const auto& file, const auto&) {
         return "python3 -c " + shell_word("import onnxruntime as o; print(o.InferenceSession(" +
                                           quoted(file) + ").get_inputs()[0])");
       }},
      {"tflite",
       [](const auto& model, const Target& target) {
         return exports::tflite(model, {.name = target.name});
       },
       [](const auto& file, const auto&) {
         return "python3 -c " +
                shell_word("from ai_edge_litert.interpreter import Interpreter as I; print(I(" +
                           quoted(file) + ").get_input_details())");
       }},
  };
  return kAll;
}

// What a graph of layers leaves to its caller.
void say_scalings(const format::PackedModel& model) {
  if (!model.columns.empty())
    std::cerr << "It takes columns that are scaled already: x = 0.5 + (value - mean) / (8 "
                 "deviation), 0 to 1; espalier inspect --json has means and deviations\n";
  if (model.target)
    std::cerr << std::setprecision(9) << "Its output stands for " << model.target->mean << " + "
              << model.target->deviation << " * output\n";
}

void export_model(const ExportOptions& o) {
  std::error_code none;  // there yet
  require(!std::filesystem::equivalent(o.output, o.model, none), "-o", o.output.string(),
          " is the model itself, and would be overwritten; name another file");
  const auto model = format::read(read_file(o.model, format::kMaxFileBytes), o.model.string());
  const Target target{o.output, o.name.empty() ? o.output.stem().string() : o.name};
  for (const Format& format : formats()) {
    if (o.format != format.name) continue;
    const Bytes bytes = format.write(model, target);
    write_file(o.output, bytes);
    const bool graph = o.format == "onnx" || o.format == "tflite";
    if (!o.say.quiet && graph) say_scalings(model);
    say({{{o.output, std::ssize(bytes)}}, format.next(o.output, model)}, o.say);
  }
}

}  // namespace

void add_export(CLI::App& app) {
  auto o = std::make_shared<ExportOptions>();
  std::vector<std::string> names;
  for (const Format& format : formats()) names.emplace_back(format.name);
  auto* command = app.add_subcommand("export", "Write a model for other programs and machines");
  command->add_option("format", o->format, "What to write")
      ->required()
      ->check(one_of("format", names));
  command->add_option("model", o->model, "An .esp file")->required();
  command->add_option("-o,--output", o->output, "The file to write")->required();
  command->add_option("--name", o->name,
                      "What functions are called after (default: the output's name)");
  add_say_options(*command, o->say);
  command->footer(
      "c99     one file without malloc or libraries, for a microcontroller or any program\n"
      "js      one file for a web page or Node: classify(pixels); of a table classify(columns), "
      "or\n"
      "        predict(columns)\n"
      "onnx    for ONNX Runtime and other engines: float32, or int8 as QuantizeLinear pairs\n"
      "tflite  for LiteRT (TensorFlow Lite), int8\n"
      "c99 and js compute a quantized model's integers: the logits are those of 'espalier run',\n"
      "bit for bit; of a table's model they take columns as they stand in the table, and tell "
      "numbers\n"
      "in its unit. onnx and tflite are rounded by their engines in convolutions and dense layers: "
      "a\n"
      "level may differ now and then (figures: compress/export/EXPORT.md).\n"
      "Examples: espalier export c99 espalier-out/quantized.esp -o digits.c\n"
      "          espalier export onnx espalier-out/baseline.esp -o digits.onnx");
  command->callback([o] { export_model(*o); });
}

}  // namespace espalier::apps
