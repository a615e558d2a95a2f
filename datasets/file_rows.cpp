#include "datasets/file_rows.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/bytes.hpp"
#include "datasets/csv_cell.hpp"
#include "datasets/csv_reader.hpp"

namespace espalier::datasets {

FileRows::FileRows(Options options) : o_(std::move(options)) {
  require(o_.file != nullptr && !o_.labels.empty() && o_.offsets.size() == o_.labels.size() + 1 &&
              (o_.targets.empty() || o_.targets.size() == o_.labels.size()),
          "FileRows", "has ", o_.labels.size(), " labels and ", o_.targets.size(), " targets for ",
          o_.offsets.size(), " places");
}

void FileRows::read(std::int64_t row, std::span<float> to) const {
  check_index(row, size());
  const auto unchanged = [&](bool ok) {
    require(ok, ErrorKind::kIo, o_.file->name(), "was changed while it was in use; start again");
  };
  const std::uint64_t begin = o_.offsets[static_cast<std::size_t>(row)],
                      end = o_.offsets[static_cast<std::size_t>(row) + 1];
  Bytes text(static_cast<std::size_t>(end - begin));
  o_.file->read(begin, text);
  std::vector<std::string> cells;
  try {
    CsvReader reader(text, o_.file->name());
    reader.next(cells);
  } catch (const Error&) {
    unchanged(false);
  }
  unchanged(cells.size() == o_.cells);
  for (std::size_t k = 0; k < o_.features.size(); ++k) {
    const auto value = number(cells[o_.features[k]]);
    unchanged(value.has_value());
    to[k] = static_cast<float>(*value);
  }
}

Example FileRows::get(std::int64_t i) const {
  const auto at = static_cast<std::size_t>(i);
  check_index(i, size());
  Example example{Tensor::uninitialized(image_shape()), o_.labels[at],
                  o_.targets.empty() ? 0.0f : o_.targets[at]};
  const auto values = example.image.mutable_values();
  read(i, values);
  std::ranges::transform(values, o_.scalings, values.begin(), scaled);
  return example;
}

}  // namespace espalier::datasets
