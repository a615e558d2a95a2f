#include "compress/cluster/weight_clustering.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "compress/cluster/priced.hpp"

namespace espalier::cluster {
namespace {

// Which centroid of its group stands for each weight; masked weights have none.
constexpr std::int32_t kZero = -1;
std::vector<std::int32_t> assigned(const Tensor& w, const Tensor& mask, const Tensor& centroids,
                                   const Tensor& shares, double price) {
  const auto groups = static_cast<std::size_t>(centroids.shape()[0]),
             values = static_cast<std::size_t>(centroids.shape()[1]);
  const auto from = w.values(), m = mask.values(), c = centroids.values();
  const std::size_t each = from.size() / groups;
  std::vector<std::int32_t> places(from.size(), kZero);
  for (std::size_t g = 0; g < groups; ++g) {
    const auto own = c.subspan(g * values, values);
    std::optional<PricedChoice> priced;
    if (price > 0)
      priced.emplace(
          own,
          bits_of(shares.values().subspan(g * values, values), 0.5 / static_cast<double>(each)),
          price);
    for (std::size_t i = g * each; i < (g + 1) * each; ++i)
      if (m[i] != 0)
        places[i] = static_cast<std::int32_t>(
            g * values + (priced ? (*priced)(from[i]) : nearest(own, from[i])));
  }
  return places;
}

// Ascending centroids, each with its share.
void sort_together(std::span<float> centroids, std::span<float> shares) {
  if (std::ranges::is_sorted(centroids)) return;
  std::vector<std::pair<float, float>> both;
  for (std::size_t i = 0; i < centroids.size(); ++i) both.emplace_back(centroids[i], shares[i]);
  std::ranges::stable_sort(both, {}, [](const auto& pair) { return pair.first; });
  for (std::size_t i = 0; i < both.size(); ++i)
    centroids[i] = both[i].first, shares[i] = both[i].second;
}

double mean_square(const Tensor& w) {
  double sum = 0;
  for (const float v : w.values()) sum += double{v} * double{v};
  return sum / static_cast<double>(w.elements());
}

}  // namespace

WeightClustering::WeightClustering(Options options) : options_(std::move(options)) {
  require(2 <= options_.clusters && options_.clusters <= 254, "WeightClustering",
          "wants 2 to 254 clusters, got ", options_.clusters);
  require(options_.learning_rate > 0, "WeightClustering", "wants a learning rate > 0, got ",
          options_.learning_rate);
  require(options_.bit_price >= 0, "WeightClustering", "wants a price of bits >= 0, got ",
          options_.bit_price);
  if (!options_.select)
    options_.select = [](const std::string&, const Parameter& p) {
      return p.latent().shape().rank() >= 2;
    };
}

void WeightClustering::attach(Layer& model) {
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (options_.select(name, p)) add(name, p);
  }});
  require(!targets_.empty(), "WeightClustering", "no parameter of the model was selected");
  std::vector<Variable> centroids;
  for (const Target& target : targets_) centroids.push_back(target.centroids);
  optimizer_ = std::make_unique<optim::Adam>(
      centroids, optim::Adam::Options{.learning_rate = options_.learning_rate});
}

void WeightClustering::add(const std::string& name, Parameter& p) {
  const Tensor& w = p.latent().value();
  const auto groups = static_cast<std::size_t>(options_.per_channel ? w.shape()[0] : 1);
  const int values = options_.clusters - (options_.preserve_sparsity ? 1 : 0);
  const std::size_t each = w.values().size() / groups;
  Tensor mask = Tensor::full(w.shape(), 1);
  if (options_.preserve_sparsity)
    std::ranges::transform(w.values(), mask.mutable_values().begin(),
                           [](float v) { return v != 0 ? 1.0f : 0.0f; });
  Tensor centroids({static_cast<std::int64_t>(groups), values});
  Rng rng = Rng(options_.seed, "cluster").stream(name);
  Tensor shares = Tensor::full(centroids.shape(), 1 / static_cast<float>(values));
  const double price = double{options_.bit_price} * mean_square(w);
  for (std::size_t g = 0; g < groups; ++g) {
    std::vector<float> own;
    for (std::size_t i = g * each; i < (g + 1) * each; ++i)
      if (mask.values()[i] != 0) own.push_back(w.values()[i]);
    if (own.empty()) own.push_back(0);  // a channel of zeros
    auto first = initial_centroids(own, values, options_.init, rng);
    const std::size_t at = g * static_cast<std::size_t>(values);
    if (price > 0) {
      constexpr int kRounds = 50;
      std::vector<float> share(first.size(), 1 / static_cast<float>(values));
      priced_lloyd(first, share, own, price, kRounds);
      std::ranges::copy(share, shares.mutable_data() + at);
    }
    std::ranges::copy(first, centroids.mutable_data() + at);
  }
  targets_.push_back({name, &p, groups, Variable(centroids, true), mask, shares, price});
  p.add_transform("cluster", [this, &target = targets_.back()](const Variable& v) {
    return clustered(target, v);
  });
}

