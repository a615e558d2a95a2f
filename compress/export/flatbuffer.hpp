// FlatBuffers, as much of it as a writer needs (flatbuffers.dev/internals): objects that point at
// later objects. Offsets go forward, so each object is written before those that it names, and its
// offsets are filled in then. As with protobuf.hpp, these lines stand for a library, its compiler,
// a schema and the code generated from it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"

namespace espalier::exports {

// A table, a vector or a string.
class Flat {
 public:
  // A table of the fields by their number in the schema.
  struct Field {
    int slot;
    std::int32_t
        value;  // every scalar takes four bytes: little-endian, smaller types read the first
    std::vector<Flat> child = {};  // or the object that the field names
  };
  static Flat table(const std::vector<Field>& fields);
  static Flat table_of(int slot, Flat child) { return table({{slot, 0, {std::move(child)}}}); }

  // The vector's elements begin at a multiple of `alignment`.
  template <class T>
  static Flat vector(const std::vector<T>& values, std::size_t alignment = sizeof(T)) {
    return raw(values.data(), values.size(), sizeof(T), alignment < 4 ? 4 : alignment);
  }
  static Flat text(std::string_view text);
  static Flat objects(std::vector<Flat> all);

  // The file: `root`, a table, behind its offset and the four letters of the file's kind.
  static Bytes file(const Flat& root, std::string_view kind);

 private:
  static Flat raw(const void* from, std::size_t count, std::size_t size, std::size_t alignment);
  std::size_t write(Bytes& out) const;

  Bytes bytes_;
  std::size_t alignment_ = 4;
  std::size_t anchor_ = 0;                              // where offsets to this point
  std::vector<std::pair<std::size_t, Flat>> children_;  // where an offset stands, and to what
};

}  // namespace espalier::exports
