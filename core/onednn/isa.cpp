#include "core/onednn/isa.hpp"

#include "core/onednn/onednn.hpp"

namespace espalier {

std::string_view effective_isa() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "SSE41";
    case dnnl::cpu_isa::avx2:
      return "AVX2";
    case dnnl::cpu_isa::avx512_core:
      return "AVX512_CORE";
    default:
      return "other";
  }
}

}  // namespace espalier
