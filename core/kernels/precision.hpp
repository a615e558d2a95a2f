// In which numbers the training kernels multiply. bfloat16 is float32 cut to 8 bits of mantissa: it
// takes half the memory, and processors that know it multiply twice as many or more at once. Factors of
// convolutions and matrix products are rounded to it where that is faster (not where zeros are skipped,
// nor for few input channels: choice.cpp); sums, results, weights and the
// optimizer's state stay float32 (Kalamkar et al. 2019, "A Study of BFLOAT16 for Deep Learning
// Training").
#pragma once

#include <string>
#include <string_view>

namespace espalier::kernels {

enum class Precision { kFloat32, kBf16 };

std::string_view name_of(Precision precision);  // "float32", "bf16"
// Errors: kUsage for another name.
Precision precision_named(std::string_view name);

// Of the kernels that this thread runs.
Precision precision();

// Until the end of the scope. Errors: kUsage for bf16 where the processor, or oneDNN's cap, has no
// instructions for it: emulation would be slower than float32.
class PrecisionInScope {
 public:
  explicit PrecisionInScope(Precision precision);
  ~PrecisionInScope();
  PrecisionInScope(const PrecisionInScope&) = delete;
  PrecisionInScope& operator=(const PrecisionInScope&) = delete;

 private:
  Precision former_;
};

bool has_bf16();

}  // namespace espalier::kernels
