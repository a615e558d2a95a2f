#include "datasets/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <vector>

namespace espalier::datasets {
namespace {

class Inflater {
 public:
  Inflater(std::span<const std::uint8_t> packed, const std::string& name) {
    require(inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK, ErrorKind::kInternal, name,
            "zlib does not start");
    stream_.next_in = const_cast<Bytef*>(packed.data());
    stream_.avail_in = static_cast<uInt>(packed.size());
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // The next bytes, at most `count`; fewer at the end of the stream and where it is damaged.
  Bytes take(std::size_t count) {
    Bytes out;
    std::vector<std::uint8_t> chunk(std::min<std::size_t>(count, 1 << 16));
    while (status_ == Z_OK && out.size() < count) {
      const std::size_t room = std::min(chunk.size(), count - out.size());
      stream_.next_out = chunk.data();
      stream_.avail_out = static_cast<uInt>(room);
      status_ = inflate(&stream_, Z_NO_FLUSH);
      out.insert(out.end(), chunk.begin(),
                 chunk.begin() + static_cast<std::ptrdiff_t>(room - stream_.avail_out));
    }
    return out;
  }
  bool ended() const { return status_ == Z_STREAM_END; }
  std::size_t left_bytes() const { return stream_.avail_in; }

 private:
  z_stream stream_{};
  int status_ = Z_OK;
};

}  // namespace

Bytes gunzip(std::span<const std::uint8_t> packed, const std::string& name,
             std::size_t limit_bytes) {
  Inflater inflater(packed, name);
  Bytes out = inflater.take(limit_bytes + 1);
  require(out.size() <= limit_bytes, ErrorKind::kCorrupt, name, "unpacks to more than ",
          limit_bytes, " bytes");
  require(inflater.ended(), ErrorKind::kCorrupt, name,
          "the gzip stream is damaged or truncated; download it again");
  require(inflater.left_bytes() == 0, ErrorKind::kCorrupt, name, inflater.left_bytes(),
          " bytes follow the gzip stream");
  return out;
}

Bytes gunzip_start(std::span<const std::uint8_t> packed, const std::string& name,
                   std::size_t count) {
  return Inflater(packed, name).take(count);
}

Bytes gzip(std::span<const std::uint8_t> bytes) {
  require(bytes.size() <= std::size_t{1} << 30, "gzip", "wants at most 1 GiB, got ", bytes.size(),
          " bytes");
  z_stream stream{};
  require(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8,
                       Z_DEFAULT_STRATEGY) == Z_OK,
          ErrorKind::kInternal, "gzip", "zlib does not start");
  Bytes out(deflateBound(&stream, static_cast<uLong>(bytes.size())));
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  require(status == Z_STREAM_END, ErrorKind::kInternal, "gzip", "zlib ends with ", status);
  return out;
}

}  // namespace espalier::datasets
