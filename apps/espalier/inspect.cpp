// espalier inspect MODEL.esp: what a file holds and costs.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "apps/common/words.hpp"
#include "apps/espalier/commands.hpp"
#include "apps/espalier/draw.hpp"
#include "apps/espalier/facts_json.hpp"
#include "apps/espalier/plan_table.hpp"
#include "apps/espalier/prepare_image.hpp"
#include "apps/espalier/trace.hpp"
#include "compress/format/limits.hpp"
#include "compress/format/reader.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/file.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "datasets/resize.hpp"
#include "datasets/synthetic_digits.hpp"

namespace espalier::apps {
namespace {

using nlohmann::json;

struct InspectOptions {
  std::filesystem::path model;
  bool json = false, trace = false, invert = false, plan = false;
  bool quiet = false;  // as everywhere, though nothing here takes long enough for progress
  std::string kernels = "timed";
  std::int64_t batch = 1;
  std::optional<std::string> image;
  TraceOptions neuron;
};

// The picture asked for, else a synthetic digit, resized where the model wants another shape.
PreparedImage image_for(const InspectOptions& options, const format::PackedModel& model) {
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
  require(!options.image || options.trace || options.plan, "--image",
          "is for --trace or --plan; give one of them");
  const Bytes bytes = read_file(options.model, format::kMaxFileBytes);
  const auto file_bytes = std::ssize(bytes);
  const auto model = runtime::Model(format::read(bytes, options.model.string()));
  const auto& packed = model.packed();
  const ModelFacts facts = count_facts(packed, format::coding_of(bytes));
  json report = facts_json(options.model.string(), file_bytes, packed, facts);
  std::optional<PreparedImage> image;
  std::optional<Trace> trace;
  if (options.trace || options.plan) image = image_for(options, packed);
  if (options.trace)  // first, so that an error stands alone
    trace = trace_unit(packed, image->image, options.neuron);
  if (!options.json)
    print_facts(std::cout, options.model.string(), file_bytes, packed, facts,
                terminal_width(STDOUT_FILENO));
  if (trace) {
    const PreparedImage& prepared = *image;
    if (options.json) {
      report["trace"] = trace_json(*trace);
    } else {
      std::cout << "\nThe image (" << printable(prepared.changes) << "):\n"
                << (prepared.image.shape()[1] <= 64 ? draw(prepared.image, utf8_locale()) : "")
                << "\n";
      print_trace(std::cout, *trace);
    }
  }
  if (options.plan) {
    constexpr int kRuns = 101;
    // With a model of its own, as in a program that runs one.
    runtime::Session session(runtime::Model(packed),
                             {.batch = options.batch, .kernels = kernels_named(options.kernels)});
    const Shape& s = image->image.shape();
    const auto steps = session.plan(kRuns, 1, image->image.reshaped({1, s[0], s[1], s[2]}));
    const auto batch = std::min(options.batch, runtime::Session::kChunk);
    if (options.json)
      report["plan"] = plan_json(packed, steps, batch);
    else
      print_plan(std::cout << "\n", packed, steps, batch, terminal_width(STDOUT_FILENO));
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
  command->add_flag("-q,--quiet", o->quiet, "No progress");
  auto* trace =
      command->add_flag("--trace", o->trace, "Follow one neuron's integer arithmetic on one image");
  auto* image = command->add_option(
      "--image", o->image,
      "Picture for --trace and --plan, whose times depend on its zeros (default: a synthetic 7)");
  command->add_flag("--invert", o->invert, "Turn the picture's light and dark round")->needs(image);
  command
      ->add_option("--layer", o->neuron.layer,
                   "Layer for --trace, by name or number from 1 (default: the first of integers)")
      ->needs(trace);
  command
      ->add_option("--unit", o->neuron.unit,
                   "Output channel or neuron for --trace, from 0 (default: the most active)")
      ->needs(trace);
  auto* plan = command->add_flag(
      "--plan", o->plan, "Which kernel runs which layers on this machine, timed step by step");
  command
      ->add_option(
          "--kernels", o->kernels,
          "For --plan: timed (the fastest of all that fit), fixed (by rule, as the other "
          "commands choose), lean (one image with the least memory); or one wherever it fits: "
          "onednn, blocks (of 16 x 4 weights), scattered (single weights), rows (dense layers, "
          "whose weights it does not copy), planes (convolutions of stride 1, single weights), "
          "active (inputs that are not 0), depthwise (convolutions)")
      ->check(one_of("kernels", kernel_words()))
      ->capture_default_str()
      ->needs(plan);
  command->add_option("--batch", o->batch, "For --plan: images a run, in chunks of 16")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str()
      ->needs(plan);
  command->footer(
      "Examples: espalier inspect espalier-out/quantized.esp\n"
      "          espalier inspect espalier-out/quantized.esp --plan --batch 16\n"
      "          espalier inspect espalier-out/quantized.esp --trace --layer dense --unit 7");
  command->callback([o] { inspect(*o); });
}

}  // namespace espalier::apps
