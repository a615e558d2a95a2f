// Which oneDNN this is, and which instruction set its kernels use.
#pragma once

#include <string>
#include <string_view>

namespace espalier {

std::string onednn_version();  // of the library that runs: "2.6.3"

// After the environment's cap (ONEDNN_MAX_CPU_ISA) and what the processor can do: "SSE41", "AVX2",
// "AVX512_CORE_VNNI", as the cap spells them; "ISA 2047" for newer ones.
std::string_view effective_isa();

// What kernels of our own may use: the best that the processor can do within the same cap.
enum class VectorIsa {
  kPlain,  // C++ as every compiler takes it
  kAvx2,
  kVnni,  // AVX-512 F, BW, VL, DQ and VNNI
  kVbmi,  // and VBMI, for which oneDNN has no cap: wherever VNNI is allowed
};
VectorIsa vector_isa();
std::string_view name_of(VectorIsa isa);
bool multiplies_bf16();  // whether oneDNN may use AVX512_BF16, which AMX includes

}  // namespace espalier
