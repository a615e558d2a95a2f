#include "layers/summary.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include "core/base/text.hpp"

namespace espalier {
namespace {

using Row = std::array<std::string, 4>;

template <class T>
std::string printed(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

// "Conv2d" of "Conv2d(1 -> 12, ...)".
std::string kind_of(const Layer& layer) {
  if (dynamic_cast<const Sequential*>(&layer)) return "Sequential";
  const std::string text = layer.describe();
  return text.substr(0, text.find('('));
}

// Text to the left, numbers to the right.
std::string aligned(const std::vector<Row>& rows) {
  std::array<std::size_t, 4> widths{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  std::string text;
  for (const Row& row : rows) {
    text += pad_right(row[0], widths[0]) + "  " + pad_right(row[1], widths[1]) + "  " +
            pad_left(row[2], widths[2]) + "  " + pad_left(row[3], widths[3]) + '\n';
    if (&row == &rows.front())
      text += std::string(widths[0] + widths[1] + widths[2] + widths[3] + 6, '-') + '\n';
  }
  return text;
}

std::string total_line(const std::string& title, std::int64_t parameters) {
  return pad_right(title, 26) + with_commas(parameters) + " (" + with_commas(4 * parameters) +
         " bytes in float32)\n";
}

}  // namespace

ParameterCount count_parameters(Layer& layer) {
  ParameterCount count;
  layer.visit({.parameter = [&](const auto&,
                                Parameter& p) { count.trainable += p.latent().value().elements(); },
               .state = [&](const auto&, Tensor& s) { count.non_trainable += s.elements(); }});
  return count;
}

std::string summary(Sequential& model, const Shape& input) {
  const auto shapes = model.stage_shapes(input);  // or fails with the layer that does not fit
  std::vector<Row> rows = {{"layer (kind)", "output shape", "parameters", "MACs"},
                           {"input", printed(input), "0", "0"}};
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const auto& [name, layer] = model.layers()[i];
    const std::int64_t macs = layer->macs(shapes[model.input_stage(i)]);
    rows.push_back({name + " (" + kind_of(*layer) + model.wires_text(i) + ')',
                    printed(shapes[i + 1]), with_commas(count_parameters(*layer).total()),
                    with_commas(macs)});
  }
  const ParameterCount count = count_parameters(model);
  return aligned(rows) + '\n' + total_line("total parameters:", count.total()) +
         total_line("trainable parameters:", count.trainable) +
         total_line("non-trainable parameters:", count.non_trainable) +
         pad_right("MACs for one example:", 26) + with_commas(model.macs(input)) + '\n';
}

}  // namespace espalier
