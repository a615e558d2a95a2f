// Comma-separated text (RFC 4180), row by row.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace espalier::datasets {

// Cells are separated by commas and rows by LF or CRLF. A cell in double quotes may hold commas, line
// breaks, and quotes that are doubled; spaces and tabs around other cells are no part of them. Empty
// lines and a UTF-8 byte order mark at the start are passed over.
class CsvReader {
 public:
  // `bytes` outlives the reader; `name` stands in the errors.
  CsvReader(std::span<const std::uint8_t> bytes, std::string name);

  // The next row; false at the end. Errors: kCorrupt, with the line, for a quote that is not closed,
  // text around a quoted cell, and a NUL byte.
  bool next(std::vector<std::string>& cells);

  const std::string& name() const { return name_; }
  std::int64_t line() const { return row_line_; }  // of the row's first character, from 1

  // Fails as corrupt, naming file and line.
  template <class... Parts>
  void check(bool ok, const Parts&... parts) const {
    require(ok, ErrorKind::kCorrupt, name_, "line ", row_line_, ": ", parts...);
  }

 private:
  bool at_end() const { return position_ == text_.size(); }
  bool take_line_break();
  std::string quoted();
  std::string plain();

  std::string_view text_;
  std::string name_;
  std::size_t position_ = 0;
  std::int64_t line_ = 1, row_line_ = 1;
};

}  // namespace espalier::datasets
