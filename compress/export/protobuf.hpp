// Protocol Buffers' wire format, as much of it as a writer needs: a message is its fields one after
// the other, each a number, a type and a value (protobuf.dev/programming-guides/encoding). These
// lines stand for libprotobuf, its compiler, ONNX's schema and the code generated from it: a
// dependency of megabytes to write six kinds of records.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/bytes.hpp"

namespace espalier::exports {

class Message {
 public:
  Message& integer(int field, std::int64_t value) {
    varint(static_cast<std::uint64_t>(field) << 3);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  Message& bytes(int field, std::span<const std::uint8_t> value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 2);
    varint(value.size());
    writer_.raw(value);
    return *this;
  }
  Message& text(int field, std::string_view value) {
    return bytes(field, {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
  }
  Message& message(int field, const Message& value) { return bytes(field, value.wire()); }

  const Bytes& wire() const { return writer_.bytes(); }

 private:
  // Seven bits a byte, the lowest first; the high bit says that more follow.
  void varint(std::uint64_t value) {
    for (; value > 127; value >>= 7) writer_.u8(static_cast<std::uint8_t>(value | 128));
    writer_.u8(static_cast<std::uint8_t>(value));
  }

  ByteWriter writer_;
};

}  // namespace espalier::exports
