// What a run has made, for people or as JSON.
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/common/expectation.hpp"
#include "apps/common/own_command.hpp"
#include "apps/train/training_run.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "core/base/warn.hpp"
#include "optim/training/chance.hpp"

namespace espalier::apps {

namespace fs = std::filesystem;

std::string TrainingRun::quality(const Row& row) const {
  if (!data_.target) return percent(row.accuracy) + " of the test " + data_.examples();
  std::ostringstream text;
  text << "RMSE " << row.numbers.rmse() << ", R2 " << fixed(row.numbers.r2(), 4)
       << " of the test rows";
  return text.str();
}

bool TrainingRun::has_learned(const Row& row) const {
  constexpr double kHardly = 0.01;  // of an R2
  if (data_.target) return row.numbers.r2() > kHardly;
  return !training::is_at_chance(row.accuracy, *data_.data.test);
}

void TrainingRun::warn_of_nothing() const {
  if (has_learned(rows_.back())) return;
  const datasets::Dataset& test = *data_.data.test;
  std::string text = "train: " + printable(options_.out.string()) +
                     " has learned nothing: " + quality(rows_.back()) + ", where " +
                     (data_.target ? "always saying the mean has an R2 of 0"
                                   : "the most frequent class alone is right on " +
                                         percent(training::most_frequent_share(test)));
  const auto had = std::ranges::find_if(rows_.rbegin(), rows_.rend(),
                                        [this](const Row& row) { return has_learned(row); });
  if (had != rows_.rend()) {
    text += "; behind '" + had->stage + "' it was " + quality(*had) + ": ask less of '" +
            std::prev(had)->stage + "', or give it more epochs";
  } else {
    text += "; train longer, or with another learning rate (\"learning_rate\" in the recipe)";
    if (!data_.columns.empty()) text += "; is the label the right column?";
  }
  warn_on_standard_error(text);
}

void TrainingRun::report() const {
  const double first = static_cast<double>(rows_.front().deflate_bytes);
  if (options_.json) {
    nlohmann::json all{{"model", options_.model},          {"seed", options_.seed},
                       {"synthetic", data_.synthetic},     {"data", data_.name},
                       {"file", options_.out.string()},    {"file_bytes", file_.size()},
                       {"stages", nlohmann::json::array()}};
    if (!options_.weights.empty()) {
      all["weights"] = options_.weights.string();
      all["weights_bytes"] = weights_.size();
    }
    for (const Row& row : rows_) {
      nlohmann::json stage{{"stage", row.stage},
                           {"deflate_bytes", row.deflate_bytes},
                           {"file_bytes", row.file_bytes}};
      if (data_.target)
        stage.update({{"rmse", row.numbers.rmse()}, {"r2", row.numbers.r2()}});
      else
        stage["accuracy"] = row.accuracy;
      for (const auto& [name, sparsity] : row.sparsities)
        stage["sparsities"][name] = shortest_decimal(sparsity);
      all["stages"].push_back(stage);
    }
    std::cout << all.dump() << '\n';
    return;
  }
  Column stage{.header = "stage", .left = true}, accuracy{"accuracy"}, rmse{"RMSE"}, r2{"R2"},
      deflate{"DEFLATE bytes"}, bytes{".esp bytes"}, smaller{"smaller"};
  for (const Row& row : rows_) {
    stage.cells.push_back(row.stage);
    accuracy.cells.push_back(percent(row.accuracy));
    std::ostringstream error;
    if (data_.target) error << row.numbers.rmse();
    rmse.cells.push_back(error.str());
    r2.cells.push_back(data_.target ? fixed(row.numbers.r2(), 4) : "");
    deflate.cells.push_back(with_commas(static_cast<std::int64_t>(row.deflate_bytes)));
    bytes.cells.push_back(with_commas(static_cast<std::int64_t>(row.file_bytes)));
    smaller.cells.push_back(fixed(first / static_cast<double>(row.file_bytes), 1) + "x");
  }
  std::vector<Column> columns{stage, accuracy, deflate, bytes, smaller};
  if (data_.target) columns = {stage, rmse, r2, deflate, bytes, smaller};
  std::cout << table(columns, terminal_width(1))
            << (data_.target ? "Root mean squared error and R2 on the " : "Accuracy on the ")
            << with_commas(data_.data.test->size()) << " test " << data_.examples() << " of "
            << printable(data_.name)
            << ". DEFLATE: of the float parameters; smaller: those of the first stage by the .esp "
               "file.\n"
            << printable(options_.out.string()) << ": " << with_commas(std::ssize(file_))
            << " bytes written\n";
  const std::string weights = printable(options_.weights.string());
  if (log_)
    std::cout << printable(options_.log.string()) << ": "
              << with_commas(static_cast<std::int64_t>(fs::file_size(options_.log)))
              << " bytes written\n";
  if (!weights.empty())
    std::cout << weights << ": " << with_commas(std::ssize(weights_)) << " bytes written\n";
  const std::string file = printable(shell_word(options_.out.string()));
  std::cout << "Next: " << own_command() << " inspect " << file << ", or " << own_command() << ' '
            << (weights.empty() ? "eval " + file
                                : "verify " + file + " --against " +
                                      printable(shell_word(options_.weights.string())))
            << (data_.synthetic && !options_.data.path ? " --synthetic"
                                                       : printable(arguments_of(options_.data)))
            << '\n';
}

}  // namespace espalier::apps
