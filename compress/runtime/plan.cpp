#include "compress/runtime/plan.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "compress/format/validate.hpp"
#include "compress/format/wiring.hpp"
#include "compress/runtime/choice.hpp"
#include "compress/runtime/costs.hpp"
#include "compress/runtime/loops/levels.hpp"
#include "compress/runtime/loops/steps.hpp"
#include "compress/runtime/sparse/active.hpp"
#include "compress/runtime/sparse/active_step.hpp"
#include "core/base/median.hpp"
#include "core/onednn/onednn.hpp"

namespace espalier::runtime {
namespace {

using format::ActivationGrid;
using format::LayerKind;
using format::PackedLayer;
using Clock = std::chrono::steady_clock;

double us_of(const Step& step) {
  const auto start = Clock::now();
  step();
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

onednn::Workspace workspace_for(const format::PackedModel& model, const std::vector<Stage>& all,
                                std::int64_t batch) {
  std::int64_t sums = 0, padded = 0;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const PackedLayer& l = model.layers[i];
    const Stage& in = all[format::input_stage(l, i)];
    if (!format::has_weight(l.kind) || !format::takes_levels(l, in.grid)) continue;
    sums = std::max(sums, all[i + 1].elements());
    if (onednn::pads_by_copy(l, in.grid))
      padded = std::max(padded, padded_shape(l, 1, in.shape).elements());
  }
  return {Tensor({batch * sums}, DType::kInt32), Tensor({batch * padded}, DType::kUint8)};
}

struct Named {
  std::string_view kernel;
  Step step;
};

// The table of steps, one layer each; no step for a flatten.
Named step_of(const PackedLayer& l, const Activation& x, const Activation& other,
              const Activation& y, bool exact, onednn::Workspace& workspace) {
  const bool is_float = x.grid.is_float(), integer = format::takes_levels(l, x.grid);
  switch (l.kind) {
    case LayerKind::kConv2d:
    case LayerKind::kDepthwiseConv2d:
    case LayerKind::kDense:
      if (integer) return {"oneDNN", onednn::integer_linear(l, x, y, workspace)};
      if (exact) return {"ordered", loops::ordered_linear(l, x, y)};
      return {"oneDNN", onednn::float_linear(l, x, y)};
    case LayerKind::kMaxPool2d:
      return {"oneDNN", onednn::pool2d(l, x, y)};
    case LayerKind::kAveragePool2d:
      if (!is_float) return {"loop", loops::average_pool2d_levels(l, x, y)};
      if (exact) return {"ordered", loops::ordered_average_pool2d(l, x, y)};
      return {"oneDNN", onednn::pool2d(l, x, y)};
    case LayerKind::kBatchNorm:
      if (integer) return {"loop", loops::batch_norm_levels(l, x, y)};
      if (is_float && y.grid.is_float()) return {"loop", loops::batch_norm(l, x, y)};
      return {"loop", loops::crossing_batch_norm(l, x, y)};
    case LayerKind::kRelu:
      return {"loop", is_float ? loops::relu(x) : loops::relu_levels(x)};
    case LayerKind::kFlatten:
      return {};
    case LayerKind::kResidual:
      return {"loop",
              integer ? loops::residual_levels(l, x, other, y) : loops::residual(l, x, other, y)};
  }
  fail(ErrorKind::kInternal, "Plan", "layer '", l.name, "' is of no known kind");
}

bool fits_active(const sparse::Fused& layers, const Activation& x, std::int64_t bytes) {
  return layers.linear->kind != LayerKind::kDepthwiseConv2d &&
         sparse::active_work(layers, x.shape).made <= std::min(bytes, kMostOfLayer);
}

// Levels that take as long as most: none is background, but in the upper and lower quarter of a picture.
void fill_for_timing(const Activation& x, bool is_picture) {
  const std::int64_t height = x.shape[1], row = x.shape[2] * x.shape[3], border = height / 4;
  for (std::int64_t i = 0; i < x.shape[0] * height; ++i) {
    const std::int64_t h = i % height;
    const bool lit = !is_picture || (border <= h && h < height - border);
    const std::int32_t level = lit ? (x.grid.zero_point == 1 ? 2 : 1) : x.grid.zero_point;
    std::memset(x.levels() + i * row, level, static_cast<std::size_t>(row));
  }
}

std::int64_t aligned(std::int64_t bytes) {
  constexpr auto kAlignment = static_cast<std::int64_t>(Buffer::kAlignment);
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// Bytes of the weights as oneDNN and the loops hold them, about: levels that floats are multiplied by
// became floats (format::float_weights).
std::int64_t weight_bytes(const PackedLayer& l, const ActivationGrid& input) {
  const auto count = std::ssize(l.weight.levels) + std::ssize(l.weight.values);
  return count * (format::takes_levels(l, input) ? 1 : 4);
}

void let_go(format::StoredWeight& weight) {
  weight.levels = std::vector<std::int8_t>();
  weight.values = std::vector<float>();
}

}  // namespace

Activation Plan::activation(std::size_t stage, bool at_end) {
  const auto& s = stages_[stage].shape;
  const std::int64_t offset = kept_[stage] ? arena_bytes_ + kept_places_.at[stage]
                              : at_end     ? arena_bytes_ - aligned(batch_ * stages_[stage].bytes())
                                           : 0;
  return {arena_.mutable_data<std::uint8_t>() + offset,
          {batch_, s[0], s[1], s[2]},
          stages_[stage].grid};
}

// Pixels to the model's reals or levels.
Plan::Bound Plan::input_step(const Activation& to) {
  Step step = [this, to] {
    if (to.grid.is_float())
      loops::transform_pixels(pixels_, model_, to.floats());
    else
      loops::quantize_pixels(pixels_, model_, to.levels());
  };
  return {std::move(step),
          {.kernel = "loop",
           .bytes = to.shape.elements() * std::int64_t{sizeof(float)} +
                    batch_ * stages_.front().bytes()}};
}

// What the next layer reads.
Activation Plan::input_of(const Place& at) {
  const std::size_t stage = format::input_stage(model_.layers[at.layer], at.layer);
  return kept_[stage] ? activation(stage, false) : at.x;
}

Plan::Piece Plan::layer_by_layer(Place at, std::size_t count) {
  Piece piece;
  for (std::size_t end = at.layer + count; at.layer < end; ++at.layer) {
    const PackedLayer& l = model_.layers[at.layer];
    const std::size_t input = format::input_stage(l, at.layer);
    const Stage &in = stages_[input], &out = stages_[at.layer + 1];
    const bool crosses = in.grid.is_float() != out.grid.is_float();
    const bool in_place = !format::has_weight(l.kind) && !format::has_window(l.kind) && !crosses;
    if (!in_place) at.at_end = !at.at_end;
    Activation x = input_of(at);
    const Activation y = activation(at.layer + 1, at.at_end);
    const bool adds = l.kind == LayerKind::kResidual;
    const Activation other =
        adds ? activation(format::other_stage(l, at.layer), false) : Activation{};
    if (in_place && !adds && x.data != y.data) {
      piece.steps.push_back(
          {[x, y, bytes = static_cast<std::size_t>(batch_ * in.bytes())] {
             std::memcpy(y.data, x.data, bytes);
           },
           {.first = at.layer, .layers = 1, .kernel = "copy", .bytes = 2 * batch_ * in.bytes()}});
      x.data = y.data;
    }
    auto [kernel, step] = step_of(l, x, other, y, exact_, workspace_);
    if (step)
      piece.steps.push_back(
          {std::move(step),
           {.first = at.layer,
            .layers = 1,
            .kernel = kernel,
            .macs = batch_ * macs(l, in.shape),
            .bytes = weight_bytes(l, in.grid) + batch_ * (in.bytes() + out.bytes())}});
    at.x = y;
  }
  piece.end = at;
  return piece;
}

Plan::Piece Plan::fused(const sparse::Kernel& kernel, const sparse::Fused& layers,
                        const Place& at) {
  const std::size_t end = at.layer + layers.count();
  const Activation y = activation(end, !at.at_end);
  const Activation x = input_of(at);
  const sparse::Work work = kernel.work(layers, x.shape);
  const Stage& in = stages_[format::input_stage(*layers.linear, at.layer)];
  const std::int64_t dense = batch_ * macs(*layers.linear, in.shape);
  Piece piece;
  piece.steps.push_back({kernel.make(layers, x, y),
                         {.first = at.layer,
                          .layers = layers.count(),
                          .kernel = kernel.name,
                          .macs = work.macs,
                          .skipped = std::max<std::int64_t>(0, dense - work.macs),
                          .bytes = work.bytes + batch_ * (in.bytes() + stages_[end].bytes())}});
  piece.end = {end, y, !at.at_end};
  piece.made = work.made;
  piece.in_place = kernel.in_place;
  return piece;
}

Plan::Piece Plan::active(const sparse::Fused& layers, const Place& at, double most,
                         Piece otherwise) {
  const std::size_t end = at.layer + layers.count();
  const Activation x = input_of(at), y = activation(end, !at.at_end);
  const sparse::Work work = sparse::active_work(layers, x.shape);
  PlannedStep facts{.first = at.layer,
                    .layers = layers.count(),
                    .kernel = "active",
                    .macs = work.macs,
                    .bytes = work.bytes + x.shape.elements() + batch_ * stages_[end].bytes()};
  Step all;
  if (!otherwise.steps.empty()) {
    facts.macs = facts.skipped = 0;
    for (const Bound& bound : otherwise.steps)
      facts.macs += bound.facts.macs, facts.skipped += bound.facts.skipped;
    all = [steps = std::move(otherwise.steps), from = otherwise.end.x.data, to = y.data,
           bytes = static_cast<std::size_t>(batch_ * stages_[end].bytes())] {
      for (const Bound& bound : steps) bound.run();
      if (from != to) std::memcpy(to, from, bytes);
    };
  }
  Piece piece;
  piece.in_place = otherwise.in_place;
  auto* levels = taken_ && !piece.in_place ? &taken_->layers[at.layer].weight.levels : nullptr;
  piece.steps.push_back({sparse::active_step(layers, x, y, most, std::move(all), levels), facts});
  piece.end = {end, y, !at.at_end};
  piece.made = work.made + otherwise.made;
  return piece;
}

// Levels that were read where they lie, and lines beside them, would be two copies of a large layer. Lines
// serve images without zeros, too, and weights from beyond the cache are waited for either way. Not where
// outputs fill so little of a tile of 64 that lines are much larger.
bool Plan::keeps_lines_alone(Kernels kernels, const sparse::Fused& layers, const Activation& x,
                             const Piece& chosen) const {
  const auto levels = std::ssize(layers.linear->weight.levels);
  const bool as_small = 8 * sparse::ActiveWeights::bytes(*layers.linear) <= 9 * levels;
  return taken_ && chosen.in_place && kernels != Kernels::kRows && leaves_cache(*layers.linear) &&
         as_small && sparse::may_be_active(layers, x) &&
         fits_active(layers, x, kMostOfPlan - made_);
}

Plan::Piece Plan::choose(Kernels kernels, int threads, const Place& at) {
  const PackedLayer& l = model_.layers[at.layer];
  const Activation x = input_of(at);
  if (!format::has_weight(l.kind) || !format::takes_levels(l, x.grid)) return layer_by_layer(at, 1);
  const sparse::Fused layers = sparse::fused_from(model_, at.layer);
  const std::int64_t bytes = kMostOfPlan - made_;
  if (kernels == Kernels::kActive && fits_active(layers, x, bytes))
    return active(layers, at, 1, {});
  // What few inputs are ever sparse enough for is not worth a copy of the weights.
  constexpr double kWorthwhile = 0.2;
  Choice choice = own_kernels(kernels, layers, x.shape, threads, bytes);
  const bool worthwhile =
      sparse::may_be_active(layers, x) && most_active(layers, x.shape, choice.cost) >= kWorthwhile;
  // What seldom runs is not worth oneDNN's code, which is more than most of our weights: for one image ours
  // stands behind active inputs, unless oneDNN is more than a fifth faster, as it is on several threads.
  constexpr double kSlower = 1.2;
  if (worthwhile && kernels == Kernels::kFixed && x.shape[0] == 1 && choice.kernels.empty()) {
    Choice ours = own_kernels(Kernels::kLean, layers, x.shape, threads, bytes);
    if (!ours.kernels.empty() && ours.cost <= kSlower * choice.cost) choice = std::move(ours);
  }
  Piece piece = fastest(kernels, choice.kernels, layers, at);
  if (keeps_lines_alone(kernels, layers, x, piece)) return active(layers, at, 1, {});
  const bool free = kernels == Kernels::kFixed || kernels == Kernels::kTimed;
  if (!free || !worthwhile || !fits_active(layers, x, std::min(bytes, kMostOfLayer) - piece.made))
    return piece;
  return active(layers, at, most_active(layers, x.shape, choice.cost), std::move(piece));
}

Plan::Piece Plan::fastest(Kernels kernels, const std::vector<const sparse::Kernel*>& own,
                          const sparse::Fused& layers, const Place& at) {
  if (own.empty()) return layer_by_layer(at, layers.count());
  if (kernels != Kernels::kTimed) return fused(*own.front(), layers, at);
  // The least time of several rounds in which each has its turn.
  std::vector<Piece> pieces;
  for (const sparse::Kernel* kernel : own) pieces.push_back(fused(*kernel, layers, at));
  pieces.push_back(layer_by_layer(at, layers.count()));
  constexpr int kRounds = 15;
  constexpr double kMaxUs = 20'000;  // of all rounds, though there are at least three
  std::vector<double> least(pieces.size(), 1e300);
  double spent = 0;
  for (int round = 0; round < kRounds && (round < 3 || spent < kMaxUs); ++round)
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      // Each time anew: what oneDNN's steps write may lie where the input does.
      fill_for_timing(input_of(at), at.layer == 0);
      double us = 0;
      for (const Bound& bound : pieces[i].steps) us += us_of(bound.run);
      least[i] = std::min(least[i], us);
      spent += us;
    }
  return std::move(
      pieces[static_cast<std::size_t>(std::ranges::min_element(least) - least.begin())]);
}

Plan::Plan(const format::PackedModel& model, std::int64_t batch, Kernels kernels, int threads,
           format::PackedModel* taken)
    : model_(model),
      taken_(taken),
      batch_(batch),
      stages_(stages(model)),
      exact_(is_exact(model)),
      kept_(format::kept_stages(model)) {
  const auto chained = [&](std::size_t stage) {
    return kept_[stage] ? 0 : aligned(batch * stages_[stage].bytes());
  };
  for (std::size_t i = 0; i + 1 < stages_.size(); ++i)
    arena_bytes_ = std::max(arena_bytes_, chained(i) + chained(i + 1));
  std::vector<std::int64_t> sizes;
  for (const Stage& stage : stages_) sizes.push_back(aligned(batch * stage.bytes()));
  kept_places_ = format::place_kept(model, sizes);
  arena_ = Tensor({arena_bytes_ + kept_places_.total + Activation::kSlack}, DType::kUint8);
  workspace_ = workspace_for(model, stages_, batch);
  Place at{.x = activation(0, false)};
  steps_.push_back(input_step(at.x));
  try {
    while (at.layer < model.layers.size()) {
      Piece piece = choose(kernels, threads, at);
      for (std::size_t i = at.layer; taken_ && !piece.in_place && i < piece.end.layer; ++i)
        let_go(taken_->layers[i].weight);
      std::ranges::move(piece.steps, std::back_inserter(steps_));
      at = piece.end, made_ += piece.made;
    }
  } catch (const dnnl::error& e) {
    dnn::fail(e);
  }
  logits_ = at.x;
}

std::span<const float> Plan::run(std::span<const float> pixels) {
  pixels_ = pixels;
  for (const auto& step : steps_) step.run();
  return {logits_.floats(), static_cast<std::size_t>(logits_.shape.elements())};
}

std::vector<PlannedStep> Plan::describe(int runs, double seconds, std::span<const float> image) {
  std::vector<PlannedStep> facts;
  for (const Bound& bound : steps_) facts.push_back(bound.facts);
  if (runs < 1) return facts;
  std::vector<float> pixels;
  for (std::int64_t n = 0; n < batch_; ++n) pixels.insert(pixels.end(), image.begin(), image.end());
  pixels_ = pixels;
  std::vector<std::vector<double>> us(facts.size());
  constexpr int kLeast = 5;
  const auto begin = Clock::now();
  const auto time_is_up = [&] {
    return std::chrono::duration<double>(Clock::now() - begin).count() > seconds;
  };
  for (int i = 0; i < runs && (i < kLeast || !time_is_up()); ++i)
    for (std::size_t s = 0; s < steps_.size(); ++s) us[s].push_back(us_of(steps_[s].run));
  for (std::size_t s = 0; s < us.size(); ++s) facts[s].us = median(std::move(us[s]));
  return facts;
}

}  // namespace espalier::runtime
