// Memory for tensors: aligned to 64 bytes (a cache line, an AVX-512 register) and pooled. A
// training step asks for the same sizes again and again: given back to the operating system each
// time, they would page-fault anew in every step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace espalier {

class Buffer {
 public:
  static constexpr std::size_t kAlignment = 64;
  // Bytes before and behind the data that belong to it, too: vector code may touch whole registers
  // there. oneDNN 2.6 does: its pooling of bytes under AVX2 ends rows of channels with a masked
  // store (maskmovdqu) that begins before the buffer, and faults where that page is not mapped.
  static constexpr std::size_t kSlack = 64;

  // `size_bytes` of uninitialised memory.
  static std::shared_ptr<Buffer> allocate(std::size_t size_bytes);
  class Ours {  // whom allocate() lets construct one
    Ours() = default;
    friend Buffer;
  };
  Buffer(Ours, std::size_t size_bytes, int size_class);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void* data() { return data_; }
  std::size_t size_bytes() const { return size_bytes_; }

 private:
  void* data_;
  std::size_t size_bytes_;
  int size_class_;
};

struct BufferPoolCounts {
  std::uint64_t fresh;   // blocks asked from the operating system since the start
  std::uint64_t reused;  // blocks served from the pool
};
BufferPoolCounts buffer_pool_counts();

// Gives every idle block back to the operating system.
void trim_buffer_pool();

}  // namespace espalier
