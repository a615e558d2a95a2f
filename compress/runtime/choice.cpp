#include "compress/runtime/choice.hpp"

#include <algorithm>
#include <limits>

#include "compress/runtime/costs.hpp"
#include "compress/runtime/sparse/active_step.hpp"
#include "compress/runtime/sparse/finish.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::runtime {
namespace {

using sparse::Fused;
using sparse::kLanes;
using sparse::kRows;

// A layer as the rules see it: for one kernel, or for oneDNN's.
struct Site {
  const Fused& layers;
  const Shape& x;
  VectorIsa isa;
  double dense;       // MACs of a run, outputs rounded up to whole registers
  sparse::Work work;  // ours, of the kernel in question
};
constexpr double kNever = std::numeric_limits<double>::infinity();

double inputs_of_output(const Site& s) {
  const auto& w = s.layers.linear->weight;
  return static_cast<double>(w.levels.size()) / static_cast<double>(w.shape[0]);
}

// Costs count multiplications, weighted by how fast each kernel does them: what was measured
// (apps/bench/PERFORMANCE.md) in round figures. They decide when nothing is timed.
double onednn_cost(const Site& s) {
  if (s.isa == VectorIsa::kPlain) return 0;
  if (s.layers.linear->kind == format::LayerKind::kDepthwiseConv2d) return 4 * s.dense;
  if (s.layers.linear->kind == format::LayerKind::kConv2d) {
    // It pads a few channels to a register, and pools in a step of its own; sums go through memory
    // before they become levels.
    if (s.x[3] < 16) return 4 * s.dense;
    if (s.isa == VectorIsa::kAvx2) return 0.85 * s.dense;
    if (s.x[3] % 16 != 0) return 1.2 * s.dense;
    // For one image ours, a twentieth slower at worst: who never calls oneDNN keeps a megabyte of it
    // out of memory.
    return ((s.x[0] == 1 ? 1 : 0.91) + 34 / inputs_of_output(s)) * s.dense;
  }
  if (s.isa == VectorIsa::kAvx2) return 2 * s.dense;
  // Weights from beyond the cache come no faster to our blocks, and it takes them in larger strides.
  return (leaves_cache(*s.layers.linear) ? 0.9 : 1.2) * s.dense;
}

double block_cost(const Site& s) {
  return s.isa == VectorIsa::kPlain ? kNever : static_cast<double>(s.work.macs);
}

double scattered_cost(const Site& s) {
  return s.isa == VectorIsa::kVbmi ? 2 * static_cast<double>(s.work.macs) : kNever;
}

// For one image; more of them would read the weights once each. Adding up the 64 lanes of a sum takes
// as long as three more registers, but for weights that have to be waited for.
double row_cost(const Site& s) {
  if (s.isa == VectorIsa::kPlain || s.x[0] > 1) return kNever;
  const double sums = leaves_cache(*s.layers.linear) ? 0 : 3 * 64 / inputs_of_output(s);
  return 0.87 * (1 + sums) * static_cast<double>(s.work.macs);
}

// What follows the sums, channel by channel, takes as long as so many multiplications for each of them and for
// each output.
double plane_cost(const Site& s) {
  if (s.isa != VectorIsa::kAvx2) return kNever;
  const Shape& x = s.x;
  const auto windows =
      static_cast<double>(sparse::windows_of_run(s.layers, x) * s.layers.linear->weight.shape[0]);
  const auto* pool = s.layers.pool;
  const double outputs =
      pool ? windows / static_cast<double>(pool->kernel_h * pool->kernel_w) : windows;
  return static_cast<double>(s.work.macs) + 9 * windows + 13 * outputs;
}

double depthwise_cost(const Site& s) {
  return s.isa == VectorIsa::kPlain ? kNever : static_cast<double>(s.work.macs);
}

struct Row {
  const sparse::Kernel& kernel;
  Kernels forced;  // what asks for this kernel wherever it fits
  double (*cost)(const Site&);
};
// In order; oneDNN's kernel is the one behind the last.
const Row kTable[] = {
    {sparse::kBlocks, Kernels::kBlocks, block_cost},
    {sparse::kScattered, Kernels::kScattered, scattered_cost},
    {kRows, Kernels::kRows, row_cost},
    {sparse::kPlanes, Kernels::kPlanes, plane_cost},
    {sparse::kDepthwise, Kernels::kDepthwise, depthwise_cost},
};

double dense_macs(const Fused& layers, const Shape& x) {
  const std::int64_t outputs = layers.linear->weight.shape[0],
                     padded = (outputs + kLanes - 1) / kLanes * kLanes;
  return static_cast<double>(x[0] * macs(*layers.linear, {x[1], x[2], x[3]}) / outputs * padded);
}

}  // namespace

bool leaves_cache(const format::PackedLayer& linear) {
  return linear.weight.levels.size() > (1u << 20);
}

Choice own_kernels(Kernels kernels, const Fused& layers, const Shape& x, int threads,
                   std::int64_t bytes) {
  Choice choice;
  if (kernels == Kernels::kOneDnn) return choice;
  Site site{
      .layers = layers, .x = x, .isa = vector_isa(), .dense = dense_macs(layers, x), .work = {}};
  // What oneDNN loads and compiles for the first of its kernels is more than most of our weights.
  const bool lean = kernels == Kernels::kLean && x[0] == 1;
  choice.cost = lean ? kNever : onednn_cost(site) / threads;
  for (const Row& row : kTable) {
    if (!row.kernel.fits(*layers.linear)) continue;
    site.work = row.kernel.work(layers, x);
    if (site.work.made > std::min(bytes, kMostOfLayer)) continue;
    // Rows make nothing; what sparse weights are packed into may be little.
    if (lean && kRows.fits(*layers.linear) &&
        2 * site.work.made > std::ssize(layers.linear->weight.levels))
      continue;
    const double cost = row.cost(site);
    if (kernels == row.forced) return {{&row.kernel}, cost};
    if (kernels == Kernels::kTimed && cost < kNever) choice.kernels.push_back(&row.kernel);
    if (cost >= choice.cost) continue;
    choice.cost = cost;
    if (kernels == Kernels::kFixed || kernels == Kernels::kLean) choice.kernels = {&row.kernel};
  }
  return choice;
}

double most_active(const Fused& layers, const Shape& x, double cost) {
  const VectorIsa isa = vector_isa();
  if (isa == VectorIsa::kPlain) return 0;
  // Interleaving four inputs' weights takes as long as multiplying them where that is one instruction of
  // AVX-512. Where it is three of AVX2 it goes on beside them, if the processor shuffles twice at a time
  // (1.2 was measured on a Zen 1), and takes longer if it does so once. A window's list takes as long as some 60
  // registers of weights.
  const double each = isa == VectorIsa::kAvx2 ? 1.25 : 2.2;
  const auto windows = static_cast<double>(sparse::windows_of_run(layers, x)),
             inputs = static_cast<double>(x.elements());
  const double lists = 60 * 64 * windows + 5 * inputs;
  // Lines are read whole even where few of their outputs are multiplied.
  const std::int64_t outputs = layers.linear->weight.shape[0],
                     groups = (outputs + kLanes - 1) / kLanes, whole = (groups + 3) / 4 * 4;
  const double filled = static_cast<double>(groups) / static_cast<double>(whole);
  const double all =
      each * (0.6 / filled + 0.4) * static_cast<double>(sparse::active_work(layers, x).macs);
  return std::clamp((cost - lists) / all, 0.0, 1.0);
}

}  // namespace espalier::runtime
