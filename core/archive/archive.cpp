#include "core/archive/archive.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <nlohmann/json.hpp>

#include "core/base/file.hpp"
#include "core/base/half.hpp"

namespace espalier {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMaxHeaderBytes = 16u << 20;
constexpr int kMaxNesting = 4;  // header, tensor, shape
constexpr std::array<std::string_view, 4> kDTypeNames = {"F32", "I32", "I8",
                                                         "U8"};  // as DType counts
// What others write and we widen, or narrow, as it is read.
struct Foreign {
  std::string_view name;
  std::size_t bytes;
  DType becomes;
};
constexpr std::array<Foreign, 3> kForeign = {
    {{"F16", 2, DType::kFloat32}, {"BF16", 2, DType::kFloat32}, {"I64", 8, DType::kInt32}}};

const void* data_of(const Tensor& t) {
  switch (t.dtype()) {
    case DType::kFloat32:
      return t.data<float>();
    case DType::kInt32:
      return t.data<std::int32_t>();
    case DType::kInt8:
      return t.data<std::int8_t>();
    case DType::kUint8:
      return t.data<std::uint8_t>();
  }
  return nullptr;
}

struct Entry {
  std::string name;
  Shape shape;
  DType dtype;
  const Foreign* foreign;    // null: the file holds dtype itself
  std::uint64_t begin, end;  // bytes after the header
};

Entry parse_entry(const std::string& file, const std::string& name, const Json& json) {
  const auto check = [&](bool ok, const auto&... parts) {
    require(ok, ErrorKind::kCorrupt, file, "tensor ", name, ": ", parts...);
  };
  check(json.is_object() && json.contains("dtype") && json["dtype"].is_string() &&
            json.contains("shape") && json["shape"].is_array() && json.contains("data_offsets") &&
            json["data_offsets"].is_array() && json["data_offsets"].size() == 2,
        "wants dtype, shape and two data_offsets");
  const auto word = json["dtype"].get<std::string>();
  const auto dtype = std::ranges::find(kDTypeNames, word);
  const auto foreign = std::ranges::find(kForeign, word, &Foreign::name);
  check(dtype != kDTypeNames.end() || foreign != kForeign.end(),
        "unknown dtype; known: F32 F16 BF16 I64 I32 I8 U8");
  std::vector<std::int64_t> sizes;
  for (const Json& size : json["shape"]) {
    check(size.is_number_unsigned() && size.get<std::uint64_t>() <= (std::uint64_t{1} << 40),
          "a size is no whole number up to 2^40");
    sizes.push_back(size.get<std::int64_t>());
  }
  for (const Json& offset : json["data_offsets"])
    check(offset.is_number_unsigned(), "an offset is no whole number from 0");
  Entry entry{name,
              {},
              foreign != kForeign.end() ? foreign->becomes
                                        : static_cast<DType>(dtype - kDTypeNames.begin()),
              foreign != kForeign.end() ? &*foreign : nullptr,
              json["data_offsets"][0].get<std::uint64_t>(),
              json["data_offsets"][1].get<std::uint64_t>()};
  try {
    entry.shape = Shape(std::span<const std::int64_t>(sizes));
  } catch (const Error& error) {
    check(false, error.what());
  }
  const std::uint64_t wanted = static_cast<std::uint64_t>(entry.shape.elements()) *
                               (entry.foreign ? entry.foreign->bytes : size_bytes(entry.dtype));
  check(entry.begin <= entry.end && entry.end - entry.begin == wanted, "has offsets ", entry.begin,
        " to ", entry.end, ", its shape wants ", wanted, " bytes");
  return entry;
}

// `data` has exactly as many bytes as the tensor wants; little-endian.
void fill(Tensor& tensor, const Entry& entry, std::span<const std::uint8_t> data,
          const std::string& file) {
  const std::size_t bytes = entry.foreign->bytes;
  const auto at = [&](std::size_t i) {
    std::uint64_t v = 0;
    for (std::size_t b = bytes; b-- > 0;) v = v << 8 | data[i * bytes + b];
    return v;
  };
  if (entry.dtype == DType::kInt32) {
    const auto values = tensor.mutable_values<std::int32_t>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto wide = static_cast<std::int64_t>(at(i));
      values[i] = static_cast<std::int32_t>(wide);
      require(values[i] == wide, ErrorKind::kCorrupt, file, "tensor ", entry.name, ": holds ", wide,
              ", beyond what 32 bits hold");
    }
    return;
  }
  const bool brain = entry.foreign->name == "BF16";  // the upper half of a float32
  const auto values = tensor.mutable_values();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto half = static_cast<std::uint16_t>(at(i));
    values[i] = brain ? std::bit_cast<float>(std::uint32_t{half} << 16) : from_half(half);
  }
}

}  // namespace

