// What the exporters share: names, numbers, packed weights, the arena, and the two file formats'
// writers, read back here by other hands.
#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <set>

#include "compress/export/arena.hpp"
#include "compress/export/onnx.hpp"
#include "compress/export/protobuf.hpp"
#include "compress/export/text.hpp"
#include "compress/export/tflite.hpp"
#include "compress/export/weight_bits.hpp"
#include "compress/format/wiring.hpp"
#include "tests/compress/export/networks.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::exports;
namespace {

// The levels that WeightBits stands for, as its comment says.
std::vector<std::int8_t> unpacked(const WeightBits& w, std::size_t count) {
  std::size_t at = 0;
  const auto bit = [&] {
    REQUIRE(at / 8 < w.bytes.size());
    const int b = w.bytes[at / 8] >> at % 8 & 1;
    ++at;
    return b;
  };
  const auto rice = [&](int k) {
    std::size_t n = 0;
    while (bit()) ++n;
    n <<= k;
    for (int i = 0; i < k; ++i) n |= static_cast<std::size_t>(bit()) << i;
    return n;
  };
  std::vector<std::int8_t> levels(count, 0);
  for (std::size_t i = rice(w.gap_bits); i < count; i += 1 + rice(w.gap_bits)) {
    const bool negative = bit();
    const int size = 1 + static_cast<int>(rice(w.size_bits));
    levels[i] = static_cast<std::int8_t>(negative ? -size : size);
  }
  CHECK((at + 7) / 8 == w.bytes.size());
  return levels;
}

// A message's fields: number, and an integer's value or the bytes.
struct WireField {
  int number;
  std::uint64_t integer = 0;
  Bytes bytes = {};
};
std::vector<WireField> fields_of(std::span<const std::uint8_t> wire) {
  ByteReader reader(wire, "wire");
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const std::uint8_t byte = reader.u8();
      value |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128) return value;
    }
  };
  std::vector<WireField> fields;
  while (reader.remaining()) {
    const std::uint64_t key = varint();
    WireField field{static_cast<int>(key >> 3)};
    REQUIRE(((key & 7) == 0 || (key & 7) == 2));
    if ((key & 7) == 0) field.integer = varint();
    if ((key & 7) == 2) {
      const auto bytes = reader.take(varint());
      field.bytes.assign(bytes.begin(), bytes.end());
    }
    fields.push_back(field);
  }
  return fields;
}
std::string text_field(const std::vector<WireField>& fields, int number) {
  for (const auto& f : fields)
    if (f.number == number) return {f.bytes.begin(), f.bytes.end()};
  return "";
}

// Objects of a FlatBuffer, every offset of which is checked.
class FlatReader {
 public:
  explicit FlatReader(Bytes bytes) : bytes_(std::move(bytes)) {}
  std::uint32_t u32(std::size_t at) const {
    REQUIRE(at % 4 == 0);
    REQUIRE(at + 4 <= bytes_.size());
    std::uint32_t v = 0;
    std::memcpy(&v, bytes_.data() + at, 4);
    return v;
  }
  std::size_t follow(std::size_t at) const { return at + u32(at); }
  // Where the table's field stands; 0 if it is not there.
  std::size_t field(std::size_t table, std::size_t slot) const {
    const std::size_t own = table - u32(table);
    const std::size_t at = own + 4 + 2 * slot;
    if (at + 2 > own + u16(own)) return 0;
    return u16(at) ? table + u16(at) : 0;
  }
  std::size_t child(std::size_t table, std::size_t slot) const {
    const std::size_t at = field(table, slot);
    REQUIRE(at != 0);
    return follow(at);
  }
  std::string text(std::size_t at) const {
    REQUIRE(at + 4 + u32(at) < bytes_.size());
    const auto* from = reinterpret_cast<const char*>(bytes_.data()) + at + 4;
    return {from, from + u32(at)};
  }
  const Bytes& bytes() const { return bytes_; }

 private:
  std::uint16_t u16(std::size_t at) const {
    REQUIRE(at + 2 <= bytes_.size());
    return static_cast<std::uint16_t>(bytes_[at] | bytes_[at + 1] << 8);
  }
  Bytes bytes_;
};

}  // namespace

