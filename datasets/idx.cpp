#include "datasets/idx.hpp"

#include <vector>

#include "core/base/file.hpp"
#include "datasets/gzip.hpp"

namespace espalier::datasets {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

}  // namespace

Tensor load_idx(const std::filesystem::path& path, int rank) {
  return decode_idx(read_file(path, kMaxBytes), rank, path.string());
}

Tensor decode_idx(Bytes bytes, int rank, const std::string& name) {
  if (is_gzip(bytes)) bytes = gunzip(bytes, name, kMaxBytes);
  ByteReader in(bytes, name);
  const std::uint32_t magic = in.u32_big_endian();
  in.check(magic == 0x800u + static_cast<std::uint32_t>(rank), "wants the IDX magic number ",
           0x800 + rank, " (unsigned bytes, ", rank, " axes), got ", magic);
  std::vector<std::int64_t> sizes;
  std::uint64_t elements = 1;
  for (int axis = 0; axis < rank; ++axis) {
    sizes.push_back(in.u32_big_endian());
    const auto size = static_cast<std::uint64_t>(sizes.back());
    in.check(size > 0 && size <= kMaxBytes / elements, "axis ", axis, " has the size ", size);
    elements *= size;
  }
  in.check(in.remaining() == elements, "the header promises ", elements, " bytes, ", in.remaining(),
           " follow");
  return Tensor::from<std::uint8_t>(Shape(std::span<const std::int64_t>(sizes)), in.take(elements));
}

}  // namespace espalier::datasets
