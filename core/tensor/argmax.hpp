// Logits to answers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/error.hpp"

namespace espalier {

// The place of the largest value in each row of a [N columns] matrix, the first of equals.
// Errors: kUsage when the values are not whole rows.
inline std::vector<int> argmax_rows(std::span<const float> values, std::int64_t columns) {
  require(columns > 0 && std::ssize(values) % columns == 0, "argmax_rows", "wants rows of ",
          columns, ", got ", values.size(), " values");
  std::vector<int> places;
  for (auto row = values.begin(); row != values.end(); row += columns)
    places.push_back(static_cast<int>(std::max_element(row, row + columns) - row));
  return places;
}

}  // namespace espalier
