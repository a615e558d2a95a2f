#include "core/base/pages.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace espalier {

std::size_t release_pages([[maybe_unused]] void* begin, [[maybe_unused]] std::size_t bytes) {
#if defined(__linux__)
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t before = (page - reinterpret_cast<std::uintptr_t>(begin) % page) % page;
  if (bytes < before + page) return 0;
  const std::size_t whole = (bytes - before) / page * page;
  if (::madvise(static_cast<char*>(begin) + before, whole, MADV_DONTNEED) == 0)
    return before + whole;
#endif
  return 0;
}

}  // namespace espalier
