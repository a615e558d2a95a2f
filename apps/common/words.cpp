#include "apps/common/words.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <sstream>
#include <string_view>

#include "core/base/text.hpp"

namespace espalier::apps {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  for (const auto* group : app.get_subcommands({}))  // nameless ones are groups of options
    if (group->get_name().empty())
      std::ranges::copy(option_names(*group), std::back_inserter(names));
  return names;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands({}))
    if (!command->get_name().empty()) names.push_back(command->get_name());
  return names;
}

}  // namespace

std::string misspelt(const CLI::App& app, int argc, const char* const* argv) {
  const CLI::App* current = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool is_option = word.starts_with("--") && word.size() > 2;
    const auto commands = command_names(*current);
    if (!is_option && (commands.empty() || word.starts_with("-"))) continue;  // a value, or -h
    const auto known = is_option ? option_names(*current) : commands;
    const std::string name = is_option ? word.substr(0, word.find('=')) : word;
    if (std::ranges::find(known, name) == known.end()) {
      const std::string near = nearest(name, known);
      return "'" + printable(name) + "' is no " + (is_option ? "option" : "command") +
             (current == &app ? "" : " of " + current->get_name()) +
             (near.empty() ? "" : "; did you mean '" + near + "'?");
    }
    if (!is_option) current = current->get_subcommand(word);
  }
  return "";
}

std::string plain_range(const std::string& message) {
  // "OPTION: Value WORD not in range LOW to HIGH", as CLI11 has it; the word may be any.
  constexpr std::string_view kValue = "Value ", kRange = " not in range ", kTo = " to ";
  const std::size_t value = message.find(kValue), range = message.rfind(kRange),
                    to = message.rfind(kTo);
  if (value == std::string::npos || range == std::string::npos || to == std::string::npos ||
      range < value + kValue.size() || to < range + kRange.size())
    return message;
  const std::string word = message.substr(value + kValue.size(), range - value - kValue.size()),
                    low = message.substr(range + kRange.size(), to - range - kRange.size()),
                    high = message.substr(to + kTo.size());
  const bool whole = low.find('.') == std::string::npos;
  const auto limit = [&](const std::string& text) {
    std::ostringstream out;  // six digits, which none of our limits exceeds
    out << std::strtod(text.c_str(), nullptr);
    return whole ? text : out.str();
  };
  return message.substr(0, value) + "wants a " + (whole ? "whole " : "") + "number from " +
         limit(low) + " to " + limit(high) + ", got " + word;
}

CLI::Validator one_of(const std::string& what, const std::vector<std::string>& names) {
  const auto refusal = [what, names](const std::string& word) -> std::string {
    if (std::ranges::find(names, word) != names.end()) return "";
    const std::string near = nearest(word, names);
    return "'" + printable(word) + "' is no " + what +
           (near.empty() ? "" : "; did you mean '" + near + "'?") + " (" + join(names, ", ") + ")";
  };
  return CLI::Validator(refusal, "{" + join(names, ", ") + "}");
}

}  // namespace espalier::apps