TEST_CASE("packed weights come back as they were, and empty ones take a few bits") {
  Rng rng(3, "levels");
  for (const double density : {0.0, 0.003, 0.1, 0.6, 1.0})
    for (const int top : {1, 7, 127}) {
      std::vector<std::int8_t> levels(1000, 0);
      for (auto& v : levels)
        if (rng.uniform() < density)
          v = static_cast<std::int8_t>(
              static_cast<int>(rng.below(static_cast<std::uint64_t>(2 * top + 1))) - top);
      const WeightBits packed = weight_bits(levels);
      CHECK(unpacked(packed, levels.size()) == levels);
      if (density == 0) CHECK(packed.bytes.size() < 3);
      if (density == 0.1 && top == 1) CHECK(packed.bytes.size() < 1000 / 8);
    }
  CHECK(unpacked(weight_bits({}), 0).empty());
}

TEST_CASE("the pixels' formula gives their levels, for every transform that has one") {
  PackedModel model;
  model.input_shape = {1, 1, 1};
  int formulas = 0;
  for (const float mean : {0.0f, 0.1307f, 0.5f})
    for (const float deviation : {1.0f, 0.3081f})
      for (const int zero : {0, 20, 64}) {
        model.input_mean = mean, model.input_deviation = deviation;
        model.input = {zero ? 3.0f / 127 : 1.0f / 127, zero};
        const auto levels = pixel_levels(model);
        const auto [mul, add, shift] = pixel_formula(levels);
        if (shift == 0) continue;
        ++formulas;
        for (std::int32_t p = 0; p < 256; ++p)
          CHECK(std::clamp((p * mul + add) >> shift, 0, 127) ==
                levels[static_cast<std::size_t>(p)]);
      }
  CHECK(formulas >= 16);
  std::array<std::uint8_t, 256> stairs{};  // no straight line
  for (std::size_t p = 0; p < 256; ++p) stairs[p] = p < 128 ? 3 : 90;
  CHECK(pixel_formula(stairs).shift == 0);
}

TEST_CASE("a layer that no other reads is refused: its floats would be taken for the logits") {
  PackedModel model = format::samples::branches(8);
  model.layers[3].output = {}, model.layers[3].relu = false;  // projection
  model.layers[4].from = 2;  // the sum reads what was before, twice
  CHECK_THROWS_WITH_AS(network_of(model), doctest::Contains("is read by no other layer"), Error);
}

TEST_CASE("no layer writes over what is still to be read, but in place") {
  int copies = 0, branches = 0;
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    CAPTURE(seed);
    const PackedModel model = random_integers(seed);
    const Network network = network_of(model);
    const Arena arena = arena_of(network);
    const auto last = format::last_readers(model);
    // Of the stages: where they lie, or nothing if they are not stored.
    std::vector<std::int64_t> begin(last.size()), size(last.size());
    begin[0] = arena.image, size[0] = elements(model.input_shape);
    for (const Move& m : arena.moves) {
      const auto layer = static_cast<std::size_t>(m.step - network.steps.data());
      const std::size_t end = layer + 1 + (m.pool != nullptr);
      CHECK(m.from == begin[m.step->input]);
      const bool adds = m.step->layer->kind == LayerKind::kResidual;
      if (adds) CHECK(m.other == begin[m.step->other]);
      copies += m.copies(), branches += adds;
      if (m.step->is_logits()) continue;
      begin[end] = m.to, size[end] = elements(m.out());
      CHECK(m.to >= 0);
      CHECK(m.to + size[end] <= arena.elements);
      for (std::size_t s = 0; s < end; ++s) {
        const bool apart = begin[s] + size[s] <= m.to || m.to + size[end] <= begin[s];
        const bool in_place = s == m.step->input && m.from == m.to && last[s] == layer &&
                              m.step->layer->kind != LayerKind::kConv2d;
        if (last[s] >= layer && size[s] > 0) CHECK((apart || in_place));
      }
    }
  }
  CHECK(copies > 5);
  CHECK(branches > 30);
}

