#include "apps/espalier/plan_table.hpp"

#include <array>
#include <ostream>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::apps {
namespace {

using runtime::Kernels;
using runtime::PlannedStep;

const std::array<std::pair<const char*, Kernels>, 10> kWords{{{"fixed", Kernels::kFixed},
                                                              {"lean", Kernels::kLean},
                                                              {"timed", Kernels::kTimed},
                                                              {"onednn", Kernels::kOneDnn},
                                                              {"blocks", Kernels::kBlocks},
                                                              {"scattered", Kernels::kScattered},
                                                              {"rows", Kernels::kRows},
                                                              {"planes", Kernels::kPlanes},
                                                              {"active", Kernels::kActive},
                                                              {"depthwise", Kernels::kDepthwise}}};

// "conv1 + pool1"; layers without a name by their number.
std::string layers_text(const format::PackedModel& model, const PlannedStep& step) {
  if (step.layers == 0) return "input";
  std::vector<std::string> names;
  for (std::size_t i = step.first; i < step.first + step.layers; ++i)
    names.push_back(model.layers[i].name.empty() ? std::to_string(i + 1) : model.layers[i].name);
  return join(names, " + ");
}

std::string unless_zero(std::int64_t value) {
  return value ? with_commas(value) : "";
}

}  // namespace

std::vector<std::string> kernel_words() {
  std::vector<std::string> words;
  for (const auto& [word, kernels] : kWords) words.emplace_back(word);
  return words;
}

Kernels kernels_named(const std::string& word) {
  for (const auto& [name, kernels] : kWords)
    if (word == name) return kernels;
  fail(ErrorKind::kUsage, "--kernels", "wants one of ", join(kernel_words(), ", "), ", got '", word,
       "'");
}

void print_plan(std::ostream& out, const format::PackedModel& model,
                const std::vector<PlannedStep>& steps, std::int64_t batch, std::size_t width) {
  Column layers{"layers", {}, true}, kernel{"kernel", {}, true}, us{"us"}, macs{"MACs"},
      skipped{"skipped"}, bytes{"bytes"};
  double total = 0;
  for (const PlannedStep& step : steps) {
    layers.cells.push_back(printable(layers_text(model, step)));
    kernel.cells.emplace_back(step.kernel);
    us.cells.push_back(fixed(step.us, 2));
    macs.cells.push_back(unless_zero(step.macs));
    skipped.cells.push_back(unless_zero(step.skipped));
    bytes.cells.push_back(with_commas(step.bytes));
    total += step.us;
  }
  const std::string example = model.columns.empty() ? "image" : "row";
  out << table({layers, kernel, us, macs, skipped, bytes}, width) << with_commas(batch) << ' '
      << example << (batch == 1 ? ", " : "s, ") << fixed(total, 2)
      << " us, one thread; our kernels use: " << name_of(vector_isa()) << "\n"
      << "us: median; MACs: multiplied, zeros inside of blocks and slots included;\n"
         "skipped: of the layer's, not multiplied; bytes: of weights as the kernel reads them,\n"
         "activations read and written. active: inputs that are not 0 alone where they are few,\n"
         "else all: MACs are then those, bytes its own; its time depends on the picture "
         "(--image)\n";
}

nlohmann::json plan_json(const format::PackedModel& model, const std::vector<PlannedStep>& steps,
                         std::int64_t batch) {
  auto rows = nlohmann::json::array();
  for (const PlannedStep& step : steps)
    rows.push_back({{"layers", layers_text(model, step)},
                    {"kernel", step.kernel},
                    {"us", step.us},
                    {"macs", step.macs},
                    {"skipped", step.skipped},
                    {"bytes", step.bytes}});
  return {{"batch", batch}, {"isa", name_of(vector_isa())}, {"steps", rows}};
}

}  // namespace espalier::apps
