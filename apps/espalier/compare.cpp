// espalier compare A.esp B.esp: bytes, accuracy and latency side by side, and where they disagree.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/common/model_input.hpp"
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
  std::vector<int> answers(const Tensor& images) {
    const auto logits = session.run(images);
    require(std::ranges::all_of(logits, [](float v) { return std::isfinite(v); }),
            ErrorKind::kCorrupt, file, "gives logits that are not finite");
    return argmax_rows(logits, session.classes());
  }
  nlohmann::json json(std::int64_t images) const {
    return {{"file", file},
            {"bytes", bytes},
            {"accuracy", share(right, images)},
            {"latency_us", latency_us},
            {"only_right", only_right}};
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
  std::int64_t right = 0, only_right = 0;  // only_right: where the other one is wrong
};

// "2.5x smaller", "1.3x larger", "the same".
std::string ratio(double a, double b, const std::string& less, const std::string& more) {
  const std::string times = fixed(std::max(a, b) / std::min(a, b), 1);
  return a == b ? "the same" : times + "x " + (b < a ? less : more);
}

void print(const Side& a, const Side& b, std::int64_t images, std::int64_t differ,
           const std::string& data) {
  const auto accuracy = [&](const Side& side) { return Side::share(side.right, images); };
  const double points = 100 * (accuracy(b) - accuracy(a));
  std::cout << "A: " << printable(a.file) << "\nB: " << printable(b.file) << '\n'
            << table({{"", {"bytes", "accuracy", "us an image"}, true},
                      {"A", {with_commas(a.bytes), percent(accuracy(a)), fixed(a.latency_us, 1)}},
                      {"B", {with_commas(b.bytes), percent(accuracy(b)), fixed(b.latency_us, 1)}},
                      {"B is",
                       {ratio(static_cast<double>(a.bytes), static_cast<double>(b.bytes), "smaller",
                              "larger"),
                        points == 0 ? "the same"
                                    : fixed(std::abs(points), 2) + " points " +
                                          (points > 0 ? "better" : "worse"),
                        ratio(a.latency_us, b.latency_us, "faster", "slower")},
                       true}},
                     terminal_width(STDOUT_FILENO))
            << "They disagree on " << with_commas(differ) << " of " << with_commas(images)
            << " test images (" << printable(data) << "): A alone is right on "
            << with_commas(a.only_right) << ", B alone on " << with_commas(b.only_right)
            << ", neither on " << with_commas(differ - a.only_right - b.only_right) << ".\n";
}

void compare(const CompareOptions& options) {
  Side a(options.a), b(options.b);
  require(a.session.classes() == b.session.classes() && a.input().shape == b.input().shape, b.file,
          "takes other images or knows other classes than ", a.file);
  DataOptions wanted = options.data;
  wanted.quiet = options.json || options.quiet;
  const TrainingData data = load_data_for(a.input(), wanted);
  require_classes(data, "compare");
  const auto& test = *data.data.test;
  Progress progress("compare", test.size(), "images", wanted.quiet);
  std::int64_t differ = 0, seen = 0;
  datasets::for_each_batch(test, test.size(), Side::kBatch, [&](const datasets::Batch& batch) {
    const auto of_a = a.answers(batch.images), of_b = b.answers(batch.images);
    for (std::size_t i = 0; i < of_a.size(); ++i) {
      const bool a_right = of_a[i] == batch.labels[i], b_right = of_b[i] == batch.labels[i];
      a.right += a_right;
      b.right += b_right;
      a.only_right += a_right && !b_right;
      b.only_right += b_right && !a_right;
      differ += of_a[i] != of_b[i];
    }
    progress.update(seen += std::ssize(batch.labels));
  });
  progress.finish();
  if (options.json)
    std::cout << nlohmann::json{{"data", data.name},
                                {"images", test.size()},
                                {"a", a.json(test.size())},
                                {"b", b.json(test.size())},
                                {"disagreements", differ}}
                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
              << '\n';
  else
    print(a, b, test.size(), differ, data.name);
}

}  // namespace

void add_compare(CLI::App& app) {
  auto o = std::make_shared<CompareOptions>();
  auto* command = app.add_subcommand("compare", "Two models side by side on the same test images");
  command->add_option("a", o->a, "An .esp file")->required();
  command->add_option("b", o->b, "Another, for the same images and classes")->required();
  add_data_options(*command, o->data);
  command->add_flag("--json", o->json, "Print one line of JSON");
  command->add_flag("-q,--quiet", o->quiet, "No progress");
  command->footer(
      "Bytes of the files; accuracy on all test images; microseconds for one image, the median of\n"
      "some hundred runs on one thread of this machine. Two models may be right equally often and\n"
      "yet disagree: on how many images they do, and which of them is right there, stands below.\n"
      "Examples: espalier compare espalier-out/baseline.esp espalier-out/quantized.esp\n"
      "          espalier compare a.esp b.esp --data flowers --json | jq .disagreements");
  command->callback([o] { compare(*o); });
}

}  // namespace espalier::apps
