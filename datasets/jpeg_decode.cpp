#include "datasets/jpeg_decode.hpp"

#include <csetjmp>
#include <cstdio>  // jpeglib.h wants FILE before it is included

#include <jerror.h>
#include <jpeglib.h>

#include "core/base/error.hpp"

namespace espalier::datasets {
namespace {

// Passes of a progressive file: more than any encoder writes (about ten), each as long as decoding
// the whole picture; a small hostile file may hold thousands.
constexpr int kMaxScans = 100;

// libjpeg reports an error by a call that must not return. An exception may not pass through its C
// frames, so it jumps; between setjmp and the jump nothing with a destructor may live (see decode).
struct Decoder {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf on_error;
  char reason[JMSG_LENGTH_MAX] = "";
};

extern "C" void leave(j_common_ptr jpeg) {
  auto* decoder = static_cast<Decoder*>(jpeg->client_data);
  jpeg->err->format_message(jpeg, decoder->reason);
  std::longjmp(decoder->on_error, 1);
}

// libjpeg goes on after damage, with grey in place of what is lost: a picture is whole, or refused.
// Bytes that belong to nothing are no damage.
extern "C" void on_message(j_common_ptr jpeg, int level) {
  const int code = jpeg->err->msg_code;
  if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM &&
      code != JWRN_JFIF_MAJOR)
    leave(jpeg);
}

extern "C" void on_progress(j_common_ptr jpeg) {
  auto* decoder = static_cast<Decoder*>(jpeg->client_data);
  if (!jpeg->is_decompressor || decoder->jpeg.input_scan_number <= kMaxScans) return;
  std::snprintf(decoder->reason, sizeof decoder->reason, "it has more than %d scans", kMaxScans);
  std::longjmp(decoder->on_error, 1);
}

// Each step alone: what is set between setjmp and longjmp is only read through the pointer.
bool read_header(Decoder* d, const std::uint8_t* bytes, std::size_t count) {
  if (setjmp(d->on_error)) return false;
  jpeg_create_decompress(&d->jpeg);
  d->jpeg.mem->max_memory_to_use = static_cast<long>(kMaxImageDecodingBytes);
  d->jpeg.progress = &d->progress;
  jpeg_mem_src(&d->jpeg, bytes, static_cast<unsigned long>(count));
  jpeg_read_header(&d->jpeg, TRUE);
  return true;
}

bool read_rows(Decoder* d, std::uint8_t* out, std::size_t row_bytes) {
  if (setjmp(d->on_error)) return false;
  jpeg_start_decompress(&d->jpeg);
  while (d->jpeg.output_scanline < d->jpeg.output_height) {
    JSAMPROW row = out + d->jpeg.output_scanline * row_bytes;
    jpeg_read_scanlines(&d->jpeg, &row, 1);
  }
  jpeg_finish_decompress(&d->jpeg);
  return true;
}

struct Closed {
  Decoder& decoder;
  ~Closed() { jpeg_destroy_decompress(&decoder.jpeg); }  // good before creation and after errors
};

// What libjpeg holds of the whole picture at once: 16-bit coefficients, if it is progressive.
std::size_t coefficient_bytes(const jpeg_decompress_struct& jpeg) {
  if (!jpeg_has_multiple_scans(const_cast<j_decompress_ptr>(&jpeg))) return 0;
  const auto up = [](std::size_t v, int factor) {
    const auto f = static_cast<std::size_t>(8 * factor);
    return (v + f - 1) / f * f;
  };
  std::size_t sum = 0;
  for (int c = 0; c < jpeg.num_components; ++c) {
    const auto& part = jpeg.comp_info[c];
    sum += up(jpeg.image_width, jpeg.max_h_samp_factor) *
           static_cast<std::size_t>(part.h_samp_factor) /
           static_cast<std::size_t>(jpeg.max_h_samp_factor) *
           (up(jpeg.image_height, jpeg.max_v_samp_factor) *
            static_cast<std::size_t>(part.v_samp_factor) /
            static_cast<std::size_t>(jpeg.max_v_samp_factor));
  }
  return 2 * sum;
}

}  // namespace

Tensor decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name, Color color) {
  require(bytes.size() <= kMaxImageFileBytes, ErrorKind::kCorrupt, name, "has more than ",
          kMaxImageFileBytes, " bytes");
  Decoder decoder;
  auto& jpeg = decoder.jpeg;
  jpeg.err = jpeg_std_error(&decoder.errors);
  jpeg.client_data = &decoder;
  decoder.errors.error_exit = leave;
  decoder.errors.emit_message = on_message;
  decoder.progress.progress_monitor = on_progress;
  const Closed closed{decoder};
  const auto refuse = [&] {
    fail(ErrorKind::kCorrupt, name, "the JPEG cannot be decoded: ", decoder.reason);
  };
  if (!read_header(&decoder, bytes.data(), bytes.size())) refuse();

  const std::int64_t width = jpeg.image_width, height = jpeg.image_height;
  require(width >= 1 && height >= 1 && width <= kMaxImageSide && height <= kMaxImageSide,
          ErrorKind::kCorrupt, name, "the image is ", width, " x ", height,
          " pixels; each side must be 1 to ", kMaxImageSide);
  require(jpeg.num_components == 1 || jpeg.num_components == 3, ErrorKind::kCorrupt, name, "has ",
          jpeg.num_components, " colour channels (CMYK, for print, has 4), wanted 1 or 3; ",
          "'convert FILE -colorspace sRGB image.png' of ImageMagick makes it RGB");
  const auto channels = static_cast<std::int64_t>(color);
  const auto pixel_bytes = static_cast<std::size_t>(width * height * channels);
  require(pixel_bytes + coefficient_bytes(jpeg) <= kMaxImageDecodingBytes, ErrorKind::kCorrupt,
          name, "needs more than ", kMaxImageDecodingBytes >> 20, " MB to decode; make it smaller");
  jpeg.out_color_space = color == Color::kGrey ? JCS_GRAYSCALE : JCS_RGB;
  jpeg.dct_method = JDCT_ISLOW;  // the same bits with and without SIMD
  Tensor image = Tensor::uninitialized({height, width, channels}, DType::kUint8);
  if (!read_rows(&decoder, image.mutable_data<std::uint8_t>(),
                 static_cast<std::size_t>(width * channels)))
    refuse();
  return image;
}

}  // namespace espalier::datasets
