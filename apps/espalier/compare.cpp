// espalier compare A.esp B.esp: bytes, accuracy and latency side by side, and where they disagree.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/common/model_input.hpp"
#include "apps/common/number_scores.hpp"
#include "apps/espalier/commands.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/progress.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"
#include "core/tensor/argmax.hpp"

namespace espalier::apps {
namespace {

struct CompareOptions {
  std::filesystem::path a, b;
  DataOptions data;
  bool json = false, quiet = false;
};

// One of the two files, and what was found of it.
struct Side {
  explicit Side(const std::filesystem::path& path)
      : file(path.string()),
        bytes(static_cast<std::int64_t>(std::filesystem::file_size(path))),
        model(runtime::Model::load(path)),
        session(model, {.batch = kBatch}) {
    runtime::Session single(model);
    latency_us = runtime::latency_us(single);
  }
  Side(const Side&) = delete;  // the session keeps a reference to the model
  Side& operator=(const Side&) = delete;

  ModelInput input() const { return input_of(file, model.packed()); }
  std::span<const float> outputs(const Tensor& images) {
    const auto logits = session.run(images);
    require(std::ranges::all_of(logits, [](float v) { return std::isfinite(v); }),
            ErrorKind::kCorrupt, file, "gives logits that are not finite");
    return logits;
  }
  std::vector<int> answers(const Tensor& images) {
    return argmax_rows(outputs(images), session.classes());
  }
  // In the table's unit; counted.
  std::vector<double> predictions(const datasets::Batch& batch) {
    const auto& [mean, deviation] = *model.packed().target;
    std::vector<double> all;
    for (const float v : outputs(batch.images))
      all.push_back(double{mean} + double{deviation} * double{v});
    for (std::size_t i = 0; i < all.size(); ++i)
      numbers.add(all[i], double{mean} + double{deviation} * double{batch.targets[i]});
    return all;
  }
  nlohmann::json json(std::int64_t images) const {
    nlohmann::json all{{"file", file}, {"bytes", bytes}, {"latency_us", latency_us}};
    if (model.packed().target)
      all.update({{"rmse", numbers.rmse()}, {"r2", numbers.r2()}});
    else
      all.update({{"accuracy", share(right, images)}, {"only_right", only_right}});
    return all;
  }
  static double share(std::int64_t part, std::int64_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  }

