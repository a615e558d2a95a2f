// IDX, plain and gzipped, of labels and of images; a file that stays on disk is taken as one in memory.
#include <zlib.h>

#include "datasets/gzip.hpp"
#include "datasets/idx.hpp"
#include "tests/fuzz/file_in_memory.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;

namespace {

Bytes gzipped(const Bytes& bytes) {
  z_stream stream{};
  fuzz::promise(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) ==
                Z_OK);
  Bytes packed(bytes.size() + 64);
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  fuzz::promise(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  const Bytes labels = {0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9};
  const Bytes images = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 9, 8, 7, 6};
  return {labels, images, gzipped(labels), gzipped(images)};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::FileInMemory file({data, size});
  const OpenFile open(file.path());
  for (const int rank : {1, 3}) {
    Shape in_memory, on_disk;
    fuzz::may_refuse([&] {
      const Tensor tensor = datasets::decode_idx(Bytes(data, data + size), rank, "fuzz.idx");
      fuzz::promise(tensor.shape().rank() == rank && tensor.elements() > 0);
      in_memory = tensor.shape();
    });
    if (datasets::is_gzip({data, size})) continue;
    fuzz::may_refuse([&] { on_disk = datasets::find_idx(open, rank).shape; });
    fuzz::promise(on_disk == in_memory);
  }
  return 0;
}
