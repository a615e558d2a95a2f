// Rows of a CSV file that stay in the file: parsed when they are asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/open_file.hpp"
#include "datasets/dataset.hpp"
#include "datasets/feature_rows.hpp"

namespace espalier::datasets {

class FileRows : public Dataset {
 public:
  struct Options {
    std::shared_ptr<const OpenFile> file;
    std::vector<std::uint64_t> offsets;  // [N + 1]: where each row begins, and the end
    std::size_t cells = 0;               // of a row
    std::vector<std::size_t> features;   // their places in it
    std::vector<int> labels;             // [N], 0..classes-1
    int classes = 1;
    std::vector<float> targets = {};  // none, or [N]
    std::vector<Scaling> scalings = {};
  };
  // Of a file that was checked, row by row. Errors: kUsage when the counts do not fit.
  explicit FileRows(Options options);

  std::int64_t size() const override { return std::ssize(o_.labels); }
  // As FeatureRows::get() gives them. Errors: kIo where the file was changed since.
  Example get(std::int64_t i) const override;
  Shape image_shape() const override { return {1, 1, std::ssize(o_.features)}; }
  int classes() const override { return o_.classes; }
  bool has_targets() const override { return !o_.targets.empty(); }

  // The features as they stand there. Errors: kIo as get().
  void read(std::int64_t row, std::span<float> to) const;
  void set_scalings(std::vector<Scaling> scalings) { o_.scalings = std::move(scalings); }

 private:
  Options o_;
};

}  // namespace espalier::datasets