std::span<const std::uint8_t> bytes_of(const Tensor& t) {
  return {static_cast<const std::uint8_t*>(data_of(t)), t.bytes()};
}

Bytes encode_archive(const Archive& archive) {
  Json header = Json::object();
  if (!archive.metadata.empty()) header["__metadata__"] = archive.metadata;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : archive.tensors) {
    const auto sizes = tensor.shape().sizes();
    header[name] = {{"dtype", kDTypeNames[static_cast<std::size_t>(tensor.dtype())]},
                    {"shape", std::vector<std::int64_t>(sizes.begin(), sizes.end())},
                    {"data_offsets", {offset, offset + tensor.bytes()}}};
    offset += tensor.bytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // tensors begin at a multiple of 8 bytes
  ByteWriter out;
  out.u32(static_cast<std::uint32_t>(text.size()));
  out.u32(0);
  out.raw({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  for (const auto& [name, tensor] : archive.tensors)
    if (tensor.bytes() > 0) out.raw(bytes_of(tensor));
  return out.release();
}

Archive decode_archive(std::span<const std::uint8_t> bytes, const std::string& name) {
  ByteReader in(bytes, name);
  const std::uint64_t low = in.u32(), high = in.u32(), header_bytes = low | high << 32;
  in.check(header_bytes <= kMaxHeaderBytes || !name.ends_with(".esp"),
           "is named as a finished model, and a .safetensors file is wanted; espalier train writes "
           "them (--weights, --checkpoint)");
  in.check(header_bytes <= kMaxHeaderBytes, "no .safetensors file: its header would have ",
           header_bytes, " bytes, more than ", kMaxHeaderBytes,
           "; espalier train writes them (--weights, --checkpoint)");
  const auto text = in.take(static_cast<std::size_t>(header_bytes));
  // Deep nesting would overflow the stack of whatever walks the values.
  const auto shallow = [&](int depth, Json::parse_event_t, Json&) {
    in.check(depth <= kMaxNesting, "the header is nested deeper than ", kMaxNesting, " levels");
    return true;
  };
  const Json header = Json::parse(text.begin(), text.end(), shallow, /*allow_exceptions=*/false);
  in.check(header.is_object(), "the header is no JSON object");

  Archive archive;
  std::vector<Entry> entries;
  for (const auto& [key, value] : header.items()) {
    if (key != "__metadata__") {
      entries.push_back(parse_entry(name, key, value));
      continue;
    }
    in.check(value.is_object(), "__metadata__ is no JSON object");
    for (const auto& [k, v] : value.items()) {
      in.check(v.is_string(), "metadata ", k, " is no string");
      archive.metadata[k] = v.get<std::string>();
    }
  }
  // In the order of their bytes each tensor begins where the last one ended: no hole, no overlap.
  std::ranges::sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
  std::uint64_t expected = 0;
  for (const Entry& entry : entries) {
    in.check(entry.begin == expected, "tensor ", entry.name, " begins at ", entry.begin,
             ", not at ", expected);
    expected = entry.end;
    const auto data = in.take(static_cast<std::size_t>(entry.end - entry.begin));
    Tensor tensor(entry.shape, entry.dtype);
    if (entry.foreign)
      fill(tensor, entry, data, name);
    else if (!data.empty())
      std::memcpy(const_cast<void*>(data_of(tensor)), data.data(), data.size());
    archive.tensors[entry.name] = tensor;
  }
  in.check(in.remaining() == 0, in.remaining(), " bytes follow the last tensor");
  return archive;
}

void save_archive(const Archive& archive, const std::filesystem::path& path) {
  write_file(path, encode_archive(archive));
}

Archive load_archive(const std::filesystem::path& path) {
  return decode_archive(read_file(path), path.string());
}

}  // namespace espalier
