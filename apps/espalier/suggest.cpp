#include "apps/espalier/suggest.hpp"

#include <algorithm>

#include "core/base/text.hpp"

namespace espalier::apps {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

}  // namespace

std::string did_you_mean(const CLI::App& app, int argc, const char* const* argv) {
  std::vector<std::string> commands;
  for (const auto* command : app.get_subcommands({})) commands.push_back(command->get_name());
  const CLI::App* current = &app;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    std::vector<std::string> known;
    if (word.starts_with("--"))
      known = option_names(*current);
    else if (current == &app)
      known = commands;
    else
      continue;
    const std::string name = word.substr(0, word.find('='));
    if (std::ranges::find(known, name) == known.end()) {
      const std::string near = nearest(name, known);
      return near.empty() ? "" : "; did you mean '" + near + "'?";
    }
    if (!word.starts_with("--")) current = app.get_subcommand(word);
  }
  return "";
}

}  // namespace espalier::apps
