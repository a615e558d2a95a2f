// Which instruction set oneDNN's kernels use.
#pragma once

#include <string_view>

namespace espalier {

// After the environment's cap (ONEDNN_MAX_CPU_ISA) and what the processor can do: "SSE41", "AVX2" or
// "AVX512_CORE", as the cap spells them; "other" for every other one.
std::string_view effective_isa();

}  // namespace espalier