  static constexpr std::int64_t kBatch = 100;
  std::string file;
  std::int64_t bytes;
  runtime::Model model;
  runtime::Session session;
  double latency_us = 0;
  NumberScores numbers;
  std::int64_t right = 0, only_right = 0;  // only_right: where the other one is wrong
};

// "2.5x smaller", "1.3x larger", "the same".
std::string ratio(double a, double b, const std::string& less, const std::string& more) {
  const std::string times = fixed(std::max(a, b) / std::min(a, b), 1);
  return a == b           ? "the same"
         : times == "1.0" ? "nearly the same"
                          : times + "x " + (b < a ? less : more);
}

// What both sides said of all examples.
struct Together {
  std::int64_t examples = 0, differ = 0;
  double largest = 0;  // difference of two predicted numbers
};

std::string number(double v) {
  std::ostringstream text;
  text << v;
  return text.str();
}

// The table's column of how good they are: A, B, and B against A.
Column quality(const Side& a, const Side& b, const Together& both) {
  if (a.model.packed().target) {
    const double growth = growth_percent(b.numbers.rmse(), a.numbers.rmse());
    return {"RMSE",
            {number(a.numbers.rmse()), number(b.numbers.rmse()),
             growth == 0 ? "the same"
                         : fixed(std::abs(growth), 2) + (growth > 0 ? " % larger" : " % smaller")}};
  }
  const auto accuracy = [&](const Side& side) { return Side::share(side.right, both.examples); };
  const double points = 100 * (accuracy(b) - accuracy(a));
  return {
      "accuracy",
      {percent(accuracy(a)), percent(accuracy(b)),
       points == 0 ? "the same"
                   : fixed(std::abs(points), 2) + " points " + (points > 0 ? "better" : "worse")}};
}

void print(const Side& a, const Side& b, const Together& both, const TrainingData& data) {
  const auto [_, good, left] = quality(a, b, both);
  const bool numbers = a.model.packed().target.has_value();
  std::cout << "A: " << printable(a.file) << "\nB: " << printable(b.file) << '\n'
            << table({{"",
                       {"bytes", numbers ? "RMSE" : "accuracy",
                        data.columns.empty() ? "us an image" : "us a row"},
                       true},
                      {"A", {with_commas(a.bytes), good[0], fixed(a.latency_us, 1)}},
                      {"B", {with_commas(b.bytes), good[1], fixed(b.latency_us, 1)}},
                      {"B is",
                       {ratio(static_cast<double>(a.bytes), static_cast<double>(b.bytes), "smaller",
                              "larger"),
                        good[2], ratio(a.latency_us, b.latency_us, "faster", "slower")},
                       true}},
                     terminal_width(STDOUT_FILENO));
  const std::string of = with_commas(both.examples);
  if (numbers)
    std::cout << "Root mean squared error on " << of << " test rows (" << printable(data.name)
              << "); their predictions differ by at most " << both.largest << ".\n";
  else
    std::cout << "They disagree on " << with_commas(both.differ) << " of " << of << " test "
              << data.examples() << " (" << printable(data.name) << "): A alone is right on "
              << with_commas(a.only_right) << ", B alone on " << with_commas(b.only_right)
              << ", neither on " << with_commas(both.differ - a.only_right - b.only_right) << ".\n";
}

void add_numbers(Side& a, Side& b, const datasets::Batch& batch, Together& both) {
  const auto of_a = a.predictions(batch), of_b = b.predictions(batch);
  for (std::size_t i = 0; i < of_a.size(); ++i)
    both.largest = std::max(both.largest, std::abs(of_a[i] - of_b[i]));
}

void add_answers(Side& a, Side& b, const datasets::Batch& batch, Together& both) {
  const auto of_a = a.answers(batch.images), of_b = b.answers(batch.images);
  for (std::size_t i = 0; i < of_a.size(); ++i) {
    const bool a_right = of_a[i] == batch.labels[i], b_right = of_b[i] == batch.labels[i];
    a.right += a_right;
    b.right += b_right;
    a.only_right += a_right && !b_right;
    b.only_right += b_right && !a_right;
    both.differ += of_a[i] != of_b[i];
  }
}

void compare(const CompareOptions& options) {
  require(!options.b.empty(), "compare", "wants two .esp files, and ",
          options.a.empty() ? "none is" : "the second is not",
          options.a.empty() ? " named" : " named; the first is " + options.a.string(),
          ": espalier compare A.esp B.esp");
  Side a(options.a), b(options.b);
  require(a.session.classes() == b.session.classes() && a.input().shape == b.input().shape, b.file,
          "takes other images or knows other classes than ", a.file);
  require_same_table(a.model.packed(), b.model.packed(), b.file);
  DataOptions wanted = options.data;
  wanted.quiet = options.json || options.quiet;
  const TrainingData data = load_data_for(a.input(), wanted);
  const auto& test = *data.data.test;
  Progress progress("compare", test.size(), data.examples(), wanted.quiet);
  Together both;
  datasets::for_each_batch(test, test.size(), Side::kBatch, [&](const datasets::Batch& batch) {
    (data.target ? add_numbers : add_answers)(a, b, batch, both);
    progress.update(both.examples += std::ssize(batch.labels));
  });
  progress.finish();
  if (!options.json) return print(a, b, both, data);
  nlohmann::json all{{"data", data.name},
                     {"images", test.size()},
                     {"a", a.json(test.size())},
                     {"b", b.json(test.size())}};
  if (data.target)
    all["largest_difference"] = both.largest;
  else
    all["disagreements"] = both.differ;
  std::cout << all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

}  // namespace

void add_compare(CLI::App& app) {
  auto o = std::make_shared<CompareOptions>();
  auto* command = app.add_subcommand("compare", "Two models side by side on the same test images");
  command->add_option("a", o->a, "An .esp file")->option_text("A.esp REQUIRED");
  command->add_option("b", o->b, "Another, for the same images and classes")
      ->option_text("B.esp REQUIRED");
  add_data_options(*command, o->data);
  command->add_flag("--json", o->json, "Print one line of JSON");
  command->add_flag("-q,--quiet", o->quiet, "No progress");
  command->footer(
      "Bytes of the files; accuracy on all test images; microseconds for one image, the median of\n"
      "some hundred runs on one thread of this machine. Two models may be right equally often and\n"
      "yet disagree: on how many images they do, and which of them is right there, stands below.\n"
      "Of models of numbers: the root mean squared error on the test rows, in the table's unit.\n"
      "Examples: espalier compare espalier-out/baseline.esp espalier-out/quantized.esp\n"
      "          espalier compare a.esp b.esp --data flowers --json | jq .disagreements");
  command->callback([o] { compare(*o); });
}

}  // namespace espalier::apps
