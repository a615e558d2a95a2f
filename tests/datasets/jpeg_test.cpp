// JPEG: what is read, and what hostile files meet.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "datasets/image.hpp"
#include "tests/datasets/pictures.hpp"

using namespace espalier;
using namespace espalier::datasets;
using tests::gradient;
using tests::jpeg_of;
namespace {

std::string refusal(const Bytes& bytes, Color color = Color::kGrey) {
  try {
    decode_image(bytes, "hostile.jpg", color);
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kCorrupt);
    CHECK(std::string(error.what()).starts_with("hostile.jpg: "));
    return error.what();
  }
}

int largest_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  int largest = 0;
  for (std::int64_t i = 0; i < a.elements(); ++i)
    largest =
        std::max(largest, std::abs(int{a.data<std::uint8_t>()[i]} - b.data<std::uint8_t>()[i]));
  return largest;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The offset of the frame header's marker (baseline or progressive).
std::size_t frame_of(const Bytes& jpeg) {
  for (std::size_t at = 2; at + 4 < jpeg.size();) {
    if (jpeg[at + 1] == 0xc0 || jpeg[at + 1] == 0xc2) return at;
    at += 2 + (std::size_t{jpeg[at + 2]} << 8 | jpeg[at + 3]);
  }
  FAIL("no frame header");
  return 0;
}

Bytes sized(Bytes jpeg, int height, int width) {
  const std::size_t at = frame_of(jpeg) + 5;
  jpeg[at] = static_cast<std::uint8_t>(height >> 8),
  jpeg[at + 1] = static_cast<std::uint8_t>(height);
  jpeg[at + 2] = static_cast<std::uint8_t>(width >> 8),
            jpeg[at + 3] = static_cast<std::uint8_t>(width);
  return jpeg;
}

}  // namespace

TEST_CASE("JPEG: grey and colour, baseline and progressive, close to what was encoded") {
  for (const bool progressive : {false, true}) {
    const Tensor color = gradient(37, 51, 3), grey = gradient(37, 51, 1, true);
    const tests::JpegOptions options{.progressive = progressive};
    CHECK(largest_difference(decode_image(jpeg_of(color, options), "a", Color::kRgb), color) <= 8);
    CHECK(largest_difference(decode_image(jpeg_of(grey, options), "a", Color::kGrey), grey) <= 4);
    // Grey to RGB repeats it; colour to grey is Rec. 601's luma, as for a PNG.
    const Tensor repeated = decode_image(jpeg_of(grey, options), "a", Color::kRgb);
    REQUIRE(repeated.shape() == Shape{37, 51, 3});
    for (std::int64_t i = 0; i < repeated.elements(); ++i)
      CHECK(repeated.data<std::uint8_t>()[i] == repeated.data<std::uint8_t>()[i / 3 * 3]);
    const Tensor luma = decode_image(jpeg_of(color, options), "a", Color::kGrey);
    for (std::int64_t i = 0; i < luma.elements(); ++i) {
      const std::uint8_t* rgb = color.data<std::uint8_t>() + 3 * i;
      const int wanted = (77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2]) >> 8;
      CHECK(std::abs(int{luma.data<std::uint8_t>()[i]} - wanted) <= 4);
    }
  }
}

TEST_CASE("JPEG: the smallest picture, and the largest side") {
  CHECK(decode_image(jpeg_of(gradient(1, 1, 1)), "a", Color::kGrey).shape() == Shape{1, 1, 1});
  CHECK(decode_image(jpeg_of(gradient(1, 4096, 1)), "a", Color::kRgb).shape() == Shape{1, 4096, 3});
  CHECK(
      contains(refusal(jpeg_of(gradient(1, 4097, 1))), "4097 x 1 pixels; each side must be 1 to"));
}

TEST_CASE("JPEG: every prefix is refused, and so is damage in the middle") {
  for (const bool progressive : {false, true}) {
    const Bytes good = jpeg_of(gradient(16, 24, 3), {.progressive = progressive});
    REQUIRE(refusal(good).empty());
    // The last two bytes are the end marker, without which it is cut, too.
    for (std::size_t n = 0; n < good.size(); ++n)
      CHECK_MESSAGE(!refusal({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)}).empty(),
                    n);
  }
  Bytes damaged = jpeg_of(gradient(64, 64, 1, true));
  for (std::size_t i = damaged.size() - 12; i < damaged.size() - 2; ++i) damaged[i] = 0xff;
  CHECK(!refusal(damaged).empty());
  Bytes trailing = jpeg_of(gradient(16, 16, 1));  // behind the end: as other decoders do
  trailing.resize(trailing.size() + 10);
  CHECK(refusal(trailing).empty());
}

TEST_CASE("JPEG: a small file that promises a large picture is refused before it is allocated") {
  const Bytes small = jpeg_of(gradient(16, 16, 3));
  CHECK(contains(refusal(sized(small, 65500, 65500)), "65500 x 65500 pixels"));
  CHECK(contains(refusal(sized(small, 0, 16)), "hostile.jpg: "));
  // 4096 x 4096 is within the sides. In the baseline the data ends too soon; a progressive file
  // would hold 96 MB of coefficients.
  CHECK(contains(refusal(sized(small, 4096, 4096)), "remature end"));
  const Bytes progressive = jpeg_of(gradient(16, 16, 3), {.progressive = true});
  CHECK(contains(refusal(sized(progressive, 4096, 4096), Color::kRgb), "needs more than 64 MB"));
}

TEST_CASE("JPEG: more passes than any encoder writes are refused: each costs a whole decoding") {
  CHECK(contains(refusal(jpeg_of(gradient(16, 16, 1), {.many_scans = true})),
                 "it has more than 100 scans"));
}

TEST_CASE("JPEG: four colours are refused with the remedy") {
  CHECK(contains(refusal(jpeg_of(gradient(8, 8, 1), {.cmyk = true})), "CMYK"));
}
