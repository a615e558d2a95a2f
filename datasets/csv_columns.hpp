// Which columns of a CSV file are what: by their names where there is a header, else by position.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datasets/csv.hpp"
#include "datasets/csv_reader.hpp"

namespace espalier::datasets {

struct CsvColumns {
  std::vector<std::string> names;     // of every cell of a row; "column 3" without a header
  std::vector<std::size_t> features;  // their places in a row, in the model's order
  std::optional<std::size_t> label;
  bool header = false;
};

// By the file's first row. options.names, where there is a header, choose the features, and
// options.label_name the label where options.label is empty; whatever else is in the file is left out.
// `label_wanted` false: without options.label no column is the label, and all others are features
// where no names choose them. Errors: kCorrupt for a single column where a label is wanted, and two
// features of one name; kUsage for a label or a feature that the file does not have, or has twice,
// naming what it has and what was nearly meant.
CsvColumns csv_columns(const std::vector<std::string>& first, const CsvReader& reader,
                       const CsvOptions& options, bool label_wanted = true);

}  // namespace espalier::datasets
