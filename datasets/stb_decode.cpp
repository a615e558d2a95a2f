#include "datasets/stb_decode.hpp"

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "core/base/error.hpp"
#include "datasets/image.hpp"

namespace {

// malloc that counts what this thread holds, and refuses more than the limit: a PNG of 69 bytes may
// ask for a gigabyte. The size stands in front of each block.
thread_local std::size_t held_bytes = 0;
thread_local bool over_limit = false;  // stb_image does not always give this as its reason
constexpr std::size_t kFront = alignof(std::max_align_t);

void* capped_malloc(std::size_t bytes) {
  if (bytes > espalier::datasets::kMaxImageDecodingBytes - held_bytes) {
    over_limit = true;
    return nullptr;
  }
  auto* block = static_cast<unsigned char*>(std::malloc(bytes + kFront));
  if (!block) return nullptr;
  std::memcpy(block, &bytes, sizeof bytes);
  held_bytes += bytes;
  return block + kFront;
}

std::size_t size_of(const void* data) {
  std::size_t bytes;
  std::memcpy(&bytes, static_cast<const unsigned char*>(data) - kFront, sizeof bytes);
  return bytes;
}

void capped_free(void* data) {
  if (!data) return;
  held_bytes -= size_of(data);
  std::free(static_cast<unsigned char*>(data) - kFront);
}

void* capped_realloc(void* data, std::size_t bytes) {
  if (!data) return capped_malloc(bytes);
  void* moved = capped_malloc(bytes);  // both are held for a moment, as with realloc at its worst
  if (!moved) return nullptr;
  const std::size_t old_bytes = size_of(data);
  std::memcpy(moved, data, old_bytes < bytes ? old_bytes : bytes);
  capped_free(data);
  return moved;
}

}  // namespace

// Static: another copy of stb_image in the same program does not meet this one.
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_MAX_DIMENSIONS 4096
#define STBI_MALLOC(bytes) capped_malloc(bytes)
#define STBI_REALLOC(data, bytes) capped_realloc(data, bytes)
#define STBI_FREE(data) capped_free(data)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // fields for callbacks, unused here
#endif
#include <stb_image.h>
#pragma GCC diagnostic pop

namespace espalier::datasets {

static_assert(STBI_MAX_DIMENSIONS == kMaxImageSide);

StbImage::StbImage(std::span<const std::uint8_t> bytes, const std::string& name) {
  require(bytes.size() <= kMaxImageFileBytes, ErrorKind::kCorrupt, name, "has more than ",
          kMaxImageFileBytes, " bytes");
  over_limit = false;
  pixels = stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()), &width, &height,
                                 &channels, 0);
  require(pixels || !over_limit, ErrorKind::kCorrupt, name, "needs more than ",
          kMaxImageDecodingBytes >> 20, " MB to decode; make it smaller");
  require(pixels != nullptr, ErrorKind::kCorrupt, name,
          "cannot be decoded: ", pixels ? "" : stbi_failure_reason());
}

StbImage::~StbImage() {
  stbi_image_free(pixels);
}

}  // namespace espalier::datasets
