// espalier-toolbox, which `espalier toolbox` calls: every technique of TensorFlow Model
// Optimization on its MNIST tutorial's network, as one table.
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/common/program.hpp"
#include "apps/smallest/digits.hpp"
#include "apps/smallest/train_smallest.hpp"
#include "apps/toolbox/experiments.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/pack.hpp"
#include "compress/runtime/costs.hpp"
#include "compress/runtime/stages.hpp"
#include "core/base/file.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "core/onednn/threads.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/tutorial_models.hpp"

namespace espalier::apps {
namespace {

struct ToolboxOptions {
  std::optional<std::filesystem::path> data;
  bool synthetic = false, json = false, quiet = false;
  std::vector<std::uint64_t> seeds = {1, 2, 3};
  std::optional<std::int64_t> images;
  std::optional<std::filesystem::path> out;
  std::vector<std::string> only;  // experiments whose names hold one of these; none: all
};

std::vector<Experiment> chosen(const std::vector<std::string>& only) {
  const auto matches = [](const Experiment& e, const std::string& part) {
    return e.name.find(part) != std::string::npos;
  };
  std::vector<std::string> names;
  for (const Experiment& e : experiments()) names.push_back("'" + e.name + "'");
  for (const std::string& part : only)
    require(std::ranges::any_of(experiments(), [&](const auto& e) { return matches(e, part); }),
            "--only", "no experiment's name holds '", part, "'; there are: ", join(names, ", "));
  std::vector<Experiment> found;
  for (const Experiment& e : experiments())
    if (only.empty() || std::ranges::any_of(only, [&](const auto& p) { return matches(e, p); }))
      found.push_back(e);
  return found;
}

struct Measured {
  double accuracy = 0;
  std::int64_t file_bytes = 0, macs = 0;
  double smaller = 0, deflate = 0;  // the baseline's DEFLATE bytes by the file's, and by these
};

template <class T>
T median(std::vector<T> values) {
  std::ranges::sort(values);
  return values[(values.size() - 1) / 2];
}

std::int64_t macs_of(const format::PackedModel& packed) {
  const auto stages = runtime::stages(packed);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < packed.layers.size(); ++i)
    sum += runtime::macs(packed.layers[i], stages[i].shape);
  return sum;
}

Measured measure(const Outcome& outcome, const datasets::Dataset& test, double baseline_deflate) {
  const Bytes file = format::write(outcome.packed);
  return {.accuracy = 1 - error_of(file, test),
          .file_bytes = std::ssize(file),
          .macs = macs_of(outcome.packed),
          .smaller = baseline_deflate / static_cast<double>(file.size()),
          .deflate = baseline_deflate / static_cast<double>(outcome.deflate_bytes)};
}

// One row: medians over the seeds, each column by itself.
Measured middle(const std::vector<Measured>& seeds) {
  const auto of = [&](auto member) {
    std::vector<std::remove_cvref_t<decltype(seeds[0].*member)>> values;
    for (const Measured& m : seeds) values.push_back(m.*member);
    return median(values);
  };
  return {of(&Measured::accuracy), of(&Measured::file_bytes), of(&Measured::macs),
          of(&Measured::smaller), of(&Measured::deflate)};
}

bool holds(const Experiment& e, const Measured& m, const Measured& baseline) {
  return (e.deflate_to_deflate ? m.deflate : m.smaller) >= e.must_shrink &&
         m.accuracy >= e.must_accuracy && m.accuracy >= baseline.accuracy - e.must_drop;
}

std::string must(const Experiment& e) {
  std::vector<std::string> parts;
  if (e.must_shrink > 0)
    parts.push_back(fixed(e.must_shrink, 0) + "x" + (e.deflate_to_deflate ? " DEFLATE" : ""));
  if (e.must_accuracy > 0) parts.push_back(percent(e.must_accuracy, 1));
  if (e.must_drop < 1) parts.push_back("-" + fixed(100 * e.must_drop, 1));
  return join(parts, ", ");
}

class Toolbox {
 public:
  Toolbox(ToolboxOptions options, datasets::TrainTest data)
      : options_(std::move(options)),
        data_(std::move(data)),
        experiments_(chosen(options_.only)),
        rows_(experiments_.size()) {}

  void run() {
    for (const std::uint64_t seed : options_.seeds) run_seed(seed);
  }

