#include "datasets/image_headers.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "core/base/bytes.hpp"
#include "datasets/image.hpp"

namespace espalier::datasets {
namespace {

constexpr std::uint8_t kPngMagic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

void check_sizes(const ByteReader& in, std::int64_t width, std::int64_t height) {
  in.check(width >= 1 && height >= 1 && width <= kMaxImageSide && height <= kMaxImageSide,
           "the image is ", width, " x ", height, " pixels; each side must be 1 to ",
           kMaxImageSide);
}

// Chunks: length, type, data, CRC-32 of type and data; IHDR first (width, height, ...), IEND last.
void check_png(ByteReader in, std::span<const std::uint8_t> bytes) {
  in.take(sizeof kPngMagic);
  for (bool first = true;; first = false) {
    const std::uint32_t length = in.u32_big_endian();
    const std::size_t start = in.position();
    const auto type = in.take(4);
    const std::string_view name(reinterpret_cast<const char*>(type.data()), 4);
    in.check(!first || (name == "IHDR" && length == 13), "a PNG begins with IHDR");
    if (first) {
      ByteReader header(bytes.subspan(in.position(), std::min<std::size_t>(8, in.remaining())),
                        in.name());
      const std::int64_t width = header.u32_big_endian(), height = header.u32_big_endian();
      check_sizes(header, width, height);
    }
    in.take(length);
    const std::uint32_t crc = crc32(bytes.subspan(start, std::size_t{4} + length));
    in.check(in.u32_big_endian() == crc, "the CRC of a PNG chunk is wrong: the file is damaged");
    if (name == "IEND") return;
  }
}

std::uint32_t u16(ByteReader& in) {
  const std::uint32_t low = in.u8();
  return low | static_cast<std::uint32_t>(in.u8()) << 8;
}

// File header (14 bytes: "BM", size, reserved, offset of the rows), then 12 bytes (OS/2) or 40 and
// more (Windows): own size, width, height (negative: top row first), planes, bits a pixel, coding.
void check_bmp(ByteReader in, std::size_t file_bytes) {
  in.take(10);
  const std::uint32_t rows_at = in.u32(), header_bytes = in.u32();
  const bool old = header_bytes == 12;
  in.check(
      old || header_bytes == 40 || header_bytes == 56 || header_bytes == 108 || header_bytes == 124,
      "no BMP has a header of ", header_bytes, " bytes");
  const std::int64_t width = old ? u16(in) : static_cast<std::int32_t>(in.u32());
  const std::int64_t height =
      std::abs(old ? std::int64_t{u16(in)} : std::int64_t{static_cast<std::int32_t>(in.u32())});
  check_sizes(in, width, height);
  const std::uint32_t planes = u16(in), bits = u16(in), coding = old ? 0 : in.u32();
  in.check(planes == 1, "a BMP has 1 plane, this one ", planes);
  in.check(bits == 1 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32,
           "a BMP has 1, 4, 8, 16, 24 or 32 bits a pixel, this one ", bits);
  in.check(coding == 0 || coding == 3, "the BMP is compressed; save it as a PNG");
  const std::uint64_t row_bytes = (static_cast<std::uint64_t>(width) * bits + 31) / 32 * 4;
  const std::uint64_t wanted = rows_at + row_bytes * static_cast<std::uint64_t>(height);
  in.check(wanted <= file_bytes, "the BMP needs ", wanted, " bytes, the file has ", file_bytes);
}

}  // namespace

void check_image_headers(std::span<const std::uint8_t> bytes, const std::string& name) {
  ByteReader in(bytes, name);
  if (bytes.size() >= sizeof kPngMagic &&
      std::ranges::equal(bytes.first(sizeof kPngMagic), kPngMagic))
    return check_png(in, bytes);
  if (bytes.size() >= 2 && bytes[0] == 'B' && bytes[1] == 'M') return check_bmp(in, bytes.size());
  fail(ErrorKind::kCorrupt, name, "is no PNG, BMP or JPEG; convert it, for example with ",
       "'convert FILE image.png' of ImageMagick");
}

}  // namespace espalier::datasets
