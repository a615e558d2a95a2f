#include "datasets/idx.hpp"

#include <algorithm>
#include <vector>

#include "core/base/file.hpp"
#include "datasets/gzip.hpp"

namespace espalier::datasets {
namespace {

struct Header {
  std::vector<std::int64_t> sizes;
  std::size_t elements = 1;
};

Header read_header(ByteReader& in, int rank, std::size_t most = kMaxIdxBytes) {
  const std::uint32_t magic = in.u32_big_endian();
  in.check(magic == 0x800u + static_cast<std::uint32_t>(rank), "wants the IDX magic number ",
           0x800 + rank, " (unsigned bytes, ", rank, " axes), got ", magic,
           "; is it another kind of file? espalier fetch mnist brings the right ones");
  Header header;
  for (int axis = 0; axis < rank; ++axis) {
    const std::size_t size = in.u32_big_endian();
    in.check(size > 0 && size <= most / header.elements, "axis ", axis, " has the size ", size);
    header.sizes.push_back(static_cast<std::int64_t>(size));
    header.elements *= size;
  }
  return header;
}

void check_length(const Header& header, std::uint64_t there, const std::string& name) {
  require(there == header.elements, ErrorKind::kCorrupt, name, "the header promises ",
          header.elements, " bytes, ", there, " follow; download it again (espalier fetch mnist)");
}

// A few bytes can unpack to a thousand times as many: no more than the header promises.
Bytes unpacked(const Bytes& packed, int rank, const std::string& name) {
  const std::size_t header_bytes = 4 + 4 * static_cast<std::size_t>(rank);
  const Bytes start = gunzip_start(packed, name, header_bytes);
  if (start.size() < header_bytes) return gunzip(packed, name, header_bytes);
  ByteReader in(start, name);
  return gunzip(packed, name, header_bytes + read_header(in, rank).elements);
}

}  // namespace

Tensor load_idx(const std::filesystem::path& path, int rank) {
  return decode_idx(read_file(path, kMaxIdxBytes), rank, path.string());
}

Tensor decode_idx(Bytes bytes, int rank, const std::string& name) {
  if (is_gzip(bytes)) bytes = unpacked(bytes, rank, name);
  ByteReader in(bytes, name);
  const Header header = read_header(in, rank);
  check_length(header, in.remaining(), name);
  return Tensor::from<std::uint8_t>(Shape(std::span<const std::int64_t>(header.sizes)),
                                    in.take(header.elements));
}

IdxPlace find_idx(const OpenFile& file, int rank) {
  constexpr std::size_t kMost = std::size_t{1} << 40;
  const std::uint64_t begin = 4 + 4 * static_cast<std::uint64_t>(rank);
  Bytes start(static_cast<std::size_t>(std::min(begin, file.size_bytes())));
  file.read(0, start);
  ByteReader in(start, file.name());
  const Header header = read_header(in, rank, kMost);
  check_length(header, file.size_bytes() - begin, file.name());
  constexpr std::size_t kMostOfOne = std::size_t{1} << 26;  // as of pictures (image.hpp)
  const std::size_t one = header.elements / static_cast<std::size_t>(header.sizes[0]);
  in.check(one <= kMostOfOne, "has images of ", one, " bytes, at most ", kMostOfOne,
           " are possible");
  return {Shape(std::span<const std::int64_t>(header.sizes)), begin};
}

Bytes encode_idx(const Tensor& array) {
  require(array.dtype() == DType::kUint8 && array.shape().rank() >= 1 && array.elements() > 0 &&
              array.bytes() <= kMaxIdxBytes,
          "encode_idx", "wants uint8, 1 to ", kMaxIdxBytes, " bytes, got ", array.dtype(), " ",
          array.shape());
  Bytes out = {0, 0, 8, static_cast<std::uint8_t>(array.shape().rank())};
  for (const std::int64_t size : array.shape().sizes())
    for (int shift = 24; shift >= 0; shift -= 8)
      out.push_back(static_cast<std::uint8_t>(size >> shift));
  const auto values = array.values<std::uint8_t>();
  out.insert(out.end(), values.begin(), values.end());
  return out;
}

}  // namespace espalier::datasets
