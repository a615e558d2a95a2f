// That the environment's cap on the instruction set is what oneDNN obeys: without this, the tests
// under the caps (label `isa`) could all run the same code.
#include "core/onednn/isa.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <string>

using namespace espalier;

TEST_CASE("oneDNN runs the instruction set that the environment allows") {
  const char* cap = std::getenv("ONEDNN_MAX_CPU_ISA");
  const std::string name = cap ? cap : "ALL";
  MESSAGE("cap " << name << ", effective " << effective_isa());
#if defined(__x86_64__)
  const std::map<std::string, bool> supported = {
      {"SSE41", static_cast<bool>(__builtin_cpu_supports("sse4.1"))},
      {"AVX2", static_cast<bool>(__builtin_cpu_supports("avx2"))},
      {"AVX512_CORE", __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512dq")}};
  if (name == "ALL") return;
  REQUIRE(supported.contains(name));
  if (supported.at(name)) CHECK(effective_isa() == name);
#endif
}
