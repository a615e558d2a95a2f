// JPEG, in both colour modes. Inputs that begin otherwise are given its first bytes.
#include "datasets/jpeg_decode.hpp"
#include "tests/datasets/pictures.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;

std::vector<Bytes> fuzz::seeds() {
  return {tests::jpeg_of(tests::gradient(9, 17, 3)),
          tests::jpeg_of(tests::gradient(16, 8, 1), {.quality = 40}),
          tests::jpeg_of(tests::gradient(9, 17, 3), {.quality = 60, .progressive = true}),
          tests::jpeg_of(tests::gradient(8, 8, 1), {.cmyk = true})};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, data + size);
  const Bytes magic = {0xff, 0xd8, 0xff};
  if (size >= magic.size()) std::ranges::copy(magic, bytes.begin());
  for (const auto color : {datasets::Color::kGrey, datasets::Color::kRgb})
    fuzz::may_refuse([&] {
      const Tensor image = datasets::decode_jpeg(bytes, "fuzz.jpg", color);
      fuzz::promise(image.shape().rank() == 3 && image.shape()[2] == static_cast<int>(color) &&
                    image.shape()[0] <= datasets::kMaxImageSide &&
                    image.shape()[1] <= datasets::kMaxImageSide);
    });
  return 0;
}
