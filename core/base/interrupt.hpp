// Ctrl-C as a flag that long work asks for between two steps, so that it stops with everything
// whole.
#pragma once

#include <string_view>

namespace espalier {

// For programs, once, at the start; the library never calls it. From then on the first SIGINT sets
// the flag and the second ends the process at once with exit code 130.
void install_interrupt_handler();

// Whether SIGINT came since the handler was installed or the flag was cleared.
bool interrupted();
void clear_interrupt();

// For loops: throws ErrorKind::kInterrupted, "where: stopped by Ctrl-C", when interrupted().
void check_interrupt(std::string_view where);

}  // namespace espalier
