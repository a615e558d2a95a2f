#include <zlib.h>

#include "apps/bench/peers.hpp"
#include "core/base/error.hpp"

#ifdef ESPALIER_ZSTD
#include <zstd.h>
#endif
#ifdef ESPALIER_LZMA
#include <lzma.h>
#endif
#ifdef ESPALIER_BROTLI
#include <brotli/encode.h>
#endif

namespace espalier::bench {

std::size_t zlib_bytes(std::span<const std::uint8_t> bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::vector<std::uint8_t> out(size);
  require(compress2(out.data(), &size, bytes.data(), static_cast<uLong>(bytes.size()), 9) == Z_OK,
          ErrorKind::kInternal, "zlib", "failed");
  return size;
}

std::optional<std::size_t> zstd_bytes([[maybe_unused]] std::span<const std::uint8_t> bytes) {
#ifdef ESPALIER_ZSTD
  std::vector<std::uint8_t> out(ZSTD_compressBound(bytes.size()));
  const auto size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 19);
  require(!ZSTD_isError(size), ErrorKind::kInternal, "zstd", "failed");
  return size;
#else
  return {};
#endif
}

std::optional<std::size_t> xz_bytes([[maybe_unused]] std::span<const std::uint8_t> bytes) {
#ifdef ESPALIER_LZMA
  std::vector<std::uint8_t> out(lzma_stream_buffer_bound(bytes.size()));
  std::size_t size = 0;
  require(lzma_easy_buffer_encode(9 | LZMA_PRESET_EXTREME, LZMA_CHECK_CRC32, nullptr, bytes.data(),
                                  bytes.size(), out.data(), &size, out.size()) == LZMA_OK,
          ErrorKind::kInternal, "xz", "failed");
  return size;
#else
  return {};
#endif
}

std::optional<std::size_t> brotli_bytes([[maybe_unused]] std::span<const std::uint8_t> bytes) {
#ifdef ESPALIER_BROTLI
  std::size_t size = BrotliEncoderMaxCompressedSize(bytes.size()) + 1024;
  std::vector<std::uint8_t> out(size);
  require(BrotliEncoderCompress(BROTLI_MAX_QUALITY, BROTLI_MAX_WINDOW_BITS, BROTLI_MODE_GENERIC,
                                bytes.size(), bytes.data(), &size, out.data()) == BROTLI_TRUE,
          ErrorKind::kInternal, "brotli", "failed");
  return size;
#else
  return {};
#endif
}

}  // namespace espalier::bench
