#include "compress/format/reader.hpp"

#include <algorithm>
#include <optional>

#include "compress/format/limits.hpp"
#include "compress/format/validate.hpp"
#include "compress/format/weight_coder.hpp"
#include "compress/format/writer.hpp"

namespace espalier::format {
namespace {

std::int64_t size(ByteReader& in, std::uint64_t limit) {
  const auto value = in.varint();
  in.check(value <= limit, "a declared size of ", value, " is over the limit of ", limit);
  return static_cast<std::int64_t>(value);
}

std::string text(ByteReader& in) {
  const auto bytes = in.take(static_cast<std::size_t>(size(in, kMaxTextBytes)));
  return {bytes.begin(), bytes.end()};
}

ActivationGrid grid(ByteReader& in) {
  ActivationGrid value;
  value.scale = in.f32();
  value.zero_point = in.u8();
  in.check(value.scale > 0, "an activation scale is not positive");
  return value;
}

// Weights are counted, and checked against the bytes that are left, before any is allocated.
struct WeightCount {
  bool range_coded;
  std::uint64_t total = 0;
  void check(const ByteReader& in) const {
    const auto most = most_weights(range_coded, in.remaining());
    in.check(total <= most, total, " weights or more are declared; the limit is ", kMaxWeights,
             ", and the ", in.remaining(), " bytes that follow hold at most ", most);
  }
  void add(const ByteReader& in, std::uint64_t count) {
    total += count;
    check(in);
  }
};

// Reads the record and sizes the layer's vectors; `shape` and `weights` move on.
PackedLayer record(ByteReader& in, std::array<std::int64_t, 3>& shape, WeightCount& weights) {
  PackedLayer layer;
  const unsigned flags = in.u8();
  in.check((flags & 7) <= 6 && flags < 128, "unknown layer kind or flag ", flags);
  layer.kind = static_cast<LayerKind>(flags & 7);
  layer.relu = flags & 8;
  if (flags & 16) layer.name = text(in);
  if (flags & 32) layer.output = grid(in);
  if (has_window(layer.kind)) {
    const unsigned window = in.u8();
    in.check(window < 4, "unknown window flag ", window);
    layer.kernel_h = size(in, kMaxWindow), layer.kernel_w = size(in, kMaxWindow);
    if (window & 1) layer.stride_h = size(in, kMaxWindow), layer.stride_w = size(in, kMaxWindow);
    if (window & 2)
      for (auto* v : {&layer.pad_top, &layer.pad_left, &layer.pad_bottom, &layer.pad_right})
        *v = size(in, kMaxWindow);
  }
  const auto input = shape;
  const auto channels = has_weight(layer.kind) ? size(in, kMaxDimension) : input[2];
  shape = output_shape(layer, channels, input, ErrorKind::kCorrupt, in.name());
  const auto c = static_cast<std::size_t>(channels);
  if (layer.kind == LayerKind::kBatchNorm) {
    weights.add(in, c);
    layer.multiplier.resize(c), layer.offset.resize(c);
  }
  in.check(has_weight(layer.kind) || !(flags & 64), "a bias without weights");
  if (!has_weight(layer.kind)) return layer;

  auto& weight = layer.weight;
  const unsigned bits = in.u8();
  weight.bits = static_cast<std::int32_t>(bits & 63);
  in.check(bits < 128 && (bits == 32 || (weight.bits >= 2 && weight.bits <= 8)), "bits ", bits);
  weight.shape =
      layer.kind == LayerKind::kDense
          ? std::vector<std::int64_t>{channels, input[2]}
          : std::vector<std::int64_t>{channels, layer.kernel_h, layer.kernel_w, input[2]};
  std::uint64_t count = 1;
  for (auto v : weight.shape) {
    count *= static_cast<std::uint64_t>(v);  // at most 2^26 * 2^26
    in.check(count <= kMaxWeights, "a layer declares more than ", kMaxWeights, " weights");
  }
  weights.add(in, count);
  if (weight.is_float()) {
    weight.values.resize(count);
    if (flags & 64) layer.bias.resize(c);
    return layer;
  }
  weight.levels.resize(count);
  weight.scales.resize(bits & 64 ? 1 : c);
  layer.bias_shift = static_cast<std::int32_t>(size(in, kMaxBiasShift));
  if (!(flags & 64)) return layer;
  in.check(in.remaining() >= c, "the bias is cut off");
  for (std::size_t i = 0; i < c; ++i) {
    const auto value = in.varint();
    in.check(value <= 0xFFFFFFFFull, "a bias level over 32 bits");
    layer.bias_levels.push_back(static_cast<std::int32_t>(unzigzag(value)));
  }
  return layer;
}

}  // namespace

PackedModel read(std::span<const std::uint8_t> bytes, std::string name) {
  require(bytes.size() >= 9 && bytes.size() <= kMaxFileBytes, ErrorKind::kCorrupt, name,
          bytes.size(), " bytes are no .esp file");
  const auto body = bytes.first(bytes.size() - 4);
  ByteReader in(body, name);
  const auto magic = in.take(4);
  in.check(magic[0] == 'E' && magic[1] == 'S' && magic[2] == 'P', "not an .esp file");
  in.check(magic[3] == 0, "version ", int{magic[3]}, "; this program reads version 0");
  in.check(ByteReader(bytes.last(4), name).u32() == crc32(body), "the checksum does not fit");
  const unsigned flags = in.u8();
  in.check(flags < 16, "unknown flags ", flags);
  PackedModel model;
  for (auto& v : model.input_shape) {
    v = size(in, kMaxDimension);
    in.check(v > 0, "an input size of 0");
  }
  if (flags & 2) model.input_mean = in.f32(), model.input_deviation = in.f32();
  if (flags & 4) model.input = grid(in);
  if (flags & 8)
    for (auto left = size(in, kMaxLabels); left > 0; --left) model.labels.push_back(text(in));
  auto shape = model.input_shape;
  const auto limit = static_cast<std::int64_t>(kMaxActivations);
  in.check(shape[0] * shape[1] <= limit && shape[0] * shape[1] * shape[2] <= limit,
           "the input is over the limit");
  WeightCount weights{.range_coded = (flags & 1) != 0};
  for (auto left = size(in, kMaxLayers); left > 0; --left)
    model.layers.push_back(record(in, shape, weights));
  weights.check(in);

  std::optional<RangeDecoder> coder;
  if (flags & 1) coder.emplace(in.take(in.remaining()));
  const auto floats = [&](std::vector<float>& values, std::size_t columns) {
    if (coder)
      decode_floats(*coder, values, columns);
    else
      read_floats(in, values);
  };
  for (auto& layer : model.layers) {
    auto& weight = layer.weight;
    if (has_weight(layer.kind)) {
      const auto rows = static_cast<std::size_t>(weight.shape[0]);
      if (weight.is_float())
        floats(weight.values, weight.values.size() / rows);
      else if (coder)
        decode_levels(*coder, weight.levels, weight.levels.size() / rows, weight.bits);
      else
        read_levels(in, weight.levels, weight.bits);
    }
    for (auto* values : {&weight.scales, &layer.bias, &layer.multiplier, &layer.offset})
      if (!values->empty()) floats(*values, values->size());
  }
  in.check(in.remaining() == 0 && (!coder || coder->at_end()), "bytes are left over");
  // One model, one file: a flag that only repeats a default or another end of the stream would be a
  // second spelling. Writing again, which validates, is the rule that leaves none out.
  const auto coding = coder ? Coding::kRange : Coding::kPlain;
  in.check(std::ranges::equal(write(model, coding, ErrorKind::kCorrupt, name), bytes),
           "not in its one canonical form; pack the model again");
  return model;
}

}  // namespace espalier::format
