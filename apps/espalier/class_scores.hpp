// Which class was taken for which, over labelled examples.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace espalier::apps {

class ClassScores {
 public:
  // labels: the classes' names; may be empty.
  ClassScores(std::int64_t classes, std::vector<std::string> labels);

  // One answer an example; labels 0..classes-1.
  void add(const std::vector<int>& answers, const std::vector<int>& labels);

  std::int64_t right() const { return right_; }
  // What text() and json() want. Errors: kUsage for too many classes to count pairs of.
  void require_counts() const;
  // A row a class: how many examples, the share that is right, and, of at most 20 classes, how many
  // were taken for each.
  // examples_are: "images" or "rows".
  std::string text(const std::string& examples_are, std::size_t width) const;
  // {"classes": [{"label", "images", "right", "accuracy"}], "confusion": a row a label, a column an
  // answer}; the accuracy of a class without examples is null.
  nlohmann::json json() const;

 private:
  std::int64_t count(std::size_t label, std::size_t answer) const {
    return counts_[label * classes_ + answer];
  }
  std::int64_t images(std::size_t label) const;
  std::string name(std::size_t label) const;

  std::size_t classes_;
  std::vector<std::string> labels_;
  static constexpr std::size_t kMost = 2048;
  std::vector<std::int64_t> counts_;  // [label answer]; of more classes none
  std::int64_t right_ = 0;
};

}  // namespace espalier::apps