TEST_CASE("texts: names, numbers and literals of C and JavaScript") {
  CHECK(identifier("conv-1", "x") == "conv_1");
  CHECK(identifier("3x3", "x") == "_3x3");
  CHECK(identifier("*/ ", "x") == "x");
  CHECK(decimal(0.1f) == "0.1");
  CHECK(decimal(3) == "3.0");
  for (const float v : {1.1754944e-38f, 3.4028235e38f, 0.33333334f, 1.0f / 127, 16777217.0f, 0.0f})
    CHECK(static_cast<float>(std::stod(decimal(v))) == v);
  CHECK(c_literal("a\"\\?\n@\xc3\xa9") == "\"a\\042\\134\\077\\012\\100\\303\\251\"");
  CHECK(js_literal("<\xc3\xa9\xf0\x9f\x98\x80\xff") == "\"\\u003c\\u00e9\\ud83d\\ude00\\u00ff\"");
  CHECK(comment("a */ b\n@") == "a ?? b??");
  CHECK(lines_of({"1", "2"}, "  ") == "  1, 2\n");
}

TEST_CASE("protobuf: the encodings of its documentation") {
  CHECK(Message().integer(1, 150).wire() == Bytes{0x08, 0x96, 0x01});
  CHECK(Message().integer(1, -2).wire() ==
        Bytes{0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01});
  CHECK(Message().text(2, "testing").wire() == Bytes{0x12, 7, 't', 'e', 's', 't', 'i', 'n', 'g'});
  CHECK(Message().message(3, Message().integer(1, 150)).wire() == Bytes{0x1a, 3, 0x08, 0x96, 0x01});
}

TEST_CASE("ONNX: the graph's nodes and constants") {
  const PackedModel model = format::samples::network(4, 0.5);
  const auto file = fields_of(onnx(model));
  std::vector<std::string> types;
  std::map<std::string, std::vector<WireField>> constants;
  std::map<std::string, std::string> metadata;
  for (const auto& part : file) {
    if (part.number == 14) {
      const auto entry = fields_of(part.bytes);
      metadata[text_field(entry, 1)] = text_field(entry, 2);
    }
    if (part.number != 7) continue;
    for (const auto& f : fields_of(part.bytes)) {
      if (f.number == 1) types.push_back(text_field(fields_of(f.bytes), 4));
      if (f.number == 5) constants[text_field(fields_of(f.bytes), 8)] = fields_of(f.bytes);
    }
  }
  CHECK(std::ranges::count(types, "Conv") == 1);
  CHECK(std::ranges::count(types, "Gemm") == 1);
  CHECK(std::ranges::count(types, "MaxPool") == 1);
  CHECK(std::ranges::count(types, "AveragePool") == 1);
  CHECK(std::ranges::count(types, "QuantizeLinear") == 4);  // image, conv, average pool, norm
  CHECK(std::ranges::count(types, "Clip") == 4);
  CHECK(std::ranges::count(types, "Round") == 2);  // average pool, norm
  CHECK(metadata["labels"] == "[\"zero\", \"\", \"two\"]");
  CHECK(metadata["input"].find("(pixel / 255 - 0.13) / 0.31,") != std::string::npos);
  // [O KH KW I] became [O I KH KW].
  const auto& weight = constants.at("conv1/weight/levels");
  std::vector<std::uint64_t> dims;
  for (const auto& f : weight)
    if (f.number == 1) dims.push_back(f.integer);
  CHECK(dims == std::vector<std::uint64_t>{5, 2, 3, 2});
  const std::string raw = text_field(weight, 9);
  const auto& levels = model.layers.front().weight.levels;
  REQUIRE(raw.size() == levels.size());
  for (std::size_t o = 0; o < 5; ++o)
    for (std::size_t c = 0; c < 2; ++c)
      for (std::size_t p = 0; p < 6; ++p)
        CHECK(raw[(o * 2 + c) * 6 + p] == static_cast<char>(levels[(o * 6 + p) * 2 + c]));
}

