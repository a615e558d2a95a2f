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

Variable Distillation::loss(const Variable& logits, const datasets::Batch& batch) {
  const float t = options_.temperature, weight = options_.weight;
  Tensor targets = answers(batch.images, logits.shape()[1]);
  for (float& v : targets.mutable_values()) v /= t;
  targets = kernels::log_softmax(targets);
  for (float& v : targets.mutable_values()) v = std::exp(v);
  const auto scaled = [](const Variable& x, float factor) {
    return ops::multiply(x, Variable(Tensor::full({}, factor)));
  };
  return ops::add(scaled(ops::cross_entropy(logits, batch.labels), 1 - weight),
                  scaled(ops::soft_cross_entropy(logits, targets, t), weight * t * t));
}

}  // namespace espalier::training
