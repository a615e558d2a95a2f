#include "datasets/gzip.hpp"

#include <zlib.h>

#include <vector>

namespace espalier::datasets {

Bytes gunzip(std::span<const std::uint8_t> packed, const std::string& name,
             std::size_t limit_bytes) {
  z_stream stream{};
  require(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK, ErrorKind::kInternal, name,
          "zlib does not start");
  stream.next_in = const_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  Bytes out;
  std::vector<std::uint8_t> chunk(1 << 16);
  int status = Z_OK;
  while (status == Z_OK && out.size() <= limit_bytes) {
    stream.next_out = chunk.data();
    stream.avail_out = static_cast<uInt>(chunk.size());
    status = inflate(&stream, Z_NO_FLUSH);
    out.insert(out.end(), chunk.begin(), chunk.end() - stream.avail_out);
  }
  inflateEnd(&stream);
  require(out.size() <= limit_bytes, ErrorKind::kCorrupt, name, "unpacks to more than ",
          limit_bytes, " bytes");
  require(status == Z_STREAM_END, ErrorKind::kCorrupt, name,
          "the gzip stream is damaged or truncated; download it again");
  require(stream.avail_in == 0, ErrorKind::kCorrupt, name, stream.avail_in,
          " bytes follow the gzip stream");
  return out;
}

}  // namespace espalier::datasets
