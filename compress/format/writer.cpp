#include "compress/format/writer.hpp"

#include "compress/format/limits.hpp"
#include "compress/format/validate.hpp"
#include "compress/format/weight_coder.hpp"

namespace espalier::format {
namespace {

void text(ByteWriter& out, const std::string& value) {
  out.varint(value.size());
  for (const char c : value) out.u8(static_cast<std::uint8_t>(c));
}

void grid(ByteWriter& out, const ActivationGrid& value) {
  out.f32(value.scale);
  out.u8(static_cast<std::uint8_t>(value.zero_point));
}

void size(ByteWriter& out, std::int64_t value) {
  out.varint(static_cast<std::uint64_t>(value));
}

void record(ByteWriter& out, const PackedLayer& layer) {
  const bool bias = !layer.bias.empty() || !layer.bias_levels.empty();
  out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(layer.kind) | (layer.relu ? 8u : 0u) |
                                   (layer.name.empty() ? 0u : 16u) |
                                   (layer.output.is_float() ? 0u : 32u) | (bias ? 64u : 0u)));
  if (!layer.name.empty()) text(out, layer.name);
  if (!layer.output.is_float()) grid(out, layer.output);
  if (has_window(layer.kind)) {
    const bool strided = layer.stride_h != 1 || layer.stride_w != 1;
    const bool padded = layer.pad_top || layer.pad_left || layer.pad_bottom || layer.pad_right;
    out.u8(static_cast<std::uint8_t>((strided ? 1u : 0u) | (padded ? 2u : 0u)));
    size(out, layer.kernel_h), size(out, layer.kernel_w);
    if (strided) size(out, layer.stride_h), size(out, layer.stride_w);
    if (padded)
      for (auto v : {layer.pad_top, layer.pad_left, layer.pad_bottom, layer.pad_right})
        size(out, v);
  }
  if (!has_weight(layer.kind)) return;
  size(out, layer.weight.shape[0]);
  const bool shared = layer.weight.scales.size() == 1;
  out.u8(static_cast<std::uint8_t>(layer.weight.bits | (shared ? 64 : 0)));
  if (layer.weight.is_float()) return;
  out.varint(static_cast<std::uint64_t>(layer.bias_shift));
  for (auto v : layer.bias_levels) out.varint(zigzag(v));
}

}  // namespace

Bytes write(const PackedModel& model, Coding coding, ErrorKind kind, std::string_view where) {
  validate(model, kind, where);
  const bool normalized = model.input_mean != 0 || model.input_deviation != 1;
  ByteWriter out;
  for (const char c : {'E', 'S', 'P', '\0'}) out.u8(static_cast<std::uint8_t>(c));
  out.u8(static_cast<std::uint8_t>((coding == Coding::kRange ? 1u : 0u) | (normalized ? 2u : 0u) |
                                   (model.input.is_float() ? 0u : 4u) |
                                   (model.labels.empty() ? 0u : 8u)));
  for (auto v : model.input_shape) size(out, v);
  if (normalized) out.f32(model.input_mean), out.f32(model.input_deviation);
  if (!model.input.is_float()) grid(out, model.input);
  if (!model.labels.empty()) {
    out.varint(model.labels.size());
    for (const auto& label : model.labels) text(out, label);
  }
  out.varint(model.layers.size());
  for (const auto& layer : model.layers) record(out, layer);

  const std::size_t records_end = out.bytes().size();
  std::uint64_t weights = 0;
  RangeEncoder coder;
  const auto floats = [&](const std::vector<float>& values, std::size_t columns) {
    if (coding == Coding::kRange)
      encode_floats(coder, values, columns);
    else
      write_floats(out, values);
  };
  for (const auto& layer : model.layers) {
    const auto& weight = layer.weight;
    weights += weight.values.size() + weight.levels.size() + layer.multiplier.size();
    if (has_weight(layer.kind)) {
      const auto rows = static_cast<std::size_t>(weight.shape[0]);
      if (weight.is_float())
        floats(weight.values, weight.values.size() / rows);
      else if (coding == Coding::kRange)
        encode_levels(coder, weight.levels, weight.levels.size() / rows, weight.bits);
      else
        write_levels(out, weight.levels, weight.bits);
    }
    for (const auto* values : {&weight.scales, &layer.bias, &layer.multiplier, &layer.offset})
      if (!values->empty()) floats(*values, values->size());
  }
  if (coding == Coding::kRange) out.raw(coder.finish());
  require(weights <= most_weights(coding == Coding::kRange, out.bytes().size() - records_end), kind,
          where, weights, " weights, nearly all zero, take too few bytes when range-coded (",
          out.bytes().size() - records_end, "); write them plain");
  out.u32(crc32(out.bytes()));
  require(out.bytes().size() <= kMaxFileBytes, kind, where, "the file is over the limit of ",
          kMaxFileBytes, " bytes");
  return out.release();
}

}  // namespace espalier::format