TEST_CASE("ONNX and .tflite: no two values share a name, whatever the layers are called") {
  PackedModel model = format::samples::network(4, 0.5);
  const auto called = [&](const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < model.layers.size(); ++i) model.layers[i].name = names[i];
  };
  const auto unique = [&] {
    std::set<std::string> known = {"image"};
    for (const auto& part : fields_of(onnx(model))) {
      if (part.number != 7) continue;
      const auto graph = fields_of(part.bytes);
      for (const auto& f : graph)
        if (f.number == 5) {
          const std::string name = text_field(fields_of(f.bytes), 8);
          CHECK_MESSAGE(known.insert(name).second, name);
        }
      for (const auto& f : graph) {
        if (f.number != 1) continue;
        const auto node = fields_of(f.bytes);
        for (const auto& input : node)
          if (input.number == 1) CHECK(known.contains({input.bytes.begin(), input.bytes.end()}));
        CHECK_MESSAGE(known.insert(text_field(node, 2)).second, text_field(node, 2));
      }
    }
    CHECK(known.contains("logits"));
    std::set<std::string> tensors;
    const FlatReader file(tflite(model));
    const std::size_t graph = file.follow(file.child(file.follow(0), 2) + 4);
    const std::size_t list = file.child(graph, 0);
    for (std::uint32_t i = 0; i < file.u32(list); ++i) {
      const std::string name = file.text(file.child(file.follow(list + 4 + 4 * i), 3));
      CHECK_MESSAGE(tensors.insert(name).second, name);
    }
  };
  called({"logits", "image", "pixel", "logits_2", "image/levels", "image_levels", "logits"});
  unique();
  called({"conv", "conv_weight", "conv_weight_levels", "conv_bias", "conv_reals", "conv", "conv"});
  unique();
  called({"conv/weight", "", "max_pool2", "conv_reals_flat", "", "", "conv"});
  unique();
}

TEST_CASE(".tflite: every offset leads to its object, every constant to its bytes") {
  const PackedModel model = format::samples::network(4, 0.5);
  const FlatReader file(tflite(model, {.name = "net"}));
  CHECK(std::string(file.bytes().begin() + 4, file.bytes().begin() + 8) == "TFL3");
  const std::size_t root = file.follow(0);
  CHECK(file.u32(file.field(root, 0)) == 3);
  CHECK(file.text(file.child(root, 3)).find("\"labels\": [\"zero\"") != std::string::npos);
  const std::size_t buffers = file.child(root, 4), graphs = file.child(root, 2);
  REQUIRE(file.u32(graphs) == 1);
  const std::size_t graph = file.follow(graphs + 4);
  CHECK(file.text(file.child(graph, 4)) == "net");
  const std::size_t tensors = file.child(graph, 0), operators = file.child(graph, 3);
  std::uint32_t constants = 0;
  for (std::uint32_t i = 0; i < file.u32(tensors); ++i) {
    const std::size_t tensor = file.follow(tensors + 4 + 4 * i), shape = file.child(tensor, 0);
    std::uint32_t count = 1;
    for (std::uint32_t d = 0; d < file.u32(shape); ++d) count *= file.u32(shape + 4 + 4 * d);
    const std::uint32_t buffer = file.u32(file.field(tensor, 2));
    REQUIRE(buffer < file.u32(buffers));
    if (buffer == 0) continue;
    ++constants;
    const std::size_t data = file.child(file.follow(buffers + 4 + 4 * buffer), 0);
    CHECK((data + 4) % 16 == 0);
    const bool bytes = (file.u32(file.field(tensor, 1)) & 255) == 9;
    CHECK(file.u32(data) == count * (bytes ? 1 : 4));
    if (file.text(file.child(tensor, 3)) == "conv1/weight") {
      const auto& levels = model.layers.front().weight.levels;
      CHECK(std::memcmp(file.bytes().data() + data + 4, levels.data(), levels.size()) == 0);
    }
  }
  CHECK(constants == file.u32(buffers) - 1);
  for (std::uint32_t i = 0; i < file.u32(operators); ++i) {
    const std::size_t op = file.follow(operators + 4 + 4 * i);
    for (const std::size_t slot : {1u, 2u}) {
      const std::size_t list = file.child(op, slot);
      for (std::uint32_t k = 0; k < file.u32(list); ++k)
        CHECK(file.u32(list + 4 + 4 * k) < file.u32(tensors));
    }
  }
}

TEST_CASE(".tflite refuses the padding that it cannot say") {
  PackedModel model = format::samples::network(4, 0.5);
  std::swap(model.layers[2].pad_top, model.layers[2].pad_bottom);
  CHECK_THROWS_WITH_AS(tflite(model), doctest::Contains("\"padding\": \"same\""), Error);
}
