#include "datasets/idx.hpp"

#include <zlib.h>

#include <vector>

#include "core/base/file.hpp"

namespace espalier::datasets {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

Bytes gunzip(const Bytes& packed, const std::string& name) {
  z_stream stream{};
  require(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK, ErrorKind::kInternal, name,
          "zlib does not start");
  stream.next_in = const_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  Bytes out;
  std::vector<std::uint8_t> chunk(1 << 16);
  int status = Z_OK;
  while (status == Z_OK && out.size() <= kMaxBytes) {
    stream.next_out = chunk.data();
    stream.avail_out = static_cast<uInt>(chunk.size());
    status = inflate(&stream, Z_NO_FLUSH);
    out.insert(out.end(), chunk.begin(), chunk.end() - stream.avail_out);
  }
  inflateEnd(&stream);
  require(out.size() <= kMaxBytes, ErrorKind::kCorrupt, name, "unpacks to more than ", kMaxBytes,
          " bytes");
  require(status == Z_STREAM_END, ErrorKind::kCorrupt, name,
          "the gzip stream is damaged or truncated; download it again");
  require(stream.avail_in == 0, ErrorKind::kCorrupt, name, stream.avail_in,
          " bytes follow the gzip stream");
  return out;
}

}  // namespace

Tensor load_idx(const std::filesystem::path& path, int rank) {
  return decode_idx(read_file(path, kMaxBytes), rank, path.string());
}

Tensor decode_idx(Bytes bytes, int rank, const std::string& name) {
  if (bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) bytes = gunzip(bytes, name);
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
