#include "apps/espalier/class_scores.hpp"

#include <utility>

#include "core/base/error.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {

ClassScores::ClassScores(std::int64_t classes, std::vector<std::string> labels)
    : classes_(static_cast<std::size_t>(classes)),
      labels_(std::move(labels)),
      counts_(classes_ <= kMost ? classes_ * classes_ : 0) {}

void ClassScores::add(const std::vector<int>& answers, const std::vector<int>& labels) {
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    require(label < classes_, "the data", "has a class ", label, ", the model tells ", classes_,
            " apart");
    right_ += answers[i] == labels[i];
    if (!counts_.empty()) ++counts_[label * classes_ + static_cast<std::size_t>(answers[i])];
  }
}

void ClassScores::require_counts() const {
  require(!counts_.empty(), "--confusion", "is for at most ", kMost, " classes; the model tells ",
          classes_, " apart");
}

std::int64_t ClassScores::images(std::size_t label) const {
  std::int64_t sum = 0;
  for (std::size_t answer = 0; answer < classes_; ++answer) sum += count(label, answer);
  return sum;
}

std::string ClassScores::name(std::size_t label) const {
  return label < labels_.size() ? labels_[label] : std::to_string(label);
}

std::string ClassScores::text(const std::string& examples_are, std::size_t width) const {
  constexpr std::size_t kShown = 20;
  Column names{.header = "class", .left = true}, examples{examples_are}, right{"right"};
  std::vector<Column> columns;
  for (std::size_t c = 0; c < classes_; ++c) {
    const auto all = images(c);
    names.cells.push_back(printable(name(c)));
    examples.cells.push_back(with_commas(all));
    right.cells.push_back(
        all == 0 ? "-" : percent(static_cast<double>(count(c, c)) / static_cast<double>(all)));
  }
  columns = {names, examples, right};
  for (std::size_t answer = 0; answer < classes_ && classes_ <= kShown; ++answer) {
    Column taken{"as " + printable(name(answer))};
    for (std::size_t c = 0; c < classes_; ++c)
      taken.cells.push_back(count(c, answer) == 0 ? "" : with_commas(count(c, answer)));
    columns.push_back(taken);
  }
  return table(columns, width);
}

nlohmann::json ClassScores::json() const {
  nlohmann::json classes = nlohmann::json::array(), confusion = nlohmann::json::array();
  for (std::size_t c = 0; c < classes_; ++c) {
    const auto all = images(c);
    classes.push_back({{"label", name(c)}, {"images", all}, {"right", count(c, c)}});
    classes.back()["accuracy"] =
        all == 0 ? nlohmann::json()
                 : nlohmann::json(static_cast<double>(count(c, c)) / static_cast<double>(all));
    confusion.push_back(std::vector<std::int64_t>(
        counts_.begin() + static_cast<std::ptrdiff_t>(c * classes_),
        counts_.begin() + static_cast<std::ptrdiff_t>((c + 1) * classes_)));
  }
  return {{"classes", classes}, {"confusion", confusion}};
}

}  // namespace espalier::apps
