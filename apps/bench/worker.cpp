#include "apps/bench/worker.hpp"

#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "apps/bench/machine.hpp"
#include "apps/bench/models.hpp"
#include "apps/bench/rounds.hpp"
#include "apps/bench/suites.hpp"
#include "compress/format/reader.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"

namespace espalier::bench {
namespace {

using nlohmann::json;

format::PackedModel read_model(const std::filesystem::path& path) {
  return format::read(read_file(path), path.string());
}

std::vector<Job> prepare(const json& request) {
  const std::string suite = request.at("suite"), model = request.at("model");
  JobOptions options{.batch = request.at("batch"), .threads = request.at("threads")};
  const std::filesystem::path folder = request.at("folder").get<std::string>();
  std::vector<Job> jobs;
  if (suite.starts_with("train")) jobs.push_back(training_job(model, options));
  if (suite == "train-best" && kernels::has_bf16()) {
    options.precision = kernels::Precision::kBf16;
    jobs.push_back(training_job(model, options));
  }
  if (suite == "infer")
    for (const char* variant : {"int8", "float32"})
      jobs.push_back(inference_job(model, variant,
                                   read_model(folder / (model + "." + variant + ".esp")), options));
  if (suite == "sparse")
    jobs = sparse_jobs(model, read_model(folder / (model + ".int8.esp")), options);
  require(!jobs.empty(), "worker", "has nothing to do in suite ", suite, " with model ", model);
  return jobs;
}

json facts() {
  const Machine m = this_machine(digits_source().name);
  return {{"name", "espalier"},
          {"versions", {{"oneDNN", m.onednn}, {"compiler", m.compiler}}},
          {"machine",
           {{"cpu", m.cpu},
            {"processors", m.processors},
            {"isa", m.isa},
            {"own_isa", m.own_isa},
            {"governor", m.governor},
            {"digits", m.digits}}}};
}

json answer(const json& request, std::vector<Job>& jobs) {
  const std::string what = request.at("do");
  if (what == "facts") return facts();
  if (what == "prepare") {
    jobs = prepare(request);
    json variants = json::array(), checks = json::object();
    for (const Job& job : jobs) {
      variants.push_back(job.variant);
      checks[job.variant] = job.check();
    }
    return {{"variants", variants}, {"checks", checks}, {"failed", json::object()}};
  }
  require(what == "round", "worker", "cannot do '", what, "'");
  const std::string variant = request.at("variant");
  for (const Job& job : jobs)
    if (job.variant == variant) {
      const Round round = time_round(job, request.at("seconds"));
      return {{"seconds", round.seconds}, {"cpu_seconds", round.cpu_seconds}, {"runs", round.runs}};
    }
  fail(ErrorKind::kUsage, "worker", "has not prepared '", variant, "'");
}

}  // namespace

void work(std::istream& in, std::ostream& out) {
  std::vector<Job> jobs;
  for (std::string line; std::getline(in, line);) {
    json reply;
    try {
      reply = answer(json::parse(line), jobs);
    } catch (const std::exception& error) {  // ours, and nlohmann's of a line that is no request
      reply = {{"error", error.what()}};
    }
    out << reply.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
  }
}

}  // namespace espalier::bench