  void print() const {
    const Measured baseline = middle(baseline_);
    if (options_.json) return print_json(baseline);
    Column name{.header = "experiment", .left = true}, theirs{.header = "theirs", .left = true},
        accuracy{"accuracy"}, bytes{".esp bytes"}, smaller{"smaller"}, deflate{"DEFLATE"},
        macs{"MACs"}, wanted{.header = "must", .left = true}, held{.header = "", .left = true};
    const auto add = [&](const std::string& row, const std::string& reported, const Measured& m) {
      name.cells.push_back(row);
      theirs.cells.push_back(reported);
      accuracy.cells.push_back(percent(m.accuracy));
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
    std::cout << table({name, theirs, accuracy, bytes, smaller, deflate, macs, wanted, held},
                       terminal_width(1))
              << "\nMedians of " << options_.seeds.size() << " seeds, "
              << (options_.synthetic ? "on synthetic digits, not MNIST" : "on MNIST's test images")
              << ". smaller: the baseline's DEFLATE bytes by the .esp file's;\n"
                 "DEFLATE: by the DEFLATE bytes of the float parameters, the toolkit's own "
                 "measure.\n";
  }

 private:
  void run_seed(std::uint64_t seed) {
    Start start{.seed = seed,
                .train = data_.train,
                .new_model = [seed] { return small_model(seed); },
                .trained_model = nullptr,
                .quiet = options_.quiet};
    Sequential baseline = train_baseline(start, 4);
    start.trained_model = [&] {
      Sequential copy = small_model(seed);
      copy_parameters(baseline, copy);
      return copy;
    };
    const double deflate = static_cast<double>(pack::deflate_bytes(baseline));
    const Outcome whole{pack::pack(baseline, data_.train->image_shape()),
                        static_cast<std::size_t>(deflate)};
    baseline_.push_back(measure(whole, *data_.test, deflate));
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const Experiment& experiment = experiments_[i];
      if (!options_.quiet) std::cerr << "seed " << seed << ": " << experiment.name << '\n';
      const Outcome outcome = experiment.run(start);
      rows_[i].push_back(measure(outcome, *data_.test, deflate));
      if (options_.out) {
        std::filesystem::create_directories(*options_.out);
        write_file(*options_.out / ("experiment-" + std::to_string(i + 1) + "-seed" +
                                    std::to_string(seed) + ".esp"),
                   format::write(outcome.packed));
      }
    }
  }

  void print_json(const Measured& baseline) const {
    const auto to_json = [](const std::string& name, const Measured& m) {
      return nlohmann::json{{"experiment", name},         {"accuracy", m.accuracy},
                            {"file_bytes", m.file_bytes}, {"smaller", m.smaller},
                            {"deflate", m.deflate},       {"macs", m.macs}};
    };
    nlohmann::json all{{"synthetic", options_.synthetic},
                       {"seeds", options_.seeds},
                       {"rows", {to_json("baseline", baseline)}}};
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const Measured m = middle(rows_[i]);
      all["rows"].push_back(to_json(experiments_[i].name, m));
      all["rows"].back()["holds"] = holds(experiments_[i], m, baseline);
    }
    std::cout << all.dump() << '\n';
  }

  ToolboxOptions options_;
  datasets::TrainTest data_;
  std::vector<Experiment> experiments_;
  std::vector<Measured> baseline_;
  std::vector<std::vector<Measured>> rows_;
};

void run_toolbox(ToolboxOptions options) {
  install_interrupt_handler();
  set_threads(1);
  chosen(options.only);  // checks, before anything is read
  const Digits digits = load_digits(options.data, options.synthetic, options.images);
  options.synthetic = digits.synthetic;
  if (options.json) options.quiet = true;
  require(!options.seeds.empty(), "--seeds", "wants at least one");
  Toolbox toolbox(options, digits.data);
  toolbox.run();
  toolbox.print();
}

}  // namespace
}  // namespace espalier::apps

int main(int argc, char** argv) {
  using namespace espalier;
  using namespace espalier::apps;
  CLI::App app("Every technique of TensorFlow Model Optimization on its MNIST tutorial's network.");
  app.name("espalier toolbox");
  ToolboxOptions options;
  auto* data =
      app.add_option("--data", options.data,
                     "Folder with MNIST's IDX files, plain or .gz (default: $MNIST_DIR, then "
                     "~/.cache/espalier/mnist, then one download, then the built-in synthetic "
                     "digits)");
  app.add_flag("--synthetic", options.synthetic, "Use the built-in synthetic digits")
      ->excludes(data);
  app.add_option("--seeds", options.seeds, "Whose medians the table shows")->delimiter(',');
  app.add_option("--images", options.images,
                 "Only the first of the training images, for a quick look (default: all)")
      ->check(CLI::Range(std::int64_t{100}, std::int64_t{1} << 30));
  app.add_option("--only", options.only,
                 "Only the experiments whose names hold this (may be repeated)");
  app.add_option("--out", options.out, "Folder to keep the .esp files in (default: none is kept)");
  app.add_flag("--json", options.json, "Print one line of JSON, and nothing else");
  app.add_flag("-q,--quiet", options.quiet, "No progress");
  app.footer(
      "The network (a convolution, a pool, a dense layer: 20,410 parameters) is trained once a "
      "seed;\n"
      "each experiment starts from it. Some minutes a seed on MNIST.\n"
      "Examples: espalier toolbox --data mnist --seeds 1,2,3\n"
      "          espalier toolbox --seeds 1 --only 'dynamic range' --only float16");
  return run_program(app, argc, argv, [&] { run_toolbox(options); });
}
