// What kernels in AVX-512 are compiled for: the part of VectorIsa::kVnni that floats need. (The rest
// of the program is compiled for every processor of its kind.)
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#define ESPALIER_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#endif
