#include "compress/export/flatbuffer.hpp"

#include <algorithm>

namespace espalier::exports {
namespace {

void put(Bytes& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

}  // namespace

// The table's own table first (its size, the table's, where each slot's field is or 0), then the
// distance back to it and the fields.
Flat Flat::table(const std::vector<Field>& fields) {
  std::size_t slots = 0;
  for (const Field& f : fields) slots = std::max(slots, static_cast<std::size_t>(f.slot) + 1);
  std::vector<std::uint16_t> where(slots, 0);
  for (std::size_t i = 0; i < fields.size(); ++i)
    where[static_cast<std::size_t>(fields[i].slot)] = static_cast<std::uint16_t>(4 + 4 * i);
  Flat t;
  const std::size_t sizes = 4 + 2 * slots, padding = sizes % 4;
  t.bytes_.assign(padding, 0);
  put(t.bytes_, sizes, 2);
  put(t.bytes_, 4 + 4 * fields.size(), 2);
  for (const std::uint16_t offset : where) put(t.bytes_, offset, 2);
  t.anchor_ = t.bytes_.size();
  put(t.bytes_, sizes, 4);
  for (const Field& f : fields) {
    if (!f.child.empty()) t.children_.emplace_back(t.bytes_.size(), f.child.front());
    put(t.bytes_, static_cast<std::uint32_t>(f.value), 4);
  }
  return t;
}

Flat Flat::raw(const void* from, std::size_t count, std::size_t size, std::size_t alignment) {
  Flat v;
  v.alignment_ = alignment;
  v.anchor_ = alignment - 4;
  v.bytes_.assign(v.anchor_, 0);
  put(v.bytes_, count, 4);
  const auto* bytes = static_cast<const std::uint8_t*>(from);
  v.bytes_.insert(v.bytes_.end(), bytes, bytes + count * size);
  return v;
}

Flat Flat::text(std::string_view text) {
  Flat t = raw(text.data(), text.size(), 1, 4);
  t.bytes_.push_back(0);
  return t;
}

Flat Flat::objects(std::vector<Flat> all) {
  Flat v;
  put(v.bytes_, all.size(), 4);
  for (Flat& object : all) {
    v.children_.emplace_back(v.bytes_.size(), std::move(object));
    put(v.bytes_, 0, 4);
  }
  return v;
}

std::size_t Flat::write(Bytes& out) const {
  while (out.size() % alignment_) out.push_back(0);
  const std::size_t start = out.size();
  out.insert(out.end(), bytes_.begin(), bytes_.end());
  for (const auto& [at, child] : children_) {
    const std::size_t target = child.write(out);
    const auto offset = static_cast<std::uint32_t>(target - (start + at));
    for (std::size_t i = 0; i < 4; ++i)
      out[start + at + i] = static_cast<std::uint8_t>(offset >> (8 * i));
  }
  return start + anchor_;
}

Bytes Flat::file(const Flat& root, std::string_view kind) {
  Bytes out(4, 0);
  for (const char letter : kind) out.push_back(static_cast<std::uint8_t>(letter));
  const std::size_t target = root.write(out);
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(target >> (8 * i));
  return out;
}

}  // namespace espalier::exports
