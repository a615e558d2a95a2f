// Columns of text as a table. Too wide for the terminal, it goes on below: the first column again,
// then the columns that are left.
#pragma once

#include <string>
#include <vector>

namespace espalier {

struct Column {
  std::string header;
  std::vector<std::string> cells = {};  // as many as the first column has
  bool left = false;                    // aligned to the left; numbers stand to the right
};

// Lines of at most `width` terminal columns where the cells allow it; 0: no limit. Errors: kUsage
// when the columns' lengths differ.
std::string table(const std::vector<Column>& columns, std::size_t width = 0);

// The terminal's columns; 0 when the file descriptor is none.
std::size_t terminal_width(int fd);

}  // namespace espalier
