#include "core/kernels/precision.hpp"

#include <utility>

#include "core/base/error.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::kernels {
namespace {
thread_local Precision current = Precision::kFloat32;
}

std::string_view name_of(Precision precision) {
  return precision == Precision::kBf16 ? "bf16" : "float32";
}

Precision precision_named(std::string_view name) {
  for (const Precision p : {Precision::kFloat32, Precision::kBf16})
    if (name == name_of(p)) return p;
  fail(ErrorKind::kUsage, "precision", "wants float32 or bf16, got ", name);
}

Precision precision() {
  return current;
}

bool has_bf16() {
  return multiplies_bf16();
}

PrecisionInScope::PrecisionInScope(Precision precision) : former_(current) {
  require(precision == Precision::kFloat32 || has_bf16(), "precision",
          "bf16 wants a processor with AVX512_BF16 or AMX, and oneDNN may use ", effective_isa(),
          "; train in float32");
  current = precision;
}
PrecisionInScope::~PrecisionInScope() {
  current = former_;
}

}  // namespace espalier::kernels
