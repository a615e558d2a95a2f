#include "core/onednn/isa.hpp"

#include "core/onednn/onednn.hpp"

namespace espalier {

std::string onednn_version() {
  const dnnl_version_t& v = *dnnl::version();
  return std::to_string(v.major) + "." + std::to_string(v.minor) + "." + std::to_string(v.patch);
}

std::string_view effective_isa() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "SSE41";
    case dnnl::cpu_isa::avx2:
      return "AVX2";
    case dnnl::cpu_isa::avx512_core:
      return "AVX512_CORE";
    case dnnl::cpu_isa::avx2_vnni:
      return "AVX2_VNNI";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "AVX512_CORE_VNNI";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "AVX512_CORE_BF16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "AVX512_CORE_AMX";
    default: {
      // Newer than these: by its number, so that two of them are told apart.
      static const std::string number =
          "ISA " + std::to_string(static_cast<unsigned>(dnnl::get_effective_cpu_isa()));
      return number;
    }
  }
}

namespace {
// oneDNN numbers instruction sets so that the bits of one are among those of what contains it.
bool allows(dnnl::cpu_isa isa) {
  const auto allowed = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  return (allowed & static_cast<unsigned>(isa)) == static_cast<unsigned>(isa);
}

VectorIsa allowed_vectors() {
#if defined(__x86_64__)
  if (allows(dnnl::cpu_isa::avx512_core_vnni) && __builtin_cpu_supports("avx512vnni") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    return __builtin_cpu_supports("avx512vbmi") ? VectorIsa::kVbmi : VectorIsa::kVnni;
  if (allows(dnnl::cpu_isa::avx2) && __builtin_cpu_supports("avx2")) return VectorIsa::kAvx2;
#endif
  return VectorIsa::kPlain;
}
}  // namespace

VectorIsa vector_isa() {
  static const VectorIsa isa = allowed_vectors();  // oneDNN's cap is fixed by its first question
  return isa;
}

bool multiplies_bf16() {
  return allows(dnnl::cpu_isa::avx512_core_bf16);
}

std::string_view name_of(VectorIsa isa) {
  switch (isa) {
    case VectorIsa::kPlain:
      return "plain";
    case VectorIsa::kAvx2:
      return "AVX2";
    case VectorIsa::kVnni:
      return "VNNI";
    case VectorIsa::kVbmi:
      return "VBMI";
  }
  return "?";
}

}  // namespace espalier
