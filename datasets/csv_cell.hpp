// What a cell of a table says.
#pragma once

#include <optional>
#include <string>

namespace espalier::datasets {

// The number that the text stands for: infinite for "inf" and "1e400".
std::optional<double> any_number(const std::string& cell);

// A finite one, to learn from.
std::optional<double> number(const std::string& cell);

// Whether it stands for a value that is missing: "", "NA" and the like.
bool missing(const std::string& cell);

}  // namespace espalier::datasets
