#include "optim/optimizer.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>

#include "core/base/clones.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::optim {
namespace {

std::vector<Tensor> zeros_like(const std::vector<Variable>& parameters) {
  std::vector<Tensor> zeros;
  for (const auto& p : parameters) zeros.emplace_back(p.shape());
  return zeros;
}

void check_learning_rate(const char* name, float rate) {
  require(rate > 0 && std::isfinite(rate), name, "wants a learning rate above 0, got ", rate);
}

struct AdamConstants {
  float beta1, beta2, epsilon, scale, root, decay;
};

ESPALIER_CLONES void adam_update(float* __restrict w, float* __restrict m, float* __restrict v,
                                 const float* __restrict g, std::int64_t n, AdamConstants c) {
  for (std::int64_t i = 0; i < n; ++i) {
    m[i] = c.beta1 * m[i] + (1 - c.beta1) * g[i];
    v[i] = c.beta2 * v[i] + (1 - c.beta2) * g[i] * g[i];
    w[i] -= c.scale * m[i] / (std::sqrt(v[i]) * c.root + c.epsilon) + c.decay * w[i];
  }
}

// An exponent of all ones is a NaN or infinity.
ESPALIER_CLONES bool all_finite(const float* g, std::int64_t n) {
  std::uint32_t broken = 0;
  for (std::int64_t i = 0; i < n; ++i)
    broken |= (std::bit_cast<std::uint32_t>(g[i]) & 0x7f800000u) == 0x7f800000u;
  return broken == 0;
}

// Calls update(begin, end) on blocks of the gradient that fit into the first-level cache, each
// after it was found finite: the check costs no second trip to memory. False if one was not. Threads
// share the blocks; updating a weight takes `bytes` of memory traffic.
template <class Update>
bool in_finite_blocks(const Tensor& gradient, int bytes, const Update& update) {
  constexpr std::int64_t kBlock = 1024;
  const float* g = gradient.data();
  const std::int64_t n = gradient.elements();
  std::atomic<bool> finite = true;
  in_parallel((n + kBlock - 1) / kBlock, kWorkOfByte * bytes * static_cast<double>(n),
              [&](std::int64_t first, std::int64_t last) {
                for (std::int64_t block = first; block < last && finite; ++block) {
                  const std::int64_t begin = block * kBlock, end = std::min(begin + kBlock, n);
                  if (all_finite(g + begin, end - begin))
                    update(begin, end);
                  else
                    finite = false;
                }
              });
  return finite;
}

}  // namespace

Optimizer::Optimizer(std::vector<Variable> parameters) : parameters_(std::move(parameters)) {
  for (const auto& p : parameters_)
    require(p.needs_gradient(), "Optimizer", "a parameter of shape ", p.shape(),
            " wants no gradient");
}

void Optimizer::clear_gradients() {
  for (auto& p : parameters_) p.clear_gradient();
}

void Optimizer::clear_state(const Variable& parameter, const Tensor& mask) {
  const auto found = std::ranges::find_if(parameters_, [&](const Variable& p) {
    return p.value().shares_memory_with(parameter.value());
  });
  require(found != parameters_.end(), "clear_state", "the parameter of shape ", parameter.shape(),
          " is not this optimizer's");
  require(mask.shape() == parameter.shape(), "clear_state", "wants a mask of shape ",
          parameter.shape(), ", got ", mask.shape());
  for (Tensor* state : state_of(static_cast<std::size_t>(found - parameters_.begin()))) {
    const auto s = state->mutable_values();
    const auto m = mask.values();
    for (std::size_t i = 0; i < s.size(); ++i) s[i] *= m[i];
  }
}

Sgd::Sgd(std::vector<Variable> parameters, Options options)
    : Optimizer(std::move(parameters)), options_(options), velocity_(zeros_like(parameters_)) {
  check_learning_rate("Sgd", options.learning_rate);
  require(0 <= options.momentum && options.momentum < 1 && options.weight_decay >= 0, "Sgd",
          "wants momentum in [0, 1) and weight decay from 0, got ", options.momentum, " and ",
          options.weight_decay);
}

bool Sgd::step(float rate) {
  const float momentum = options_.momentum, decay = options_.weight_decay;
  const float scale = rate * options_.learning_rate;
  const bool nesterov = options_.nesterov;
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    const Tensor& gradient = parameters_[k].gradient();
    if (!gradient.defined()) continue;
    const float* g = gradient.data();
    float* w = parameters_[k].mutable_value().mutable_data();
    float* v = velocity_[k].mutable_data();
    const bool ok = in_finite_blocks(gradient, 20, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const float d = g[i] + decay * w[i];
        v[i] = momentum * v[i] + d;
        w[i] -= scale * (nesterov ? d + momentum * v[i] : v[i]);
      }
    });
    if (!ok) return false;
  }
  return true;
}

void Sgd::visit_state(const StateVisitor& visitor) {
  for (std::size_t i = 0; i < velocity_.size(); ++i)
    visitor("velocity." + std::to_string(i), velocity_[i]);
}

Adam::Adam(std::vector<Variable> parameters, Options options)
    : Optimizer(std::move(parameters)),
      options_(options),
      mean_(zeros_like(parameters_)),
      square_(zeros_like(parameters_)) {
  check_learning_rate("Adam", options.learning_rate);
  require(0 <= options.beta1 && options.beta1 < 1 && 0 <= options.beta2 && options.beta2 < 1 &&
              options.epsilon > 0 && options.weight_decay >= 0,
          "Adam", "wants beta1 and beta2 in [0, 1), epsilon above 0 and weight decay from 0, got ",
          options.beta1, ", ", options.beta2, ", ", options.epsilon, " and ", options.weight_decay);
}

// The corrections are taken out of the loop, and a loop over plain pointers and local constants
// vectorises: one division and one root a weight.
bool Adam::step(float rate) {
  const double t = ++steps_.mutable_data<std::int32_t>()[0];
  const AdamConstants constants{
      .beta1 = options_.beta1,
      .beta2 = options_.beta2,
      .epsilon = options_.epsilon,
      .scale = static_cast<float>(double{rate} * double{options_.learning_rate} /
                                  (1 - std::pow(double{options_.beta1}, t))),
      .root = static_cast<float>(1 / std::sqrt(1 - std::pow(double{options_.beta2}, t))),
      .decay = rate * options_.learning_rate * options_.weight_decay};
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    const Tensor& gradient = parameters_[k].gradient();
    if (!gradient.defined()) continue;
    const float* g = gradient.data();
    float* w = parameters_[k].mutable_value().mutable_data();
    float *m = mean_[k].mutable_data(), *v = square_[k].mutable_data();
    const bool ok = in_finite_blocks(gradient, 28, [&](std::int64_t begin, std::int64_t end) {
      adam_update(w + begin, m + begin, v + begin, g + begin, end - begin, constants);
    });
    if (!ok) return false;
  }
  return true;
}

void Adam::visit_state(const StateVisitor& visitor) {
  visitor("steps", steps_);
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    visitor("mean." + std::to_string(i), mean_[i]);
    visitor("square." + std::to_string(i), square_[i]);
  }
}

}  // namespace espalier::optim
