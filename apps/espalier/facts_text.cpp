#include <algorithm>
#include <ostream>

#include "apps/espalier/layer_facts.hpp"
#include "compress/format/checksum.hpp"
#include "compress/format/writer.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {
namespace {

std::string shape_text(const std::array<std::int64_t, 3>& s) {
  return std::to_string(s[0]) + "x" + std::to_string(s[1]) + "x" + std::to_string(s[2]);
}

std::string labels_text(const format::PackedModel& model, std::int64_t classes) {
  if (model.labels.empty()) return "0 to " + std::to_string(classes - 1) + " (by number)";
  constexpr std::size_t kShown = 12;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(kShown, model.labels.size()); ++i)
    shown.push_back(printable(model.labels[i]));
  if (shown.size() < model.labels.size()) shown.push_back("...");
  return join(shown, ", ");
}

std::string counted(auto value) {
  return with_commas(static_cast<std::int64_t>(value));
}
std::string counted_unless_zero(std::int64_t value) {
  return value ? with_commas(value) : "";
}

std::string layer_table(const ModelFacts& facts, std::size_t width) {
  Column layer{"layer", {"header"}, true}, kind{"kind", {""}, true}, output{"output", {""}},
      bits{"bits", {""}}, sums{"sums", {""}}, weights{"weights", {""}}, zeros{"zeros", {""}},
      bytes{"bytes", {counted(facts.header_bytes)}}, macs{"MACs", {""}};
  for (const auto& l : facts.layers) {
    layer.cells.push_back(printable(l.name));
    kind.cells.push_back(l.kind);
    output.cells.push_back(shape_text(l.output));
    bits.cells.push_back(l.bits ? std::to_string(l.bits) : "");
    sums.cells.push_back(!l.bits ? "" : l.integer ? "int32" : "float");
    weights.cells.push_back(counted_unless_zero(l.weights));
    zeros.cells.push_back(l.weights ? percent(share(l.zeros, l.weights), 1) : "");
    bytes.cells.push_back(counted(l.file_bytes));
    macs.cells.push_back(counted_unless_zero(l.macs));
  }
  layer.cells.push_back("total");
  for (Column* none : {&kind, &output, &bits, &sums}) none->cells.push_back("");
  weights.cells.push_back(counted(facts.weights));
  zeros.cells.push_back(percent(share(facts.zeros, facts.weights), 1));
  bytes.cells.push_back(counted(facts.file_bytes));
  macs.cells.push_back(counted(facts.macs));
  return table({layer, kind, output, bits, sums, weights, zeros, bytes, macs}, width);
}

}  // namespace

void print_facts(std::ostream& out, const std::string& file, std::int64_t file_bytes,
                 const format::PackedModel& model, const ModelFacts& facts, std::size_t width) {
  out << printable(file) << ": " << with_commas(file_bytes) << " bytes, .esp version "
      << format::version_for(model) << "\n"
      << "input   " << shape_text(model.input_shape) << " (H W C), ";
  if (model.input.is_float()) {
    out << "float32";
  } else {
    out << "levels 0..127, one level = " << model.input.scale;
    if (model.input.zero_point) out << ", zero point " << model.input.zero_point;
  }
  if (model.input_mean != 0 || model.input_deviation != 1)
    out << ", of (pixel / 255 - " << model.input_mean << ") / " << model.input_deviation;
  if (!model.columns.empty()) out << ", columns scaled as in training";
  if (!model.column_names.empty()) {
    out << "\ncolumns ";
    for (std::size_t c = 0; c < model.column_names.size(); ++c)
      out << (c ? ", " : "") << printable(model.column_names[c]);
    out << "; they say " << printable(model.label_name);
  }
  const auto& last = facts.layers.back().output;
  if (model.target)
    out << "\noutput  a number, " << model.target->mean << " + " << model.target->deviation
        << " * what the last layer yields";
  else
    out << "\nlabels  " << labels_text(model, last[0] * last[1] * last[2]);
  const char* example = model.columns.empty() ? "an image" : "a row";
  out << "\n\n"
      << layer_table(facts, width) << "\n"
      << with_commas(facts.parameters) << " parameters; as float32 they take "
      << with_commas(facts.dense_float_bytes) << " bytes, "
      << fixed(share(facts.dense_float_bytes, file_bytes), 1) << " times the file\n"
      << "peak activation memory: " << with_commas(facts.peak_activation_bytes) << " bytes "
      << example << " (what is alive at a time)\n"
      << "bits: of a weight as stored (16, 32: float); sums: int32 of levels, or float;\n"
         "zeros: share of the weights that are 0; MACs: multiply-accumulates "
      << example << '\n';
}

}  // namespace espalier::apps
