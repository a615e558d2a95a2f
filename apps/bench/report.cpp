#include "apps/bench/report.hpp"

#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace espalier::bench {
namespace {

using nlohmann::json;

json json_of(const Machine& m) {
  return {{"cpu", m.cpu},         {"processors", m.processors}, {"isa", m.isa},
          {"own_isa", m.own_isa}, {"governor", m.governor},     {"load_average", m.load_average},
          {"onednn", m.onednn},   {"compiler", m.compiler},     {"digits", m.digits}};
}

json json_of(const Result& r) {
  return {
      {"suite", r.suite},      {"model", r.model},         {"variant", r.variant},
      {"batch", r.batch},      {"unit", r.unit},           {"items_per_second", r.items_per_second},
      {"rounds", r.us.rounds}, {"median_us", r.us.median}, {"p10_us", r.us.p10},
      {"p90_us", r.us.p90},    {"p95_us", r.us.p95},       {"p99_us", r.us.p99},
      {"mad_us", r.us.mad}};
}

std::string microseconds(double us) {
  return us >= 1e5 ? with_commas(static_cast<std::int64_t>(us + 0.5)) : fixed(us, us < 100 ? 2 : 0);
}

}  // namespace

std::string table(const Report& report) {
  const Machine& m = report.machine;
  std::string text = m.cpu + ", " + std::to_string(m.processors) + " processors, governor " +
                     m.governor + ", load average " + m.load_average + "\noneDNN " + m.onednn +
                     " (" + m.isa + "), our kernels " + m.own_isa + ", " + m.compiler + ", " +
                     m.digits + ", " + std::to_string(report.threads) + " thread(s)\n\n" +
                     "microseconds a run" + pad_left("median", 26);
  for (const char* head : {"p10", "p90", "p95", "p99", "MAD"}) text += pad_left(head, 10);
  text += pad_left("a second", 16) + "\n";
  for (const Result& r : report.results) {
    text += pad_right(r.name(), 34);
    for (const double us : {r.us.median, r.us.p10, r.us.p90, r.us.p95, r.us.p99, r.us.mad})
      text += pad_left(microseconds(us), 10);
    text += pad_left(with_commas(static_cast<std::int64_t>(r.items_per_second + 0.5)), 16) + " " +
            r.unit + "\n";
  }
  return text;
}

std::string to_json(const Report& report) {
  json results = json::array();
  for (const Result& r : report.results) results.push_back(json_of(r));
  const json all = {{"machine", json_of(report.machine)},
                    {"threads", report.threads},
                    {"round_seconds", report.rounds.seconds},
                    {"results", results}};
  return all.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::vector<Regression> regressions(const Report& report, const std::string& saved,
                                    const std::string& file, double tolerance) {
  std::vector<Regression> found;
  std::size_t compared = 0;
  try {
    const json former = json::parse(saved);
    const int threads = former.at("threads");
    require(threads == report.threads, file, "was measured with ", threads,
            " threads, this run has ", report.threads, "; give --threads ", threads);
    for (const Result& r : report.results)
      for (const json& old : former.at("results")) {
        const Result then{.suite = old.at("suite"),
                          .model = old.at("model"),
                          .variant = old.at("variant"),
                          .batch = old.at("batch"),
                          .us = {.median = old.at("median_us"), .mad = old.at("mad_us")},
                          .unit = {}};
        if (r.name() != then.name()) continue;
        ++compared;
        const double slower = r.us.median - then.us.median;
        if (slower > tolerance * then.us.median && slower > 3 * (r.us.mad + then.us.mad))
          found.push_back({r.name(), r.us.median, then.us.median});
      }
  } catch (const json::exception& error) {
    fail(ErrorKind::kCorrupt, file, "is no saved run of espalier-bench (", error.what(),
         "); write one with --json");
  }
  require(compared > 0, file, "holds none of the ", report.results.size(),
          " results of this run; save one of the same suite and models with --json");
  return found;
}

}  // namespace espalier::bench
