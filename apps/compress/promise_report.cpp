// What a promise came to, for people or as JSON.
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/common/own_command.hpp"
#include "apps/compress/promise.hpp"
#include "apps/smallest/number_error.hpp"
#include "compress/format/reader.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "core/base/warn.hpp"

namespace espalier::apps {
namespace {

std::string short_number(double v) {
  std::ostringstream text;
  text << v;
  return text.str();
}

}  // namespace

std::string Promise::amount(double share) const {
  return fixed(100 * share, 2) + (of_numbers() ? " % more RMSE" : " points");
}

std::string Promise::quality(const Bytes& file, const datasets::Dataset& images) const {
  if (!of_numbers()) return percent(1 - error_of(file, images)) + " right";
  const NumberScores scores = number_scores(file, images, *data_.target);
  return "RMSE " + short_number(scores.rmse()) + ", R2 " + fixed(scores.r2(), 4);
}

nlohmann::json Promise::to_json() const {
  nlohmann::json all{{"file", (options_.out / "best.esp").string()},
                     {"file_bytes", best().file.size()},
                     {"kept", holds(best())},
                     {"tries", nlohmann::json::array()}};
  const auto measured = [&](const char* part, const Bytes& file, const datasets::Dataset& images) {
    const std::string name = part;
    if (of_numbers())
      all[name + "_rmse"] = number_scores(file, images, *data_.target).rmse();
    else
      all[name + "_accuracy"] = 1 - error_of(file, images);
  };
  measured("validation", best().file, *images_.validation);
  measured("test", best().file, *data_.data.test);
  all[of_numbers() ? "float_validation_rmse" : "float_validation_accuracy"] =
      of_numbers() ? float_rmse_ : whole_;
  all[of_numbers() ? "max_drop_percent_of_rmse" : "max_drop_points"] = options_.max_drop;
  for (const Try& one : tries_) {
    nlohmann::json costs = nlohmann::json::object();
    for (const auto& [layer, drop] : one.costs) costs[layer] = drop;
    all["tries"].push_back(
        {{"change", one.change}, {"file_bytes", one.bytes}, {"layer_drops", costs}});
    if (of_numbers())
      all["tries"].back()["validation_rmse"] = -one.score * float_rmse_;
    else
      all["tries"].back()["validation_accuracy"] = one.score;
  }
  return all;
}

void Promise::report() const {
  if (tries_.empty()) return;
  if (options_.json) {
    std::cout << to_json().dump() << '\n';
    return;
  }
  Column change{.header = "try", .left = true}, bytes{".esp bytes"},
      good{of_numbers() ? "RMSE" : "accuracy"}, drop{of_numbers() ? "% more RMSE" : "points lost"},
      cost{.header = "costs most", .left = true};
  for (const Try& one : tries_) {
    change.cells.push_back(one.change);
    bytes.cells.push_back(with_commas(one.bytes));
    good.cells.push_back(of_numbers() ? short_number(-one.score * float_rmse_)
                                      : percent(one.score));
    drop.cells.push_back(fixed(100 * lost(one), 2));
    cost.cells.push_back(one.costs.empty() ? ""
                                           : one.costs.front().layer + ", alone " +
                                                 fixed(100 * one.costs.front().drop, 2));
  }
  const std::string file = (options_.out / "best.esp").string();
  std::cout << table({change, bytes, good, drop, cost}, terminal_width(1))
            << (of_numbers() ? "RMSE on " : "Accuracy on ")
            << with_commas(images_.validation->size()) << " validation " << data_.examples()
            << ", by the file as it runs; in float "
            << (of_numbers() ? short_number(float_rmse_) : percent(whole_)) << ".\n"
            << printable(file) << ": " << with_commas(std::ssize(best().file)) << " bytes; on the "
            << "test " << data_.examples() << ' ' << quality(best().file, *data_.data.test)
            << "; made by " << printable((options_.out / "recipe.json").string())
            << "\nNext: " << own_command() << " inspect " << printable(shell_word(file)) << '\n';
}

void Promise::warn_of_nothing() const {
  const auto model = format::read(best().file, "best.esp");
  for (const format::PackedLayer& l : model.layers)
    if (!l.weight.shape.empty() &&
        (l.weight.bits < 32 || std::ranges::count(l.weight.values, 0.0f) > 0))
      return;
  warn_on_standard_error(
      "compress: the file holds all weights as floats, none of them at zero: nothing is compressed "
      "any more; allow a larger --max-drop, or train longer");
}

void Promise::require_kept() const {
  if (holds(best())) return;
  const auto& costs = best().costs;
  fail(ErrorKind::kTargetMissed, "compress", "the best file costs ", amount(lost(best())),
       " where ", fixed(options_.max_drop, 2), " are allowed",
       costs.empty() || costs.front().drop <= 0
           ? std::string("; no layer's weights cost anything alone: give activations more bits, or "
                         "train longer")
           : "; layer " + costs.front().layer + " costs most, " + amount(costs.front().drop) +
                 " alone: ask less of it in " + options_.recipe.string() + ", or train longer",
       out_of_time_ ? ", or give it more --minutes: the same command goes on" : "");
}

}  // namespace espalier::apps
