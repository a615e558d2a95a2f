#include "datasets/csv_reader.hpp"

#include <algorithm>
#include <utility>

namespace espalier::datasets {
namespace {

constexpr std::string_view kBlank = " \t";

}  // namespace

CsvReader::CsvReader(std::span<const std::uint8_t> bytes, std::string name)
    : text_(reinterpret_cast<const char*>(bytes.data()), bytes.size()), name_(std::move(name)) {
  if (text_.starts_with("\xef\xbb\xbf")) position_ = 3;
}

CsvReader::CsvReader(const OpenFile& file, std::size_t piece_bytes)
    : file_(&file), piece_bytes_(std::max<std::size_t>(3, piece_bytes)), name_(file.name()) {
  read_on();
  if (text_.starts_with("\xef\xbb\xbf")) position_ = 3;
}

// What was read, and as much again or a piece.
void CsvReader::read_on() {
  const std::size_t rest = text_.size() - position_;
  check(rest <= kMaxRowBytes, "the row has more than ", kMaxRowBytes,
        " bytes; is a quote opened and never closed?");
  const std::uint64_t end = piece_offset_ + text_.size();
  const auto more = static_cast<std::size_t>(
      std::min<std::uint64_t>(std::max(piece_bytes_, rest), file_->size_bytes() - end));
  Bytes next(rest + more);
  std::copy_n(piece_.begin() + static_cast<std::ptrdiff_t>(position_), rest, next.begin());
  file_->read(end, std::span(next).subspan(rest));
  piece_ = std::move(next);
  piece_offset_ += position_;
  position_ = 0;
  text_ = {reinterpret_cast<const char*>(piece_.data()), piece_.size()};
}

// CR alone ends no row: it is text.
bool CsvReader::take_line_break() {
  const std::string_view rest = text_.substr(position_);
  const std::size_t length = rest.starts_with("\r\n") ? 2 : rest.starts_with("\n") ? 1 : 0;
  position_ += length;
  line_ += length > 0;
  return length > 0;
}

// From the opening quote to behind the closing one.
std::string CsvReader::quoted() {
  std::string cell;
  for (++position_;;) {
    const std::size_t quote = text_.find('"', position_);
    if (quote == std::string_view::npos && !is_last()) {
      position_ = text_.size();
      return cell;
    }
    check(quote != std::string_view::npos, "a quote is opened and never closed");
    const std::string_view part = text_.substr(position_, quote - position_);
    line_ += std::ranges::count(part, '\n');
    cell += part;
    position_ = quote + 1;
    if (at_end() || text_[position_] != '"') return cell;
    cell += '"';
    ++position_;
  }
}

std::string CsvReader::plain() {
  std::size_t end = std::min(text_.find_first_of(",\n", position_), text_.size());
  std::string_view cell = text_.substr(position_, end - position_);
  position_ = end;
  if (!at_end() && text_[end] == '\n' && cell.ends_with('\r')) {
    cell.remove_suffix(1);
    --position_;
  }
  const std::size_t last = cell.find_last_not_of(kBlank);
  cell = cell.substr(0, last == std::string_view::npos ? 0 : last + 1);
  check(cell.find('"') == std::string_view::npos,
        "a quote within a cell; a quoted cell begins and ends with one");
  return std::string(cell);
}

// A row that reaches the end of a piece may go on behind it: it is read again, of more.
bool CsvReader::next(std::vector<std::string>& cells) {
  for (;;) {
    const std::size_t position = position_;
    const std::int64_t line = line_;
    const bool found = parse(cells);
    if (!at_end() || is_last()) return found;
    position_ = position, line_ = line;
    read_on();
  }
}

bool CsvReader::parse(std::vector<std::string>& cells) {
  cells.clear();
  do {
    if (at_end()) return false;
    row_line_ = line_;
    row_offset_ = piece_offset_ + position_;
  } while (take_line_break());
  for (;; ++position_) {  // over the comma
    position_ = std::min(text_.find_first_not_of(kBlank, position_), text_.size());
    const bool in_quotes = !at_end() && text_[position_] == '"';
    cells.push_back(in_quotes ? quoted() : plain());
    check(cells.back().find('\0') == std::string::npos, "holds a NUL byte: this is no text file");
    if (in_quotes) position_ = std::min(text_.find_first_not_of(kBlank, position_), text_.size());
    if (at_end() || take_line_break()) return true;
    if (text_.substr(position_) == "\r" && !is_last()) {  // its LF is in the next piece
      position_ = text_.size();
      return true;
    }
    check(text_[position_] == ',', "text follows a quoted cell; a comma or the line's end must");
  }
}

}  // namespace espalier::datasets
