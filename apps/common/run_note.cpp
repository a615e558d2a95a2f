#include "apps/common/run_note.hpp"

#include <algorithm>

namespace espalier::apps {
namespace {

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::string quoted(std::string_view line) {
  constexpr std::size_t kLongest = 200;
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  if (line.empty()) return "nothing";
  return "'" + std::string(line.substr(0, kLongest)) + (line.size() > kLongest ? "..." : "") + "'";
}

}  // namespace

std::string difference(std::string_view there, std::string_view here) {
  while (!there.empty() || !here.empty()) {
    const std::string_view a = take_line(there), b = take_line(here);
    if (a != b) return quoted(a) + " there, " + quoted(b) + " here";
  }
  return "";
}

}  // namespace espalier::apps
