// A loop that the compiler vectorises, compiled once for each instruction set; the loader picks one by
// the processor alone, before the program runs: oneDNN's cap (ONEDNN_MAX_CPU_ISA) does not bind these.
// No product is contracted with a sum (-ffp-contract=off) and loops over elements sum nothing, so
// that all clones give the same bits.
#pragma once

#include <version>  // and with it, whether the C library is glibc

#include "core/base/sanitized.hpp"  // there, the loader would pick before the sanitizer has begun

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__has_attribute) && \
    !defined(ESPALIER_SANITIZED)
#if __has_attribute(target_clones)
#define ESPALIER_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#endif
#endif
#ifndef ESPALIER_CLONES
#define ESPALIER_CLONES
#endif