// y = mask * centroid[nearest(w)]
//   dw = dy * mask: straight through. dcentroid = the sum, or the mean, of its weights' dy.
Variable WeightClustering::clustered(const Target& target, const Variable& w) const {
  const Tensor& centroids = target.centroids.value();
  const auto places = assigned(w.value(), target.mask, centroids, target.shares, target.price);
  Tensor y(w.shape());
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i] != kZero)
      y.mutable_values()[i] = centroids.values()[static_cast<std::size_t>(places[i])];
  const bool average = options_.gradient == GradientRule::kAverage;
  return record("cluster", y, {w, target.centroids},
                [places, average, shape = centroids.shape()](const BackwardContext& ctx) {
                  Tensor dw(ctx.gradient().shape()), dc(shape);
                  std::vector<float> counts(static_cast<std::size_t>(shape.elements()));
                  const auto dy = ctx.gradient().values();
                  for (std::size_t i = 0; i < places.size(); ++i) {
                    if (places[i] == kZero) continue;
                    const auto at = static_cast<std::size_t>(places[i]);
                    dw.mutable_values()[i] = dy[i];
                    dc.mutable_values()[at] += dy[i];
                    ++counts[at];
                  }
                  if (average)
                    for (std::size_t c = 0; c < counts.size(); ++c)
                      dc.mutable_values()[c] /= std::max(counts[c], 1.0f);
                  return Gradients{ctx.needs(0) ? dw : Tensor(), ctx.needs(1) ? dc : Tensor()};
                });
}

void WeightClustering::step(const training::StepInfo&) {
  optimizer_->clear_gradients();
  for (Target& target : targets_)
    if (target.price > 0) observe(target);
}

// shares = 0.9 * shares + 0.1 * those of the weights' present choices.
void WeightClustering::observe(Target& target) const {
  const Tensor& w = target.parameter->latent().value();
  const auto places =
      assigned(w, target.mask, target.centroids.value(), target.shares, target.price);
  const std::size_t values = target.shares.values().size() / target.groups,
                    each = places.size() / target.groups;
  std::vector<double> counts(target.shares.values().size()), totals(target.groups);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] == kZero) continue;
    ++counts[static_cast<std::size_t>(places[i])];
    ++totals[i / each];
  }
  constexpr double kKeep = 0.9;
  const auto shares = target.shares.mutable_values();
  for (std::size_t c = 0; c < shares.size(); ++c)
    if (totals[c / values] > 0)
      shares[c] = static_cast<float>(kKeep * double{shares[c]} +
                                     (1 - kKeep) * counts[c] / totals[c / values]);
}

void WeightClustering::after_step(const training::StepInfo&, optim::Optimizer&) {
  require(optimizer_->step(), ErrorKind::kDiverged, "WeightClustering",
          "the gradient of a centroid is not finite; lower the learning rate");
  for (Target& target : targets_) {  // they may have passed one another
    const auto all = target.centroids.mutable_value().mutable_values();
    const std::size_t values = all.size() / target.groups;
    for (std::size_t g = 0; g < target.groups; ++g)
      sort_together(all.subspan(g * values, values),
                    target.shares.mutable_values().subspan(g * values, values));
  }
}

bool WeightClustering::visit_state(const training::StateVisitor& visitor) {
  for (Target& target : targets_) {
    visitor(target.name + ".centroids", target.centroids.mutable_value());
    visitor(target.name + ".mask", target.mask);
    visitor(target.name + ".shares", target.shares);
  }
  optimizer_->visit_state(
      [&](const std::string& name, Tensor& state) { visitor("centroids." + name, state); });
  return true;
}

void WeightClustering::bake() {
  const NoGradient guard;
  for (Target& target : targets_) {
    Parameter& p = *target.parameter;
    // Quantization that was baked before has put the clusters on its grid: these stay.
    const Tensor y = p.settled() ? p.latent().value() : clustered(target, p.latent()).value();
    const std::size_t each = y.values().size() / target.groups;
    for (std::size_t g = 0; g < target.groups; ++g) {
      const auto own = y.values().subspan(g * each, each);
      const std::size_t values = std::set<float>(own.begin(), own.end()).size();
      require(values <= static_cast<std::size_t>(options_.clusters), ErrorKind::kInternal,
              target.name, "should hold at most ", options_.clusters, " values",
              target.groups > 1 ? " in a channel" : "", ", holds ", values);
    }
    if (!p.settled()) p.latent().mutable_value().copy_from(y);
    p.remove_transform("cluster");
  }
  targets_.clear();
}

}  // namespace espalier::cluster
