#include "optim/training/distillation.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/kernels/softmax.hpp"
#include "core/ops/ops.hpp"

namespace espalier::training {
namespace {

// Of the bits of an image's pixels; 64 bits, so that a million images share none (once in 2^25
// runs). Murmur's finalizer mixes (Appleby 2011).
std::uint64_t hash_of(std::span<const float> pixels) {
  std::uint64_t hash = pixels.size();
  for (const float v : pixels) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &v, sizeof bits);
    hash = (hash ^ bits) * 0xff51afd7ed558ccdull;
    hash ^= hash >> 33;
  }
  return hash * 0xc4ceb9fe1a85ec53ull;
}

// log sum exp(x / t) of a row.
double log_sum(std::span<const float> row, float t) {
  const float largest = std::ranges::max(row);
  float sum = 0;
  for (const float v : row) sum += std::exp((v - largest) / t);
  return double{largest} / double{t} + double{std::log(sum)};
}

}  // namespace

Distillation::Distillation(Teacher teacher, Options options)
    : teacher_(std::move(teacher)), options_(options) {
  require(teacher_ != nullptr && options_.temperature > 0 && 0 <= options_.weight &&
              options_.weight <= 1,
          "Distillation", "wants a teacher, a temperature > 0 and a weight in [0, 1], got ",
          options_.temperature, " and ", options_.weight);
}

// The teacher's logits [N K]; only images that it has not seen are shown to it.
Tensor Distillation::answers(const Tensor& images, std::int64_t classes) {
  const std::int64_t n = images.shape()[0], size = images.elements() / n;
  Tensor all = Tensor::uninitialized({n, classes});
  std::vector<std::int64_t> unseen;
  std::vector<std::uint64_t> hashes;
  for (std::int64_t i = 0; i < n; ++i) {
    hashes.push_back(hash_of({images.data() + i * size, static_cast<std::size_t>(size)}));
    const auto known = remembered_.find(hashes.back());
    if (known == remembered_.end())
      unseen.push_back(i);
    else
      std::ranges::copy(known->second, all.mutable_data() + i * classes);
  }
  if (unseen.empty()) return all;
  const auto asked = std::ssize(unseen);
  Tensor shown =
      Tensor::uninitialized({asked, images.shape()[1], images.shape()[2], images.shape()[3]});
  for (std::int64_t i = 0; i < asked; ++i)
    std::copy_n(images.data() + unseen[static_cast<std::size_t>(i)] * size, size,
                shown.mutable_data() + i * size);
  const NoGradient guard;
  const Tensor said = teacher_(shown);
  require(said.shape() == Shape{asked, classes}, "Distillation", "the teacher answers ",
          said.shape(), ", the network ", Shape{asked, classes});
  asked_ += asked;
  for (std::int64_t i = 0; i < asked; ++i) {
    const auto at = unseen[static_cast<std::size_t>(i)];
    const float* row = said.data() + i * classes;
    std::copy_n(row, classes, all.mutable_data() + at * classes);
    if (remembered_.size() < options_.remembered_images)
      remembered_.emplace(hashes[static_cast<std::size_t>(at)],
                          std::vector<float>(row, row + classes));
  }
  return all;
}

Tensor Distillation::softened(const Tensor& images, std::int64_t classes) {
  Tensor q = answers(images, classes);
  for (float& v : q.mutable_values()) v /= options_.temperature;
  q = kernels::log_softmax(q);
  for (float& v : q.mutable_values()) v = std::exp(v);
  return q;
}

Variable Distillation::loss(const Variable& logits, const datasets::Batch& batch) {
  const float t = options_.temperature, weight = options_.weight;
  const auto scaled = [](const Variable& x, float factor) {
    return ops::multiply(x, Variable(Tensor::full({}, factor)));
  };
  const Tensor targets = softened(batch.images, logits.shape()[1]);
  return ops::add(scaled(ops::cross_entropy(logits, batch.labels), 1 - weight),
                  scaled(ops::soft_cross_entropy(logits, targets, t), weight * t * t));
}

// sum q (log sum exp(z / t) - z / t), and the q add up to 1.
double Distillation::image_loss(std::span<const float> logits, std::int64_t label,
                                std::span<const float> softened) const {
  const float t = options_.temperature, weight = options_.weight;
  const double hard = log_sum(logits, 1) - double{logits[static_cast<std::size_t>(label)]};
  double soft = log_sum(logits, t);
  for (std::size_t k = 0; k < logits.size(); ++k)
    soft -= double{softened[k]} * double{logits[k] / t};
  return double{1 - weight} * hard + double{weight * t * t} * soft;
}

}  // namespace espalier::training
