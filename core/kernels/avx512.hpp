// What kernels in AVX-512 are compiled for: the part of VectorIsa::kVnni that floats need. (The rest
// of the program is compiled for every processor of its kind.)
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstdint>

#define ESPALIER_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))

namespace espalier::kernels {

// Of 16 lanes the first `count`, which may be below 0 or above 16.
ESPALIER_AVX512 inline __mmask16 first_lanes(std::int64_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFFu
                                            : (1u << std::max<std::int64_t>(count, 0)) - 1);
}

}  // namespace espalier::kernels
#endif
