// The archive reader: what it accepts says the same after it is written again.
#include "core/archive/archive.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;

std::vector<Bytes> fuzz::seeds() {
  Archive archive;
  std::vector<Bytes> seeds = {encode_archive(archive)};
  archive.tensors["conv1.weight"] = Tensor::from({2, 2}, {1, -2, 3.5f, 0});
  archive.tensors["mask"] = Tensor::from<std::uint8_t>({3}, std::vector<std::uint8_t>{1, 0, 1});
  archive.tensors["scalar"] = Tensor::full({}, 7);
  seeds.push_back(encode_archive(archive));
  archive.metadata["model"] = "{\"layers\": []}";
  seeds.push_back(encode_archive(archive));
  const std::string deep = R"({"a":{"shape":[[[[[[1]]]]]]}})";
  ByteWriter nested;
  nested.u32(static_cast<std::uint32_t>(deep.size()));
  nested.u32(0);
  for (const char c : deep) nested.u8(static_cast<std::uint8_t>(c));
  seeds.push_back(nested.release());
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::may_refuse([&] {
    const Archive archive = decode_archive({data, size}, "fuzz.safetensors");
    const Archive again = decode_archive(encode_archive(archive), "again.safetensors");
    fuzz::promise(again.metadata == archive.metadata &&
                  again.tensors.size() == archive.tensors.size());
    for (const auto& [name, tensor] : archive.tensors)
      fuzz::promise(again.tensors.contains(name) &&
                    again.tensors.at(name).shape() == tensor.shape() &&
                    again.tensors.at(name).dtype() == tensor.dtype());
  });
  return 0;
}
