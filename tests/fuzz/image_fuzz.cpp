// PNG and BMP, in both colour modes. Most mutations of a PNG die at a chunk's CRC; each input is
// therefore tried a second time with these made good.
#include <unistd.h>

#include <filesystem>
#include <string_view>

#include "core/base/file.hpp"
#include "core/tensor/tensor.hpp"
#include "datasets/image.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;

namespace {

constexpr std::size_t kSignature = 8, kAround = 12;  // of a chunk: length, type, CRC

Bytes with_good_crcs(Bytes png) {
  for (std::size_t at = kSignature; at + kAround <= png.size();) {
    const std::size_t length =
        std::size_t{png[at]} << 24 | png[at + 1] << 16 | png[at + 2] << 8 | png[at + 3];
    if (length > png.size() - at - kAround) break;
    const std::uint32_t crc = crc32(std::span<const std::uint8_t>(png).subspan(at + 4, length + 4));
    for (std::size_t i = 0; i < 4; ++i)
      png[at + 8 + length + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
    at += kAround + length;
  }
  return png;
}

void decode(const Bytes& bytes) {
  for (const auto color : {datasets::Color::kGrey, datasets::Color::kRgb})
    fuzz::may_refuse([&] {
      const Tensor image = datasets::decode_image(bytes, "fuzz.png", color);
      fuzz::promise(image.shape().rank() == 3 && image.shape()[2] == static_cast<int>(color) &&
                    image.shape()[0] <= datasets::kMaxImageSide &&
                    image.shape()[1] <= datasets::kMaxImageSide);
    });
}

Bytes png_of(std::int64_t channels) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("espalier_image_fuzz" + std::to_string(::getpid()) + ".png");
  Tensor image(Shape{5, 7, channels}, DType::kUint8);
  std::uint8_t value = 0;
  for (auto& v : image.mutable_values<std::uint8_t>()) v = value += 37;
  datasets::write_png(file, image);
  const Bytes bytes = read_file(file);
  std::filesystem::remove(file);
  return bytes;
}

// A 2 x 2 bitmap of 24 bits a pixel: header, then rows padded to four bytes.
Bytes bmp() {
  ByteWriter out;
  const std::string_view magic = "BM";
  for (const char c : magic) out.u8(static_cast<std::uint8_t>(c));
  for (const std::uint32_t v : {70u, 0u, 54u, 40u, 2u, 2u, 1u | 24u << 16, 0u, 16u, 0u, 0u, 0u, 0u})
    out.u32(v);
  for (int i = 0; i < 16; ++i) out.u8(static_cast<std::uint8_t>(i * 16));
  return out.release();
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  return {png_of(1), png_of(3), bmp()};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, data + size);
  decode(bytes);
  if (size > kSignature && data[0] == 0x89) decode(with_good_crcs(bytes));
  return 0;
}
