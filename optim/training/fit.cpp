#include "optim/training/fit.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

#include "core/base/progress.hpp"
#include "core/base/text.hpp"
#include "core/ops/ops.hpp"
#include "datasets/batch_loader.hpp"
#include "datasets/subset.hpp"
#include "optim/training/batch_parts.hpp"
#include "optim/training/checkpoint.hpp"
#include "optim/training/divergence.hpp"

namespace espalier::training {
namespace {

std::vector<Variable> latents(Layer& model) {
  std::vector<Variable> all;
  model.visit({.parameter = [&](const std::string&, Parameter& p) { all.push_back(p.latent()); }});
  return all;
}

std::unique_ptr<optim::Optimizer> optimizer_for(Layer& model, const FitOptions& options) {
  if (options.optimizer) return options.optimizer(latents(model));
  return std::make_unique<optim::Adam>(
      latents(model), optim::Adam::Options{.learning_rate = options.learning_rate});
}

void check(Layer& model, const datasets::Dataset& data, const FitOptions& options,
           const std::vector<Pass*>& passes) {
  require(options.epochs >= 1 && options.batch_size >= 1, "fit",
          "wants at least one epoch and one image a batch, got ", options.epochs, " and ",
          options.batch_size);
  require(options.schedule != nullptr, "fit", "wants a schedule; optim::constant() is one");
  require(data.size() > 0, "fit", "the data set is empty");
  require(!options.watch || options.validation, "fit",
          "has a watch over the validation loss, and no validation data");
  require(1 <= options.parts && options.parts <= 1024, "fit", "wants 1 to 1024 parts, got ",
          options.parts);
  if (options.parts == 1) return;
  require_parts(model, options.parts);
  require(
      !options.loss || options.loss_of_parts, "fit",
      "the caller's loss may want whole batches, not ", options.parts,
      " parts of each; train with 1 part, or set FitOptions::loss_of_parts if it is a mean over "
      "examples that threads may call at once");
  for (const Pass* pass : passes)
    require(pass->wants_whole_batches().empty(), "fit", pass->wants_whole_batches(),
            " wants whole batches, not ", options.parts, " parts of each; train with 1 part");
}

// A schedule is a function: some of its values tell it from another.
std::string name_of(const optim::Schedule& schedule) {
  std::string values;
  for (const float progress : {0.0f, 0.05f, 0.25f, 0.5f, 0.75f, 1.0f})
    values += (values.empty() ? "" : " ") + fixed(schedule(progress), 4);
  return values;
}

Variable cross_entropy_loss(const Variable& logits, const datasets::Batch& batch) {
  return ops::cross_entropy(logits, batch.labels);
}

// The terms that passes add to the loss of this step; `add` meets each.
template <class Add>
void for_each_term(const std::vector<Pass*>& passes, const StepInfo& info, const Add& add) {
  for (Pass* pass : passes)
    if (const Variable term = pass->loss(info); term.defined()) add(term);
}

void print(const std::string& label, const EpochReport& r, int epochs, bool targets) {
  std::string line = "  " + label + "  epoch " + std::to_string(r.epoch) + '/' +
                     std::to_string(epochs) + "  loss " + fixed(r.loss, 4);
  if (!targets) line += "  accuracy " + percent(r.accuracy);
  if (r.validation)
    line += "  validation loss " + fixed(r.validation->loss, 4) + ' ' +
            (targets ? "R2 " + fixed(r.validation->r2, 4) : percent(r.validation->accuracy));
  std::fprintf(stderr, "%s  %s\n", line.c_str(), duration(r.seconds).c_str());
}

}  // namespace

std::vector<EpochReport> fit(Layer& model, const datasets::Dataset& data, const FitOptions& options,
                             const std::vector<Pass*>& passes) {
  check(model, data, options, passes);
  bool resumable = true;
  for (Pass* pass : passes) {
    pass->attach(model);
    resumable = resumable && pass->visit_state([](const std::string&, Tensor&) {});
    require(options.checkpoint.empty() || resumable, "fit",
            "one of the passes cannot be resumed; train without a checkpoint");
  }
  const auto optimizer = optimizer_for(model, options);
  Rng shuffle(options.seed, "shuffle"), dropout(options.seed, "dropout");
  const Loss loss_of = options.loss         ? options.loss
                       : data.has_targets() ? Loss(mean_squared_error)
                                            : Loss(cross_entropy_loss);
  std::optional<BatchParts> parts;
  if (options.parts > 1) parts.emplace(model, loss_of, options.parts);
  // Forward and backward over the whole batch; or over its parts, and then over the passes' terms.
  const auto loss_and_gradients = [&](const datasets::Batch& batch, const StepInfo& info,
                                      Rng& dropout) -> BatchLoss {
    if (parts) {
      optimizer->clear_gradients();
      BatchLoss found = parts->run(batch, dropout);
      for_each_term(passes, info, [&](const Variable& term) {
        backward(term);
        found.total += term.value().item();
      });
      return found;
    }
    const Variable logits = model(Variable(batch.images), {.training = true, .rng = &dropout});
    const Variable task = loss_of(logits, batch);
    Variable loss = task;
    for_each_term(passes, info, [&](const Variable& term) { loss = ops::add(loss, term); });
    optimizer->clear_gradients();
    backward(loss);
    return {task.value().item(), loss.value().item(),
            data.has_targets() ? 0 : count_correct(logits.value(), batch.labels)};
  };
  const std::int64_t batches = (data.size() + options.batch_size - 1) / options.batch_size;
  StepInfo info{.step = 0, .total_steps = batches * options.epochs};
  EpochReport report;
  double rates = 0;  // of the epoch's steps
  std::optional<Watch> watch;
  if (options.watch) watch.emplace(*options.watch, model);
  const RunState run{model,
                     *optimizer,
                     passes,
                     {{"shuffle", &shuffle}, {"dropout", &dropout}},
                     info.step,
                     watch ? &*watch : nullptr,
                     {{"images", std::to_string(data.size())},
                      {"batch_size", std::to_string(options.batch_size)},
                      {"epochs", std::to_string(options.epochs)},
                      {"seed", std::to_string(options.seed)},
                      {"parts", std::to_string(options.parts)},
                      {"learning_rate", options.optimizer ? "the caller's optimizer"
                                                          : std::to_string(options.learning_rate)},
                      {"loss", options.loss         ? "the caller's"
                               : data.has_targets() ? "mean squared error"
                                                    : "cross-entropy"},
                      {"schedule", name_of(options.schedule)},
                      {"watch", watch ? watch->settings() : "none"}},
                     {{"loss", &report.loss},
                      {"accuracy", &report.accuracy},
                      {"seconds", &report.seconds},
                      {"rates", &rates}}};
  const auto keep = [&] {
    if (!options.checkpoint.empty())
      save_checkpoint(run, options.checkpoint);
    else if (options.last_state && resumable)
      *options.last_state = encode_checkpoint(run);
  };
  if (!options.checkpoint.empty() && std::filesystem::exists(options.checkpoint))
    load_checkpoint(run, options.checkpoint, options.warn);
  Progress progress(options.label, info.total_steps * options.batch_size, "images", options.quiet,
                    info.step * options.batch_size);

  std::vector<EpochReport> reports;
  for (auto epoch = static_cast<int>(info.step / batches) + 1; epoch <= options.epochs; ++epoch) {
    if (watch && watch->stopped()) break;
    const auto start = std::chrono::steady_clock::now();
    const auto elapsed = [start] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    const std::uint64_t before_order = shuffle.position();
    auto order = datasets::permutation(data.size(), shuffle);
    report.epoch = epoch;
    const std::int64_t begun = info.step % batches;  // of an epoch that Ctrl-C had stopped
    order.erase(order.begin(), order.begin() + begun * options.batch_size);
    const auto augmented = options.epoch_data ? options.epoch_data(epoch) : nullptr;
    const datasets::Dataset& seen = augmented ? *augmented : data;
    require(seen.size() == data.size(), "fit", "the data of epoch ", epoch, " has ", seen.size(),
            " images, want ", data.size(), " as in every epoch");
    // Decoding and augmentation run ahead of the steps; the batches are the same without a thread.
    datasets::BatchLoader loader(seen, std::move(order), {.batch_size = options.batch_size});
    for (std::int64_t b = begun; b < batches; ++b) {
      datasets::Batch batch;
      try {
        batch = loader.next().value();
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kInterrupted) throw;
        shuffle.seek(before_order);  // the same order is drawn again
        report.seconds += elapsed();
        keep();
        fail(ErrorKind::kInterrupted, "fit", "stopped by Ctrl-C before epoch ", epoch, ", batch ",
             b + 1);
      }

      const Rng drawn = dropout;
      BatchLoss found;
      try {
        for (Pass* pass : passes) pass->step(info);
        found = loss_and_gradients(batch, info, dropout);
        const float rate = options.schedule(info.progress()) * (watch ? watch->rate() : 1.0f);
        if (!std::isfinite(found.total) || !optimizer->step(rate))
          fail(ErrorKind::kDiverged, "the loss", found.total);
        rates += double{rate};
        for (Pass* pass : passes) pass->after_step(info, *optimizer);
      } catch (const Error& error) {  // of this step, or of a pass that met a NaN first
        if (error.kind() != ErrorKind::kDiverged) throw;
        fail(ErrorKind::kDiverged, "fit", "epoch ", epoch, ", batch ", b + 1, ": ",
             origin_of_divergence(model, batch.images, drawn), " is not finite (", error.what(),
             "); lower the learning rate");
      }

      report.loss += double{found.task} * static_cast<double>(batch.labels.size());
      report.accuracy += static_cast<double>(found.correct);
      if (options.on_step) options.on_step({info, double{found.total}});
      ++info.step;
      if (progress.due())
        progress.update(info.step * options.batch_size, "loss " + fixed(found.total, 3));
      loader.give_back(std::move(batch));
      if (options.stop_when && options.stop_when()) return reports;
    }
    report.rate = static_cast<float>(rates / static_cast<double>(batches));
    report.loss /= static_cast<double>(data.size());
    report.accuracy /= static_cast<double>(data.size());
    report.waited += loader.waited();
    if (options.validation) report.validation = evaluate(model, *options.validation);
    if (watch) watch->after_epoch(report.validation->loss);
    report.seconds += elapsed();
    progress.finish();
    if (!options.quiet) print(options.label, report, options.epochs, data.has_targets());
    reports.push_back(report);
    report = {}, rates = 0;
    const bool goes_on = !options.on_epoch_end || options.on_epoch_end(reports.back());
    if (!options.checkpoint.empty()) keep();
    if (!goes_on) return reports;
  }
  if (options.checkpoint.empty()) keep();
  if (watch) watch->restore_best();
  return reports;
}

}  // namespace espalier::training
