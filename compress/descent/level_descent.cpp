#include "compress/descent/level_descent.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <vector>

#include "compress/descent/incremental_network.hpp"
#include "compress/format/validate.hpp"
#include "compress/format/writer.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/progress.hpp"
#include "core/base/rng.hpp"

namespace espalier::descent {
namespace {

double file_bits(const format::PackedModel& model) {
  const auto sizes = format::measure(model);
  return std::accumulate(sizes.layer_bits.begin(), sizes.layer_bits.end(), sizes.head_bits);
}

void shuffle(std::vector<Change>& places, Rng& rng) {
  for (std::size_t i = places.size(); i > 1; --i) std::swap(places[i - 1], places[rng.below(i)]);
}

class Descent {
 public:
  Descent(const format::PackedModel& model, const Tensor& images, const ImageLoss& loss,
          const Options& options)
      : network_(model, images), scratch_(model), loss_(loss), lambda_(options.lambda) {
    for (std::int64_t n = 0; n < network_.images(); ++n)
      losses_.push_back(loss_(n, network_.logits(n)));
    bits_ = file_bits(scratch_);
  }

  double loss() const {
    return std::reduce(losses_.begin(), losses_.end()) / static_cast<double>(losses_.size());
  }
  double bits() const { return bits_; }
  std::int64_t tried() const { return tried_; }
  const format::PackedModel& model() const { return network_.model(); }

  std::vector<Change> places(bool grow) const {
    std::vector<Change> all;
    for (std::size_t l = 0; l < model().layers.size(); ++l) {
      const auto& layer = model().layers[l];
      for (std::size_t i = 0; i < layer.weight.levels.size(); ++i)
        if (grow || layer.weight.levels[i] != 0) all.push_back({l, false, i, 0});
      for (std::size_t i = 0; i < layer.bias_levels.size(); ++i) all.push_back({l, true, i, 0});
    }
    return all;
  }

  // Makes the best change at this place, if one pays.
  bool visit(const Change& place) {
    std::optional<Change> best;
    double least = 0;
    for (const int by : moves(place)) {
      Change change = place;
      change.by = by;
      ++tried_;
      const bool adds = level(place) == 0;
      double bits = adds ? least_bits_of_one_more(place) : bits_after(change) - bits_;
      const auto rise = loss_rise(change, least - lambda_ * bits);
      if (!rise) continue;
      if (adds) bits = bits_after(change) - bits_;
      const double cost = *rise + lambda_ * bits;
      if (cost < least) least = cost, best = change;
    }
    if (!best) return false;
    network_.make(*best);
    set(*best);
    bits_ = file_bits(scratch_);
    for (std::int64_t n = 0; n < network_.images(); ++n)
      losses_[static_cast<std::size_t>(n)] = loss_(n, network_.logits(n));
    return true;
  }

 private:
  int level(const Change& place) const {
    const auto& layer = model().layers[place.layer];
    return place.bias ? layer.bias_levels[place.index] : layer.weight.levels[place.index];
  }

  // What another nonzero costs at the least: spares the coder most questions about zeros. Contexts
  // make some cheaper than their tensor's share says, hardly by half.
  double least_bits_of_one_more(const Change& place) const {
    const auto& layer = model().layers[place.layer];
    if (place.bias) return 1;
    const auto& levels = layer.weight.levels;
    const auto nonzeros = std::ranges::count_if(levels, [](auto q) { return q != 0; });
    const double share = static_cast<double>(nonzeros + 1) / static_cast<double>(levels.size() + 1);
    return 0.5 * (1 - std::log2(share));
  }

  std::vector<int> moves(const Change& place) const {
    const int now = level(place);
    if (now == 0) return {1, -1};
    const int away = now > 0 ? 1 : -1;
    std::vector<int> by = {-now};
    if (std::abs(now) > 1) by.push_back(-away);
    const int top = (1 << (model().layers[place.layer].weight.bits - 1)) - 1;
    if (place.bias || std::abs(now) < top) by.push_back(away);
    return by;
  }

  void set(const Change& change) {
    auto& layer = scratch_.layers[change.layer];
    if (change.bias)
      layer.bias_levels[change.index] += change.by;
    else
      layer.weight.levels[change.index] =
          static_cast<std::int8_t>(layer.weight.levels[change.index] + change.by);
  }

  // Without bound for a move that breaks a limit of the format, such as that of sums.
  double bits_after(Change change) {
    set(change);
    double bits = HUGE_VAL;
    try {
      bits = file_bits(scratch_);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUsage) throw;
    }
    change.by = -change.by;
    set(change);
    return bits;
  }

  // Of the mean; none when it is not below `limit`, which may be settled before all images are
  // seen: when the mean of those seen is over the limit by kErrors of its standard errors.
  std::optional<double> loss_rise(const Change& change, double limit) {
    constexpr std::int64_t kLook = 256;
    constexpr double kErrors = 2.5;
    double sum = 0, squares = 0;
    const std::int64_t all = network_.images();
    for (std::int64_t n = 0; n < all; ++n) {
      const auto logits = network_.logits_after(change, n);
      const auto was = network_.logits(n);
      if (!std::ranges::equal(logits, was)) {
        const double rise = loss_(n, logits) - losses_[static_cast<std::size_t>(n)];
        sum += rise;
        squares += rise * rise;
      }
      if ((n + 1) % kLook == 0 && n + 1 < all) {
        const auto seen = static_cast<double>(n + 1);
        const double mean = sum / seen, variance = std::max(0.0, squares / seen - mean * mean);
        if (mean - kErrors * std::sqrt(variance / seen) > limit) return {};
      }
    }
    const double rise = sum / static_cast<double>(all);
    if (!(rise < limit)) return {};
    return rise;
  }

  IncrementalNetwork network_;
  format::PackedModel scratch_;  // the same model, to ask the coder
  const ImageLoss& loss_;
  double lambda_, bits_ = 0;
  std::vector<double> losses_;
  std::int64_t tried_ = 0;
};

}  // namespace

Report descend(format::PackedModel& model, const Tensor& images, const ImageLoss& loss,
               const Options& options) {
  require(options.lambda >= 0 && options.rounds >= 1, "descend",
          "wants lambda >= 0 and at least one round, got ", options.lambda, " and ",
          options.rounds);
  require(images.shape().rank() == 4 && images.shape()[0] >= 1, "descend",
          "wants at least one image, got ", images.shape());
  Descent descent(model, images, loss, options);
  Report report{.loss_before = descent.loss(), .bits_before = descent.bits()};
  Rng rng(options.seed, "descent");
  for (int round = 0; round < options.rounds; ++round) {
    auto places = descent.places(round < options.growing_rounds);
    shuffle(places, rng);
    Progress progress("descent " + std::to_string(round + 1), std::ssize(places), "levels",
                      options.quiet);
    std::int64_t done = 0, changed = 0;
    for (const Change& place : places) {
      check_interrupt("descend");
      changed += descent.visit(place);
      if (++done % 16 == 0)
        progress.update(done, std::to_string(static_cast<int>(descent.bits() / 8)) +
                                  " bytes, loss " + std::to_string(descent.loss()));
    }
    progress.finish();
    report.changed += changed;
    if (changed == 0) break;
  }
  model = descent.model();
  report.loss_after = descent.loss();
  report.bits_after = descent.bits();
  report.tried = descent.tried();
  return report;
}

}  // namespace espalier::descent
