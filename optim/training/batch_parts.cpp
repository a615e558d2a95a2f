#include "optim/training/batch_parts.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/onednn/threads.hpp"
#include "layers/sequential.hpp"
#include "optim/training/evaluate.hpp"

namespace espalier::training {
namespace {

// Examples `begin` to `end` of `batch`.
void take(const datasets::Batch& batch, std::int64_t begin, std::int64_t end,
          datasets::Batch& part) {
  const Shape& whole = batch.images.shape();
  const std::int64_t each = batch.images.elements() / whole[0];
  part.images = Tensor::uninitialized({end - begin, whole[1], whole[2], whole[3]});
  std::copy_n(batch.images.data() + begin * each, (end - begin) * each, part.images.mutable_data());
  const auto copy = [&](const auto& from, auto& to) {
    if (!from.empty()) to.assign(from.begin() + begin, from.begin() + end);
  };
  copy(batch.labels, part.labels);
  copy(batch.targets, part.targets);
}

}  // namespace

void require_parts(Layer& model, int parts) {
  if (parts == 1) return;
  if (const auto* sequential = dynamic_cast<const Sequential*>(&model))
    for (const auto& [name, layer] : sequential->layers())
      require(!layer->taps_input() && !layer->taps_output(), "parts", "at layer ", name,
              " a pass meets the activations and may want whole batches, not ", parts,
              " parts of each; train with 1 part");
  std::string state;
  model.visit({.state = [&](const std::string& name, Tensor&) {
    if (state.empty()) state = name;
  }});
  require(state.empty(), "parts", "layer ", state.substr(0, state.rfind('.')),
          " wants whole batches, not ", parts, " parts of each, which would all move its ", state,
          "; train with 1 part, or without this layer");
}

BatchParts::BatchParts(Layer& model, Loss loss, int parts)
    : model_(model),
      loss_(std::move(loss)),
      workers_(std::min(parts, threads())),
      run_part_([this](int number) { run_part(number); }) {
  require_parts(model, parts);
  std::vector<Variable> leaves;
  model.visit(
      {.parameter = [&](const std::string&, Parameter& p) { leaves.push_back(p.latent()); }});
  for (int i = 0; i < parts; ++i)
    parts_.push_back({.batch = {}, .gradients = LeafGradients(leaves)});
}

void BatchParts::run_part(int number) {
  const ThreadsInScope one(1);
  const kernels::PrecisionInScope precision(precision_);
  Part& part = parts_[static_cast<std::size_t>(number)];
  const std::int64_t all = batch_->images.shape()[0], begin = all * number / count_,
                     end = all * (number + 1) / count_;
  part.gradients.clear();
  take(*batch_, begin, end, part.batch);
  Rng dropout = *dropout_;
  const Variable logits =
      model_(Variable(part.batch.images),
             {.training = true, .rng = &dropout, .part = {.first = begin, .whole = all}});
  const Variable loss = loss_(logits, part.batch);
  const double share = static_cast<double>(end - begin) / static_cast<double>(all);
  backward(loss, static_cast<float>(share), part.gradients);
  part.loss = share * double{loss.value().item()};
  part.correct = part.batch.targets.empty() ? count_correct(logits.value(), part.batch.labels) : 0;
  part.drawn = dropout.position();
}

// Each number's sum has the order of the parts, whichever thread takes it.
void BatchParts::add_gradients() {
  const auto gradients = [this](int i) -> LeafGradients& {
    return parts_[static_cast<std::size_t>(i)].gradients;
  };
  for (std::size_t leaf = 0; leaf < gradients(0).size(); ++leaf) {
    int first = 0;  // part whose loss depends on it, with any model that we have the first
    while (first < count_ && !gradients(first).of(leaf).defined()) ++first;
    if (first == count_) continue;
    Tensor& sum = gradients(first).own(leaf);
    float* const s = sum.mutable_data();
    const std::int64_t n = sum.elements();
    const double bytes = 12 * static_cast<double>(n) * (count_ - first - 1);
    in_parallel(n, kWorkOfByte * bytes, [&](std::int64_t begin, std::int64_t end) {
      for (int i = first + 1; i < count_; ++i) {
        const Tensor& gradient = gradients(i).of(leaf);
        if (!gradient.defined()) continue;
        const float* const g = gradient.data();
        for (std::int64_t k = begin; k < end; ++k) s[k] += g[k];
      }
    });
    if (first > 0) gradients(0).own(leaf) = sum;
  }
  gradients(0).give_to_leaves();
  for (int i = 1; i < count_; ++i) gradients(i).clear();
}

BatchLoss BatchParts::run(const datasets::Batch& batch, Rng& dropout) {
  batch_ = &batch, dropout_ = &dropout, precision_ = kernels::precision();
  count_ = static_cast<int>(std::min<std::int64_t>(std::ssize(parts_), batch.images.shape()[0]));
  workers_.run(count_, run_part_);
  double loss = 0;
  std::int64_t correct = 0;
  for (int i = 0; i < count_; ++i) {
    const Part& part = parts_[static_cast<std::size_t>(i)];
    loss += part.loss;
    correct += part.correct;
  }
  add_gradients();
  dropout.seek(parts_.front().drawn);
  return {static_cast<float>(loss), static_cast<float>(loss), correct};
}

}  // namespace espalier::training
