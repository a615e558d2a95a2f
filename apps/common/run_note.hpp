// A run's note says what it is made from, line by line, so that another one can tell whether it is the same.
#pragma once

#include <string>
#include <string_view>

namespace espalier::apps {

// Where two notes part: "'lenet5, seed 2' there, 'lenet5, seed 1' here"; "" for equal ones.
std::string difference(std::string_view there, std::string_view here);

}  // namespace espalier::apps
