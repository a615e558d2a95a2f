// The commands of `espalier`, one file each.
#pragma once

#include <CLI/CLI.hpp>

namespace espalier::apps {

// Each adds its command to the program: options, help, and the function that runs it.
void add_run(CLI::App& app);
void add_inspect(CLI::App& app);
void add_eval(CLI::App& app);
void add_compare(CLI::App& app);
void add_export(CLI::App& app);
void add_fetch(CLI::App& app);
void add_data(CLI::App& app);
void add_new(CLI::App& app);
void add_version(CLI::App& app);

}  // namespace espalier::apps
