#include "core/base/table.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace espalier {
namespace {

constexpr std::size_t kGap = 2;

std::size_t width_of(const Column& column) {
  std::size_t width = display_width(column.header);
  for (const auto& cell : column.cells) width = std::max(width, display_width(cell));
  return width;
}

// One line: the header (row 0) or a row of cells, of these columns.
std::string line(const std::vector<const Column*>& block, std::size_t row) {
  std::string text;
  for (const Column* column : block) {
    if (!text.empty()) text += std::string(kGap, ' ');
    const std::string& cell = row == 0 ? column->header : column->cells[row - 1];
    text += column->left ? pad_right(cell, width_of(*column)) : pad_left(cell, width_of(*column));
  }
  return text.substr(0, text.find_last_not_of(' ') + 1) + '\n';
}

}  // namespace

std::string table(const std::vector<Column>& columns, std::size_t width) {
  require(!columns.empty(), "table", "has no column");
  for (const auto& column : columns)
    require(column.cells.size() == columns[0].cells.size(), "table", "column '", column.header,
            "' has ", column.cells.size(), " cells, the first has ", columns[0].cells.size());
  std::string text;
  for (std::size_t next = 1; next < columns.size() || text.empty();) {
    std::vector<const Column*> block = {&columns[0]};
    std::size_t used = width_of(columns[0]);
    while (next < columns.size()) {
      used += kGap + width_of(columns[next]);
      if (width != 0 && used > width && block.size() > 1) break;
      block.push_back(&columns[next++]);
    }
    if (!text.empty()) text += '\n';
    for (std::size_t row = 0; row <= columns[0].cells.size(); ++row) text += line(block, row);
  }
  return text;
}

std::size_t terminal_width(int fd) {
  winsize size{};
  return ::isatty(fd) && ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace espalier
