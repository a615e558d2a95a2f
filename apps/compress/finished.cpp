// What a run of `compress --recipe` that has ended keeps, so that its command need not train again.
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/common/run_note.hpp"
#include "apps/compress/promise.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "core/base/warn.hpp"

namespace espalier::apps {
namespace {

namespace fs = std::filesystem;

// A run under way may be given another promise; one that has ended has kept its own.
std::string with_promise(const std::string& run, double max_drop) {
  std::ostringstream text;
  text << "--max-drop " << max_drop << '\n' << run;
  return text.str();
}

}  // namespace

void Promise::keep_finished() const {
  nlohmann::json all{{"run", with_promise(identity_, options_.max_drop)},
                     {"best.esp", crc32(best().file)},
                     {"whole", whole_},
                     {"float_rmse", float_rmse_},
                     {"tries", nlohmann::json::array()}};
  for (const Try& one : tries_) {
    nlohmann::json costs = nlohmann::json::array();
    for (const auto& [layer, drop] : one.costs) costs.push_back({layer, drop});
    all["tries"].push_back(
        {{"change", one.change}, {"bytes", one.bytes}, {"score", one.score}, {"costs", costs}});
  }
  write_file(finished(), all.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void Promise::take_up_finished() {
  const fs::path file = options_.out / "best.esp";
  if (!fs::exists(finished()) || !fs::exists(file)) return;
  const Bytes text = read_file(finished()), best_file = read_file(file);
  const std::string out = printable(options_.out.string()),
                    run = with_promise(identity_, options_.max_drop);
  try {
    const auto all = nlohmann::json::parse(text.begin(), text.end());
    if (const auto there = all.at("run").get<std::string>(); there != run)
      return warn_on_standard_error("compress: " + out +
                                    " holds the files of another run, which this one replaces: " +
                                    printable(difference(there, run)));
    if (all.at("best.esp") != crc32(best_file))
      return warn_on_standard_error("compress: " + printable(file.string()) +
                                    " is not the one that " + printable(finished().string()) +
                                    " speaks of; this run replaces both");
    std::vector<Try> tries;
    for (const auto& t : all.at("tries")) {
      Try one{.change = t.at("change"),
              .recipe = {},
              .file = {},
              .bytes = t.at("bytes"),
              .score = t.at("score")};
      for (const auto& cost : t.at("costs")) one.costs.push_back({cost.at(0), cost.at(1)});
      tries.push_back(std::move(one));
    }
    if (tries.empty()) return;
    whole_ = all.at("whole"), float_rmse_ = all.at("float_rmse"), tries_ = std::move(tries);
  } catch (const nlohmann::json::exception&) {
    return;  // none of ours: it is replaced
  }
  for (Try& one : tries_)
    if (&one == &best()) one.file = best_file;
  done_ = true;
  say(out +
      ": this run has ended already (the same recipe and options, and the same data by name " +
      "and counts); without " + printable(finished().string()) + " the same command runs anew");
}

}  // namespace espalier::apps
