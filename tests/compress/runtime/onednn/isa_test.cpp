// That the environment's cap on the instruction set is what oneDNN obeys: without this, the tests
// under the caps (label `isa`) could all run the same code.
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

TEST_CASE("oneDNN runs the instruction set that the environment allows") {
  using Isa = dnnl::cpu_isa;
  const char* cap = std::getenv("ONEDNN_MAX_CPU_ISA");
  const std::string name = cap ? cap : "ALL";
  const auto effective = dnnl::get_effective_cpu_isa();
  MESSAGE("cap " << name << ", effective " << static_cast<int>(effective));
#if defined(__x86_64__)
  struct Case {
    Isa isa;
    bool supported;
  };
  const std::map<std::string, Case> cases = {
      {"SSE41", {Isa::sse41, static_cast<bool>(__builtin_cpu_supports("sse4.1"))}},
      {"AVX2", {Isa::avx2, static_cast<bool>(__builtin_cpu_supports("avx2"))}},
      {"AVX512_CORE",
       {Isa::avx512_core, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                              __builtin_cpu_supports("avx512vl") &&
                              __builtin_cpu_supports("avx512dq")}}};
  if (name == "ALL") return;
  REQUIRE(cases.contains(name));
  if (cases.at(name).supported) CHECK(effective == cases.at(name).isa);
#endif
}
