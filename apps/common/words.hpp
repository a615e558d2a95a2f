// Words of the command line: misspelt ones, and those of a short list.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace espalier::apps {

// "'evl' is no command; did you mean 'eval'?" for the first command or option of the arguments that
// does not exist, without the question where nothing is near; "" when all exist.
std::string misspelt(const CLI::App& app, int argc, const char* const* argv);

// CLI11's "--seed: Value 1e30 not in range 0.000000 to 1000000000000000000.000000" as "--seed: wants a
// number from 0 to 1e+18, got 1e30"; every other message as it is.
std::string plain_range(const std::string& message);

// For CLI::Option::check: refuses what is not of the list, names all of it and guesses what was
// meant. `what` is the thing in one word, for example "executor".
CLI::Validator one_of(const std::string& what, const std::vector<std::string>& names);

}  // namespace espalier::apps
