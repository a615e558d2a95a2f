// Named tensors and text entries in one file, in the safetensors layout: a little-endian u64 with
// the header's length, a JSON header, then the tensors' bytes without holes. Python's `safetensors`
// opens it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "core/base/bytes.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier {

struct Archive {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;  // the header's "__metadata__"
};

Bytes encode_archive(const Archive& archive);

// A tensor's values as the file holds them.
std::span<const std::uint8_t> bytes_of(const Tensor& tensor);

// F16 and BF16, which others write, become float32, I64 int32.
// Errors (ErrorKind::kCorrupt, naming `name`): truncated, header over 16 MB or no JSON object,
// unknown dtype, an I64 beyond int32, size that is not shape times dtype, overlap, hole, trailing bytes. Sizes are
// checked before anything is allocated.
Archive decode_archive(std::span<const std::uint8_t> bytes, const std::string& name);

void save_archive(const Archive& archive, const std::filesystem::path& path);  // atomic
Archive load_archive(const std::filesystem::path& path);

}  // namespace espalier
