// Misspelt words of the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace espalier::apps {

// "'evl' is no command; did you mean 'eval'?" for the first command or option of the arguments that
// does not exist, without the question where nothing is near; "" when all exist.
std::string misspelt(const CLI::App& app, int argc, const char* const* argv);

}  // namespace espalier::apps
