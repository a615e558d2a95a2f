// "Did you mean ...?" for the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace espalier::apps {

// "; did you mean 'NAME'?" for the first misspelt command or option of the arguments, else "".
std::string did_you_mean(const CLI::App& app, int argc, const char* const* argv);

}  // namespace espalier::apps
