// A fuzz target: one function that must survive any bytes, and seeds made by code. The same target
// is linked twice: with libFuzzer (clang, -DESPALIER_FUZZ=ON) and with regression_main.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "core/base/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace espalier::fuzz {

std::vector<Bytes> seeds();  // good inputs of every kind

// Stops the process, so that libFuzzer keeps the input: a promise was broken, not just an error.
inline void promise(bool kept) {
  if (!kept) std::abort();
}

// Runs `body`, which may refuse its input with any typed error but kInternal.
template <class Body>
void may_refuse(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    promise(error.kind() != ErrorKind::kInternal);
  }
}

}  // namespace espalier::fuzz
