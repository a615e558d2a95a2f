#include "apps/train/metrics_log.hpp"

#include <sstream>
#include <utility>

#include "core/base/file.hpp"

namespace espalier::apps {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxLogBytes = 1u << 28;

std::pair<int, int> place_of(const json& line) {
  const auto number = [&](const char* key) {
    return line.is_object() && line.contains(key) && line[key].is_number_integer()
               ? line[key].get<int>()
               : -1;
  };
  return {number("stage"), number("epoch")};
}

}  // namespace

MetricsLog::MetricsLog(std::filesystem::path file, bool goes_on) : file_(std::move(file)) {
  if (!goes_on || !std::filesystem::exists(file_)) return;
  const Bytes bytes = read_file(file_, kMaxLogBytes);
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  for (std::string line; std::getline(text, line);) {
    const json parsed = json::parse(line, nullptr, false);
    require(place_of(parsed).first >= 0, ErrorKind::kCorrupt, file_.string(), "line ",
            lines_.size() + 1, " is none of a log that espalier train wrote; name another file");
    lines_.push_back(parsed);
  }
}

void MetricsLog::add(const json& line) {
  while (!lines_.empty() && place_of(lines_.back()) >= place_of(line)) lines_.pop_back();
  lines_.push_back(line);
  std::string text;
  for (const json& kept : lines_)
    text += kept.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
  write_file(file_, text);
}

}  // namespace espalier::apps
