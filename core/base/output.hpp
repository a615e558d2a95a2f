// Standard output: that it arrived, too.
#pragma once

namespace espalier {

// For programs, at the end: flushes std::cout and stdout. Errors: kIo, when this or an earlier
// write failed (a full disk, a closed descriptor). A program that leaves this out ends with exit
// code 0 though its output is lost.
void flush_output();

}  // namespace espalier
