// Pictures: what is read, and what hostile files meet.
#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "core/base/file.hpp"
#include "datasets/image.hpp"

using namespace espalier;
using namespace espalier::datasets;
namespace fs = std::filesystem;
namespace {

void u32_big_endian(Bytes& out, std::uint32_t v) {
  for (int shift : {24, 16, 8, 0}) out.push_back(static_cast<std::uint8_t>(v >> shift));
}

void chunk(Bytes& out, const std::string& type, const Bytes& data) {
  u32_big_endian(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t start = out.size();
  out.insert(out.end(), type.begin(), type.end());
  out.insert(out.end(), data.begin(), data.end());
  u32_big_endian(out, crc32(std::span(out).subspan(start)));
}

struct Png {
  std::uint32_t width = 0, height = 0;
  std::uint8_t bits = 8, color = 0;  // color 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGBA
  bool interlaced = false;
  Bytes palette = {}, transparency = {};
  Bytes rows = {};  // each row begins with its filter, 0
};

Bytes encode(const Png& png) {
  Bytes out = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}, header;
  u32_big_endian(header, png.width);
  u32_big_endian(header, png.height);
  for (std::uint8_t v : {png.bits, png.color, std::uint8_t{0}, std::uint8_t{0},
                         static_cast<std::uint8_t>(png.interlaced)})
    header.push_back(v);
  chunk(out, "IHDR", header);
  if (!png.palette.empty()) chunk(out, "PLTE", png.palette);
  if (!png.transparency.empty()) chunk(out, "tRNS", png.transparency);
  uLongf size = compressBound(static_cast<uLong>(png.rows.size()));
  Bytes packed(size);
  REQUIRE(compress2(packed.data(), &size, png.rows.data(), static_cast<uLong>(png.rows.size()),
                    9) == Z_OK);
  packed.resize(size);
  chunk(out, "IDAT", packed);
  chunk(out, "IEND", {});
  return out;
}

Bytes bmp_24(std::int32_t width, std::int32_t height, const Bytes& rows) {
  ByteWriter out;
  out.u8('B'), out.u8('M');
  out.u32(static_cast<std::uint32_t>(54 + rows.size()));
  out.u32(0), out.u32(54), out.u32(40);
  out.u32(static_cast<std::uint32_t>(width)), out.u32(static_cast<std::uint32_t>(height));
  out.u8(1), out.u8(0), out.u8(24), out.u8(0);
  for (int i = 0; i < 6; ++i) out.u32(0);
  out.raw(rows);
  return out.release();
}

Bytes pixels(const Bytes& file, Color color = Color::kGrey) {
  const Tensor image = decode_image(file, "test", color);
  const auto values = image.values<std::uint8_t>();
  return {values.begin(), values.end()};
}

// Empty if the bytes are taken, else the message; the error must be kCorrupt and name the file.
std::string refusal(std::span<const std::uint8_t> bytes) {
  try {
    decode_image(bytes, "hostile.png", Color::kGrey);
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kCorrupt);
    CHECK(std::string(error.what()).starts_with("hostile.png: "));
    return error.what();
  }
}

}  // namespace

TEST_CASE("PNG: grey, colour, 16 bits, palette, bits and transparency become what they look like") {
  const Png grey{.width = 3, .height = 2, .rows = {0, 1, 2, 3, 0, 4, 5, 255}};
  CHECK(pixels(encode(grey)) == Bytes{1, 2, 3, 4, 5, 255});
  CHECK(decode_image(encode(grey), "test", Color::kGrey).shape() == Shape{2, 3, 1});
  CHECK(pixels(encode(grey), Color::kRgb).size() == 18);

  const Png rgb{.width = 2, .height = 1, .color = 2, .rows = {0, 255, 0, 0, 10, 20, 30}};
  CHECK(pixels(encode(rgb), Color::kRgb) == Bytes{255, 0, 0, 10, 20, 30});
  CHECK(pixels(encode(rgb)) == Bytes{76, 18});  // (77 R + 150 G + 29 B) >> 8

  const Png deep{.width = 2, .height = 1, .bits = 16, .rows = {0, 0x12, 0xff, 0xfe, 0x00}};
  CHECK(pixels(encode(deep)) == Bytes{0x12, 0xfe});

  const Png palette{
      .width = 2, .height = 1, .color = 3, .palette = {9, 9, 9, 200, 200, 200}, .rows = {0, 1, 0}};
  CHECK(pixels(encode(palette)) == Bytes{200, 9});
  Png clear = palette;
  clear.transparency = {255, 0};  // the second colour is invisible: white shows
  CHECK(pixels(encode(clear)) == Bytes{255, 9});

  const Png bits{.width = 8, .height = 1, .bits = 1, .rows = {0, 0b10100001}};
  CHECK(pixels(encode(bits)) == Bytes{255, 0, 255, 0, 0, 0, 0, 255});

  const Png alpha{.width = 3, .height = 1, .color = 4, .rows = {0, 0, 0, 0, 255, 100, 128}};
  CHECK(pixels(encode(alpha)) == Bytes{255, 0, 177});  // 100 * 128/255 + 255 * 127/255
  const Png rgba{.width = 1, .height = 1, .color = 6, .rows = {0, 255, 0, 0, 0}};
  CHECK(pixels(encode(rgba), Color::kRgb) == Bytes{255, 255, 255});
}

