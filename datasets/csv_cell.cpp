#include "datasets/csv_cell.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

namespace espalier::datasets {

std::optional<double> any_number(const std::string& cell) {
  const bool plus = cell.starts_with('+');
  if (plus && cell.starts_with("+-")) return std::nullopt;
  double value = 0;
  const char* begin = cell.data() + (plus ? 1 : 0);
  const char* end = cell.data() + cell.size();
  const auto [stop, failure] = std::from_chars(begin, end, value);
  if (failure == std::errc::invalid_argument || stop != end) return std::nullopt;
  return failure == std::errc{} ? value : std::numeric_limits<double>::infinity();
}

std::optional<double> number(const std::string& cell) {
  const auto value = any_number(cell);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

bool missing(const std::string& cell) {
  static const std::vector<std::string> kNone = {"",    "?",   "NA",   "N/A",
                                                 "NaN", "nan", "null", "None"};
  return std::ranges::find(kNone, cell) != kNone.end();
}

}  // namespace espalier::datasets
