#include "compress/runtime/choice.hpp"

#include "compress/runtime/costs.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::runtime {
namespace {

using sparse::Fused;

// A layer as the rules see it.
struct Site {
  const Fused& layers;
  const Shape& x;
  std::int64_t macs;  // dense, of one run
  sparse::Work work;  // of the kernel in question
  VectorIsa isa;
  bool convolution() const { return layers.linear->kind == format::LayerKind::kConv2d; }
  // The kernel's multiplications, as a share of the dense layer's.
  double share() const { return static_cast<double>(work.macs) / static_cast<double>(macs); }
};

bool blocks_pay(const Site& s) {
  if (s.isa == VectorIsa::kPlain) return false;
  // oneDNN's convolution of fewer channels than a register takes in one go wastes most of it.
  if (s.convolution() && s.x[3] < 16) return s.share() < 4;
  return s.share() < 0.5;
}

bool scattered_pays(const Site& s) {
  return s.isa == VectorIsa::kVbmi && s.share() < 0.3;
}

struct Row {
  const sparse::Kernel& kernel;
  Kernels forced;             // what asks for this kernel wherever it fits
  bool (*pays)(const Site&);  // the fixed rule
};
// In order; oneDNN's kernel is the one behind the last.
const Row kTable[] = {
    {sparse::kBlocks, Kernels::kBlocks, blocks_pay},
    {sparse::kScattered, Kernels::kScattered, scattered_pays},
};

// Packed weights may be 16 times as large as stored ones; a file must not ask for more than this.
constexpr std::int64_t kMaxPackedBytes = std::int64_t{1} << 26;

}  // namespace

std::vector<const sparse::Kernel*> own_kernels(Kernels kernels, const Fused& layers,
                                               const Shape& x) {
  std::vector<const sparse::Kernel*> chosen;
  if (kernels == Kernels::kOneDnn) return chosen;
  for (const Row& row : kTable) {
    const bool asked = kernels == row.forced;
    if (!asked && kernels != Kernels::kFixed && kernels != Kernels::kTimed) continue;
    const Site site{.layers = layers,
                    .x = x,
                    .macs = x[0] * macs(*layers.linear, {x[1], x[2], x[3]}),
                    .work = row.kernel.work(layers, x),
                    .isa = vector_isa()};
    if (site.work.bytes > kMaxPackedBytes) continue;
    if (!asked && kernels == Kernels::kFixed && !row.pays(site)) continue;
    chosen.push_back(&row.kernel);
    if (kernels == Kernels::kFixed) break;
  }
  return chosen;
}

}  // namespace espalier::runtime