TEST_CASE("PNG: Adam7 interlacing puts every pixel in its place") {
  // 8 x 8, pixel = 8 y + x, in the seven passes of the PNG specification, section 8.2.
  constexpr int kPasses[7][4] = {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4},
                                 {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}};  // y, x, steps
  Png png{.width = 8, .height = 8, .interlaced = true};
  for (const auto& [top, left, down, right] : kPasses)
    for (int y = top; y < 8; y += down) {
      png.rows.push_back(0);
      for (int x = left; x < 8; x += right)
        png.rows.push_back(static_cast<std::uint8_t>(8 * y + x));
    }
  Bytes wanted(64);
  for (std::size_t i = 0; i < 64; ++i) wanted[i] = static_cast<std::uint8_t>(i);
  CHECK(pixels(encode(png)) == wanted);
}

TEST_CASE("BMP: rows from the bottom or the top, padded to four bytes") {
  const Bytes rows = {1, 1, 1, 2, 2, 2, 0, 0, 3, 3, 3, 4, 4, 4, 0, 0};
  CHECK(pixels(bmp_24(2, 2, rows)) == Bytes{3, 4, 1, 2});
  CHECK(pixels(bmp_24(2, -2, rows)) == Bytes{1, 2, 3, 4});
}

TEST_CASE("every prefix of a PNG and of a BMP is refused, and so is every flipped bit of a PNG") {
  const Bytes png = encode({.width = 3, .height = 2, .rows = {0, 1, 2, 3, 0, 4, 5, 6}});
  const Bytes bmp = bmp_24(2, 2, Bytes(16, 7));
  REQUIRE(refusal(png).empty());
  REQUIRE(refusal(bmp).empty());
  for (const Bytes* file : {&png, &bmp})
    for (std::size_t n = 0; n < file->size(); ++n)
      CHECK_MESSAGE(!refusal(std::span(*file).first(n)).empty(), n << " bytes");
  for (std::size_t bit = 0; bit < 8 * png.size(); ++bit) {
    Bytes flipped = png;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    CHECK_MESSAGE(!refusal(flipped).empty(), "bit " << bit);
  }
}

TEST_CASE("sizes of 0, beyond 4096, or beyond the memory limit are refused before they cost") {
  const Bytes no_rows = {0};
  CHECK(refusal(encode({.width = 0, .height = 1, .rows = no_rows})).find("0 x 1") !=
        std::string::npos);
  CHECK(!refusal(encode({.width = 1, .height = 0, .rows = no_rows})).empty());
  CHECK(!refusal(encode({.width = 4097, .height = 1, .rows = no_rows})).empty());
  CHECK(!refusal(encode({.width = 0xffffffff, .height = 0xffffffff, .rows = no_rows})).empty());
  const Bytes bomb =
      encode({.width = 4096, .height = 4096, .bits = 16, .color = 6, .rows = no_rows});
  CHECK(bomb.size() < 80);
  CHECK(!refusal(bomb).empty());
  CHECK(!refusal(bmp_24(0, 1, {})).empty());
  CHECK(!refusal(bmp_24(1, 0, {})).empty());
  CHECK(!refusal(bmp_24(-1, 1, Bytes(4))).empty());
  CHECK(!refusal(bmp_24(5000, 1, Bytes(15000))).empty());
  CHECK(!refusal(bmp_24(4096, INT32_MIN, {})).empty());
  // The rows are all there, but decoding them needs more than 64 MB.
  const Bytes large =
      encode({.width = 4096, .height = 4096, .color = 6, .rows = Bytes(4096u * (4u * 4096u + 1u))});
  CHECK(refusal(large).find("64 MB") != std::string::npos);
  CHECK(refusal(encode({.width = 1, .height = 1, .rows = {0, 7}})).empty());  // all was given back
}

TEST_CASE("other formats and other contents are refused") {
  const std::string texts[] = {
      "", "x", "GIF89a......", "\xff\xd8\xff\xe0 JFIF", "P5 1 1 255 x", "BM", "\x89PNG\r\n\x1a\n"};
  for (const auto& text : texts) CHECK(!refusal(Bytes(text.begin(), text.end())).empty());
  CHECK(!refusal(encode({.width = 2, .height = 2, .bits = 3, .rows = {0, 0, 0, 0}})).empty());
  CHECK(!refusal(encode({.width = 2, .height = 2, .color = 5, .rows = {0, 0, 0, 0}})).empty());
  CHECK(!refusal(encode({.width = 2, .height = 2, .rows = {0, 1, 2}})).empty());  // a row short
  Bytes compressed = bmp_24(2, 2, Bytes(16, 7));
  compressed[30] = 1;  // run lengths
  CHECK(!refusal(compressed).empty());
}

TEST_CASE("write_png: what is written is read back, whole or not at all") {
  const fs::path folder =
      fs::temp_directory_path() / ("espalier_image_test." + std::to_string(::getpid()));
  fs::create_directories(folder);
  Tensor image({5, 7, 1}, DType::kUint8);
  auto values = image.mutable_values<std::uint8_t>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(7 * i);
  write_png(folder / "grey.png", image);
  const Tensor back = load_image(folder / "grey.png", Color::kGrey);
  CHECK(back.shape() == image.shape());
  CHECK(std::ranges::equal(back.values<std::uint8_t>(), values));
  CHECK(to_float(back).values()[1] == 7 / 255.0f);
  const Tensor color = Tensor::from<std::uint8_t>({1, 2, 3}, Bytes{1, 2, 3, 250, 251, 252});
  write_png(folder / "color.png", color);
  CHECK(std::ranges::equal(load_image(folder / "color.png", Color::kRgb).values<std::uint8_t>(),
                           color.values<std::uint8_t>()));
  CHECK_THROWS_AS(write_png(folder / "none/x.png", image), Error);
  CHECK_THROWS_AS(write_png(folder / "x.png", Tensor({5, 7, 1})), Error);
  try {
    load_image(folder / "missing.png", Color::kGrey);
    FAIL("was accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kIo);
  }
  fs::remove_all(folder);
}
