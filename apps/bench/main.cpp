// espalier-bench SUITE: times what Espalier does; worker and models serve peers/compare.py, which
// times others beside it.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "apps/bench/models.hpp"
#include "apps/bench/report.hpp"
#include "apps/bench/worker.hpp"
#include "apps/common/program.hpp"
#include "apps/common/words.hpp"
#include "core/base/file.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/text.hpp"

using namespace espalier;
using namespace espalier::bench;
namespace {

struct Options {
  SuiteOptions suite;
  RoundOptions rounds;
  std::filesystem::path json, against, folder;
  double tolerance = 0.1;
};

void check_regressions(const Report& report, const Options& o, const Bytes& saved) {
  const auto slower =
      regressions(report, {saved.begin(), saved.end()}, o.against.string(), o.tolerance);
  for (const Regression& r : slower)
    std::cout << "slower: " << r.name << ", " << fixed(r.us, 2) << " us, was "
              << fixed(r.former_us, 2) << " us\n";
  require(slower.empty(), ErrorKind::kTargetMissed, "regressions", slower.size(),
          " result(s) over ", percent(o.tolerance, 0), " slower than in ", o.against.string());
  std::cout << "nothing is over " << percent(o.tolerance, 0) << " slower than in "
            << o.against.string() << "\n";
}

void run(const std::vector<const Suite*>& chosen, const Options& o, char** argv) {
  apps::use_threads(o.suite.threads, argv);
  install_interrupt_handler();
  Report report{.machine = this_machine(digits_source().name),
                .threads = o.suite.threads,
                .rounds = o.rounds,
                .results = {}};
  for (const Suite* suite : chosen) {
    const auto jobs = suite->jobs(o.suite);
    const auto seconds = interleaved(jobs, o.rounds);
    for (std::size_t i = 0; i < jobs.size(); ++i)
      report.results.push_back(result_of(jobs[i], seconds[i]));
  }
  std::cout << table(report);
  if (o.against.empty()) {
    if (!o.json.empty()) write_file(o.json, to_json(report));
    return;
  }
  const Bytes saved = read_file(o.against);  // before --json, which may name the same file
  if (!o.json.empty()) write_file(o.json, to_json(report));
  check_regressions(report, o, saved);
}

void add_suite(CLI::App& app, Options& o, char** argv, const std::string& name,
               const std::string& description, std::vector<const Suite*> chosen) {
  auto* command = app.add_subcommand(name, description);
  if (name != "peak") {  // which runs no model
    command->add_option("--model", o.suite.models, "Of these models (default: all)")
        ->check(apps::one_of("model", model_names()));
    command->add_option("--batch", o.suite.batches, "Images a run (default: the suite's)")
        ->check(CLI::Range(1, 2048));
  }
  command->add_option("--threads", o.suite.threads)
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  if (name == "train")
    command
        ->add_option(
            "--parts", o.suite.parts,
            "Of each batch that go forward and backward at once, on a thread each; several "
            "numbers take turns: --parts 1 2")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
  command->add_option("--rounds", o.rounds.rounds, "Rounds of each, one after the other in turn")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--seconds", o.rounds.seconds, "That a round fills")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  command->add_option("--json", o.json, "Write the results there");
  command->add_option("--against", o.against, "Fail where it became slower than in this file");
  command->add_option("--tolerance", o.tolerance, "By which it may be slower, a fraction")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command->callback([&o, argv, chosen = std::move(chosen)] { run(chosen, o, argv); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Times training, inference, loading and coding");
  app.name("espalier bench");
  app.require_subcommand(1);
  Options options;
  std::vector<const Suite*> all;
  for (const Suite& suite : suites()) {
    add_suite(app, options, argv, suite.name, suite.description, {&suite});
    all.push_back(&suite);
  }
  add_suite(app, options, argv, "all", "all of these", all);
  auto* models = app.add_subcommand("models", "Write the models and digits that peers run, too");
  models->add_option("folder", options.folder, "Where to")->required();
  models->add_option("--model", options.suite.models, "These alone (default: all)")
      ->check(apps::one_of("model", model_names()));
  models->callback([&] {
    write_models(options.folder,
                 options.suite.models.empty() ? model_names() : options.suite.models);
  });
  auto* worker = app.add_subcommand("worker", "Answer requests for rounds, one line of JSON each");
  worker->callback([] { work(std::cin, std::cout); });
  app.footer(
      "Examples: espalier bench infer --model large --batch 1\n"
      "          espalier bench all --json before.json\n"
      "          espalier bench all --against before.json\n"
      "Beside PyTorch, Keras, LiteRT and ONNX Runtime: apps/bench/peers/compare.py");
  return apps::run_program(app, argc, argv);
}
