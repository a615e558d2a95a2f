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

// set_threads(), for a program that begins. GNU OpenMP reads before main how its threads wait, and by
// default they spin: where another process wants a processor, training became a hundred times slower.
// With more than one thread, unless OMP_WAIT_POLICY or GOMP_SPINCOUNT says otherwise, the program
// therefore starts itself again, once, with threads that sleep.
void use_threads(int threads, char** argv);

}  // namespace espalier::apps
