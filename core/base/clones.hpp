// A loop that the compiler vectorises, compiled once for each instruction set; the loader picks one by
// the processor alone, before the program runs: oneDNN's cap (ONEDNN_MAX_CPU_ISA) does not bind these.
// No product is contracted with a sum (-ffp-contract=off) and loops over elements sum nothing, so
// that all clones give the same bits.
#pragma once

#include <version>  // and with it, whether the C library is glibc

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ESPALIER_SANITIZED 1  // the loader would pick before the sanitizer has begun
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer) || __has_feature(undefined_behavior_sanitizer)
#define ESPALIER_SANITIZED 1
#endif
#endif

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__has_attribute) && \
    !defined(ESPALIER_SANITIZED)
#if __has_attribute(target_clones)
#define ESPALIER_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#endif
#endif
#ifndef ESPALIER_CLONES
#define ESPALIER_CLONES
#endif
