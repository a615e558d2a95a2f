// Memory that nobody reads again, though it is not freed yet.
#pragma once

#include <cstddef>

namespace espalier {

// Gives the whole pages inside of [begin, begin + bytes) back to the system; what they held is lost, what lies
// around them stays. For memory that the caller owns (of the heap: no file's, none that processes share) and
// frees or writes anew without reading it. Yields how many bytes from `begin` on need not be given back again
// when more behind them is: 0 where there is no whole page, and on systems other than Linux, where nothing happens.
std::size_t release_pages(void* begin, std::size_t bytes);

}  // namespace espalier
