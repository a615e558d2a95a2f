// How a shell calls the program `espalier` that lies beside this one, for "Next:" lines.
#pragma once

#include <string>

namespace espalier::apps {

// "espalier" where PATH finds this very program by that name; else its path, from the working directory
// if it lies below, as a shell reads it. anywhere: a path that holds in every folder.
std::string own_command(bool anywhere = false);

// The line that a script needs before it calls `espalier` by name, with its end of line; "" where PATH
// finds it.
std::string path_line();

}  // namespace espalier::apps
