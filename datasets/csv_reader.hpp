// Comma-separated text (RFC 4180), row by row.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/error.hpp"
#include "core/base/open_file.hpp"

namespace espalier::datasets {

// Cells are separated by commas and rows by LF or CRLF. A cell in double quotes may hold commas, line
// breaks, and quotes that are doubled; spaces and tabs around other cells are no part of them. Empty
// lines and a UTF-8 byte order mark at the start are passed over.
class CsvReader {
 public:
  // `bytes` outlives the reader; `name` stands in the errors.
  CsvReader(std::span<const std::uint8_t> bytes, std::string name);
  // Of a file, piece by piece: at most a row and a piece of it are in memory. `file` outlives the reader.
  // Errors: those of the file.
  explicit CsvReader(const OpenFile& file, std::size_t piece_bytes = std::size_t{1} << 20);

  // The next row; false at the end. Errors: kCorrupt, with the line, for a quote that is not closed,
  // text around a quoted cell, and a NUL byte; of a file also for a row of more than kMaxRowBytes.
  bool next(std::vector<std::string>& cells);

  const std::string& name() const { return name_; }
  std::int64_t line() const { return row_line_; }       // of the row's first character, from 1
  std::uint64_t offset() const { return row_offset_; }  // its place in the file, or in the bytes
  std::uint64_t size_bytes() const { return file_ ? file_->size_bytes() : text_.size(); }
  static constexpr std::size_t kMaxRowBytes = std::size_t{1} << 26;

  // Fails as corrupt, naming file and line.
  template <class... Parts>
  void check(bool ok, const Parts&... parts) const {
    require(ok, ErrorKind::kCorrupt, name_, "line ", row_line_, ": ", parts...);
  }

 private:
  bool at_end() const { return position_ == text_.size(); }
  bool is_last() const { return !file_ || piece_offset_ + text_.size() == file_->size_bytes(); }
  void read_on();
  bool parse(std::vector<std::string>& cells);
  bool take_line_break();
  std::string quoted();
  std::string plain();

  const OpenFile* file_ = nullptr;
  std::size_t piece_bytes_ = 0;
  Bytes piece_;                     // of the file,
  std::uint64_t piece_offset_ = 0;  // from here on
  std::string_view text_;           // the piece, or all
  std::string name_;
  std::size_t position_ = 0;
  std::int64_t line_ = 1, row_line_ = 1;
  std::uint64_t row_offset_ = 0;
};

}  // namespace espalier::datasets
