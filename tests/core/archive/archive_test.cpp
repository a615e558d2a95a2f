#include <doctest/doctest.h>

#include "core/archive/archive.hpp"

using namespace espalier;
namespace {

Archive sample() {
  Archive a;
  a.tensors["conv1.weight"] = Tensor::from({2, 2}, {1, -2, 3.5f, 0});
  a.tensors["mask"] = Tensor::from<std::uint8_t>({3}, std::vector<std::uint8_t>{1, 0, 1});
  a.tensors["scalar"] = Tensor::full({}, 7);
  a.metadata["model"] = "{\"layers\": []}";
  return a;
}

Bytes with_header(std::string header, std::size_t data_bytes) {
  ByteWriter out;
  out.u32(static_cast<std::uint32_t>(header.size()));
  out.u32(0);
  for (char c : header) out.u8(static_cast<std::uint8_t>(c));
  for (std::size_t i = 0; i < data_bytes; ++i) out.u8(0);
  return out.release();
}

ErrorKind kind_of(const Bytes& bytes) {
  try {
    decode_archive(bytes, "a.safetensors");
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;  // it was accepted
}

}  // namespace

TEST_CASE("an archive reads back as it was written") {
  const Archive b = decode_archive(encode_archive(sample()), "a");
  REQUIRE(b.tensors.size() == 3);
  CHECK(b.tensors.at("conv1.weight").shape() == Shape{2, 2});
  CHECK(b.tensors.at("conv1.weight").values()[2] == 3.5f);
  CHECK(b.tensors.at("mask").values<std::uint8_t>()[1] == 0);
  CHECK(b.tensors.at("scalar").item() == 7);
  CHECK(b.metadata == sample().metadata);
}

TEST_CASE("every prefix of an archive is corrupt, and so is a longer file") {
  Bytes bytes = encode_archive(sample());
  for (std::size_t n = 0; n < bytes.size(); ++n)
    CHECK(kind_of({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)}) ==
          ErrorKind::kCorrupt);
  bytes.push_back(0);
  CHECK(kind_of(bytes) == ErrorKind::kCorrupt);
}

TEST_CASE("every rule of the layout has a file that breaks it") {
  const auto tensor = [](const char* dtype, const char* shape, const char* offsets) {
    return std::string(R"({"a":{"dtype":")") + dtype + R"(","shape":)" + shape +
           R"(,"data_offsets":)" + offsets + "}}";
  };
  for (const std::string& header :
       {std::string("[]"), std::string("{"), std::string(R"({"a":1})"),
        std::string(R"({"__metadata__":{"k":1}})"), tensor("F99", "[1]", "[0,4]"),
        tensor("F32", "[2]", "[0,4]"), tensor("F32", "[-1]", "[0,4]"),
        tensor("F32", "[1]", "[4,8]"), tensor("F32", "[1]", "[4,0]"),
        tensor("F32", "[1]", "[0,-4]"), tensor("F32", "[1099511627776,1099511627776]", "[0,4]"),
        tensor("F32", "[1,1,1,1,1,1,1]", "[0,4]"), tensor("F32", "[1000000]", "[0,4000000]"),
        std::string(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                    R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})")})
    CHECK_MESSAGE(kind_of(with_header(header, 4)) == ErrorKind::kCorrupt, header);
  CHECK(kind_of(with_header(tensor("F32", "[1]", "[0,4]"), 4)) == ErrorKind::kInternal);
  // Two million levels: whoever prints or copies such a value overflows the stack.
  for (const char* key : {"shape", "dtype", "data_offsets"}) {
    std::string deep = tensor("F32", "[1]", "[0,4]");
    const auto at = deep.find(std::string("\"") + key) + std::string_view(key).size() + 3;
    deep.insert(at, std::string(2'000'000, '[') + std::string(2'000'000, ']') + ",\"x\":");
    CHECK(kind_of(with_header(deep, 4)) == ErrorKind::kCorrupt);
    deep.resize(deep.size() / 3);  // cut within
    CHECK(kind_of(with_header(deep, 4)) == ErrorKind::kCorrupt);
  }
}

TEST_CASE("halves and wide integers of others are read as what we have") {
  const auto file = [](const char* dtype, const Bytes& data) {
    Bytes bytes = with_header(std::string(R"({"a":{"dtype":")") + dtype + R"(","shape":[2],)" +
                                  R"("data_offsets":[0,)" + std::to_string(data.size()) + "]}}",
                              0);
    bytes.insert(bytes.end(), data.begin(), data.end());
    return bytes;
  };
  const auto tensor = [&](const char* dtype, const Bytes& data) {
    return decode_archive(file(dtype, data), "a").tensors.at("a");
  };
  const Tensor half = tensor("F16", {0x00, 0x3C, 0x01, 0x80});
  CHECK(half.values()[0] == 1.0f);
  CHECK(half.values()[1] == -0x1p-24f);
  const Tensor brain = tensor("BF16", {0x80, 0x3F, 0x49, 0xC0});
  CHECK(brain.values()[0] == 1.0f);
  CHECK(brain.values()[1] == -3.140625f);
  const Bytes wide = {0x05, 0, 0, 0, 0, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  CHECK(tensor("I64", wide).values<std::int32_t>()[0] == 5);
  CHECK(tensor("I64", wide).values<std::int32_t>()[1] == -2);
  Bytes beyond = wide;
  beyond[4] = 1;
  CHECK(kind_of(file("I64", beyond)) == ErrorKind::kCorrupt);
  CHECK(kind_of(file("F16", Bytes(8))) == ErrorKind::kCorrupt);
  CHECK(kind_of(file("F64", Bytes(16))) == ErrorKind::kCorrupt);
}
