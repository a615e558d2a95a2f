// The rows of compression records: network, training, and what each must reach.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/smallest/recipe.hpp"

namespace espalier::apps {

struct Row {
  std::string name;             // "M1"
  std::string architecture;     // the network of which this one is a part: "LeNet-5-Caffe"
  double most_error = 0;        // of the median, a fraction
  std::int64_t must_bytes = 0;  // of the median file
  Recipe recipe;
};

const std::vector<Row>& rows();
// Errors: kUsage, naming those that exist.
Row row_named(const std::string& name);

}  // namespace espalier::apps
