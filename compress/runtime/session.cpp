#include "compress/runtime/session.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "compress/runtime/plan.hpp"
#include "compress/runtime/stages.hpp"
#include "core/base/median.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::runtime {

namespace {

void check(const Model& model, const SessionOptions& options) {
  constexpr std::int64_t kMaxBatch = 65536;
  model.check_weights("Session");
  require(1 <= options.batch && options.batch <= kMaxBatch, "Session", "wants a batch of 1 to ",
          kMaxBatch, " images, got ", options.batch);
  const ThreadsInScope allowed(options.threads);
}

}  // namespace

Session::Session(const Model& model, const SessionOptions& options)
    : model_(&model), options_(options) {
  check(model, options);
  make(nullptr);
}

Session::Session(Model&& model, const SessionOptions& options) : model_(&model), options_(options) {
  check(model, options);
  owned_ = std::make_unique<Model>(std::move(model));
  model_ = owned_.get();
  const bool takes = options.executor == Executor::kPlan;
  owned_->has_weights_ = !takes;
  make(takes ? &owned_->packed_ : nullptr);
}

void Session::make(format::PackedModel* taken) {
  const format::PackedModel& packed = model_->packed();
  classes_ = stages(packed).back().elements();
  if (options_.executor == Executor::kReference) return;
  const ThreadsInScope scope(options_.threads);
  plan_ = std::make_unique<Plan>(packed, std::min(options_.batch, kChunk), options_.kernels,
                                 options_.threads, taken);
  logits_ = Tensor({options_.batch, classes_});
}

Session::~Session() = default;
Session::Session(Session&& other) noexcept
    : owned_(std::move(other.owned_)),
      model_(std::exchange(other.model_, nullptr)),
      options_(other.options_),
      classes_(other.classes_),
      logits_(std::move(other.logits_)),
      plan_(std::move(other.plan_)) {}
Session& Session::operator=(Session&& other) noexcept {
  if (this == &other) return *this;
  plan_ = std::move(other.plan_);  // before what its steps point into
  owned_ = std::move(other.owned_);
  model_ = std::exchange(other.model_, nullptr);
  options_ = other.options_;
  classes_ = other.classes_;
  logits_ = std::move(other.logits_);
  return *this;
}

const Model& Session::model() const {
  require(model_ != nullptr, "Session", "this one was moved from; use the one it was moved to");
  return *model_;
}

std::span<const float> Session::run(const Tensor& images) {
  model().check_images(images);
  const std::int64_t n = images.shape()[0];
  require(n <= options_.batch, "run", "the session was made for ", options_.batch,
          " images a run, got ", n, "; make it with a larger batch");
  const ThreadsInScope scope(options_.threads);
  if (!plan_) {
    logits_ = model_->run(images);
    return logits_.values();
  }
  const std::span<const float> pixels = images.values();
  const std::int64_t image = n ? images.elements() / n : 0;
  for (std::int64_t begin = 0; begin < n; begin += kChunk) {
    const std::int64_t count = std::min(kChunk, n - begin);
    const auto part = plan_->run(pixels.subspan(static_cast<std::size_t>(begin * image),
                                                static_cast<std::size_t>(count * image)));
    std::copy_n(part.begin(), count * classes_, logits_.mutable_data() + begin * classes_);
  }
  return std::as_const(logits_).values().first(static_cast<std::size_t>(n * classes_));
}

std::vector<PlannedStep> Session::plan(int runs, double seconds, const Tensor& image) {
  model();
  require(plan_ != nullptr, "plan", "the reference executor has none");
  const auto [height, width, channels] = model_->packed().input_shape;
  const Tensor timed = image.defined() ? image : Tensor::full({1, height, width, channels}, 0.5f);
  model_->check_images(timed);
  require(timed.shape()[0] == 1, "plan", "wants one image, got ", timed.shape()[0]);
  const ThreadsInScope scope(options_.threads);
  return plan_->describe(runs, seconds, timed.values());
}

double latency_us(Session& session, const LatencyOptions& options) {
  require(session.batch() == 1, "latency_us", "wants a session of batch 1, got ", session.batch());
  require(options.warm_up >= 0 && options.runs >= 1, "latency_us",
          "wants at least one run and no negative warm-up, got ", options.runs, " and ",
          options.warm_up);
  const auto& s = session.model().packed().input_shape;
  Tensor image({1, s[0], s[1], s[2]});
  for (std::int64_t i = 0; i < image.elements(); ++i)
    image.mutable_data()[i] = static_cast<float>(i % 16) / 15;

  using Clock = std::chrono::steady_clock;
  using Microseconds = std::chrono::duration<double, std::micro>;
  const auto begin = Clock::now();
  const auto time_is_up = [&] {
    return std::chrono::duration<double>(Clock::now() - begin).count() > options.seconds;
  };
  for (int i = 0; i < options.warm_up && !time_is_up(); ++i) session.run(image);
  std::vector<double> us;
  for (int i = 0; i < options.runs && (i < 5 || !time_is_up()); ++i) {
    const auto start = Clock::now();
    session.run(image);
    us.push_back(Microseconds(Clock::now() - start).count());
  }
  return median(std::move(us));
}

}  // namespace espalier::runtime
