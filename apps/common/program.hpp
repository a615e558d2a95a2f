// The frame of every program with a command line.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace espalier::apps {

// Parses the arguments, calls `work` (commands may do theirs in CLI11's callbacks), and returns
// main's exit code. Whatever is thrown becomes one line on standard error, "program: message", where
// no control character of a file's text reaches the terminal, and the exit code of
// core/base/error.hpp: a misspelt word is 2, a file system's exception 4, the unforeseen 1. Output
// that did not arrive ends with 4; Ctrl-C with 130, where `work` installs the handler
// (core/base/interrupt.hpp). `app` has the program's name, app.name(...).
int run_program(CLI::App& app, int argc, char** argv, const std::function<void()>& work = {});

}  // namespace espalier::apps
