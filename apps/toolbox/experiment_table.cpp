#include "apps/toolbox/experiment_table.hpp"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/toolbox/chosen.hpp"
#include "compress/format/writer.hpp"
#include "core/base/file.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/tutorial_models.hpp"

namespace espalier::apps {
namespace {

bool holds(const Experiment& e, const Measured& m, const Measured& baseline) {
  const double macs = static_cast<double>(m.macs) / static_cast<double>(baseline.macs);
  return macs <= e.must_macs && (e.deflate_to_deflate ? m.deflate : m.smaller) >= e.must_shrink &&
         m.accuracy >= e.must_accuracy && m.drop <= e.must_drop;
}

std::string must(const Experiment& e) {
  std::vector<std::string> parts;
  if (e.must_shrink > 0)
    parts.push_back(fixed(e.must_shrink, 0) + "x" + (e.deflate_to_deflate ? " DEFLATE" : ""));
  if (e.must_accuracy > 0) parts.push_back(percent(e.must_accuracy, 1));
  if (e.must_macs < 1) parts.push_back(percent(e.must_macs, 0) + " MACs");
  if (e.must_drop < 1) parts.push_back("-" + fixed(100 * e.must_drop, 1));
  return join(parts, ", ");
}

}  // namespace

std::vector<Experiment> chosen(const std::vector<std::string>& only) {
  return chosen_of(experiments(), only, "experiment");
}

ExperimentTable::ExperimentTable(ToolboxOptions options, TrainingData data)
    : options_(std::move(options)),
      data_(std::move(data)),
      experiments_(chosen(options_.only)),
      rows_(experiments_.size()) {}

void ExperimentTable::run() {
  for (const std::uint64_t seed : options_.seeds) run_seed(seed);
}

void ExperimentTable::print() const {
  const Measured baseline = middle(baseline_);
  if (options_.json) return print_json(baseline);
  Column name{.header = "experiment", .left = true}, theirs{.header = "theirs", .left = true},
      accuracy{"accuracy"}, lost{"lost"}, bytes{".esp bytes"}, smaller{"smaller"},
      deflate{"DEFLATE"}, macs{"MACs"}, wanted{.header = "must", .left = true},
      held{.header = "", .left = true};
  const auto add = [&](const std::string& row, const std::string& reported, const Measured& m) {
    name.cells.push_back(row);
    theirs.cells.push_back(reported);
    accuracy.cells.push_back(percent(m.accuracy));
    lost.cells.push_back(fixed(100 * m.drop, 2));
    bytes.cells.push_back(with_commas(m.file_bytes));
    smaller.cells.push_back(fixed(m.smaller, 1) + "x");
    deflate.cells.push_back(fixed(m.deflate, 2) + "x");
    macs.cells.push_back(with_commas(m.macs));
  };
  add("baseline", "97.94 %", baseline);
  wanted.cells.emplace_back();
  held.cells.emplace_back();
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Measured m = middle(rows_[i]);
    add(experiments_[i].name, experiments_[i].theirs, m);
    wanted.cells.push_back(must(experiments_[i]));
    held.cells.push_back(holds(experiments_[i], m, baseline) ? "yes" : "NO");
  }
  std::cout
      << table({name, theirs, accuracy, lost, bytes, smaller, deflate, macs, wanted, held},
               terminal_width(1))
      << "\nMedians of " << options_.seeds.size() << " seeds, "
      << ("on the test images of " + data_.name)
      << ".\nlost: points below the baseline, of 1 + 1 epochs below its own, which has one epoch;\n"
         "smaller: the baseline's DEFLATE bytes by the .esp file's;\n"
         "DEFLATE: by the DEFLATE bytes of the float parameters, the toolkit's own "
         "measure.\n";
}

void ExperimentTable::require_targets() const {
  const Measured baseline = middle(baseline_);
  std::vector<std::string> missed;
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (!holds(experiments_[i], middle(rows_[i]), baseline))
      missed.push_back("'" + experiments_[i].name + "' (wants " + must(experiments_[i]) + ")");
  require(missed.empty(), ErrorKind::kTargetMissed, "toolbox", missed.size(), " of ", rows_.size(),
          " experiments miss what they must reach: ", join(missed, ", "));
}

void ExperimentTable::run_seed(std::uint64_t seed) {
  Start start{.seed = seed,
              .train = data_.data.train,
              .new_model = [seed] { return small_model(seed); },
              .trained_model = nullptr,
              .quiet = options_.quiet};
  Sequential baseline = train_baseline(start);
  start.trained_model = [&] {
    Sequential copy = small_model(seed);
    copy_parameters(baseline, copy);
    return copy;
  };
  const Outcome whole = floats(baseline, start);
  Baseline known{.deflate_bytes = static_cast<double>(whole.deflate_bytes)};
  baseline_.push_back(measure(whole, *data_.data.test, known));
  known.accuracy = baseline_.back().accuracy;
  baseline_.back().drop = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Experiment& experiment = experiments_[i];
    if (!options_.quiet) std::cerr << "seed " << seed << ": " << experiment.name << '\n';
    const Outcome outcome = experiment.run(start);
    rows_[i].push_back(measure(outcome, *data_.data.test, known));
    if (options_.out) {
      std::filesystem::create_directories(*options_.out);
      write_file(*options_.out / ("experiment-" + std::to_string(i + 1) + "-seed" +
                                  std::to_string(seed) + ".esp"),
                 format::write(outcome.packed));
    }
  }
}

void ExperimentTable::print_json(const Measured& baseline) const {
  const auto to_json = [](const std::string& name, const Measured& m) {
    return nlohmann::json{{"experiment", name},   {"accuracy", m.accuracy},
                          {"drop", m.drop},       {"file_bytes", m.file_bytes},
                          {"smaller", m.smaller}, {"deflate", m.deflate},
                          {"macs", m.macs}};
  };
  nlohmann::json all{{"synthetic", data_.synthetic},
                     {"seeds", options_.seeds},
                     {"rows", {to_json("baseline", baseline)}}};
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Measured m = middle(rows_[i]);
    all["rows"].push_back(to_json(experiments_[i].name, m));
    all["rows"].back()["holds"] = holds(experiments_[i], m, baseline);
  }
  std::cout << all.dump() << '\n';
}

}  // namespace espalier::apps
