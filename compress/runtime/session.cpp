#include "compress/runtime/session.hpp"

#include <algorithm>
#include <chrono>

#include "compress/runtime/onednn/plan.hpp"
#include "compress/runtime/stages.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::runtime {

Session::Session(const Model& model, const SessionOptions& options)
    : model_(&model), options_(options), classes_(stages(model.packed()).back().elements()) {
  constexpr std::int64_t kMaxBatch = 65536;
  require(1 <= options.batch && options.batch <= kMaxBatch, "Session", "wants a batch of 1 to ",
          kMaxBatch, " images, got ", options.batch);
  const ThreadsInScope scope(options.threads);
  if (options.executor == Executor::kOneDnn)
    plan_ = std::make_unique<Plan>(model.packed(), options.batch);
}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::span<const float> Session::run(const Tensor& images) {
  model_->check_images(images);
  const std::int64_t n = images.shape()[0];
  require(n <= options_.batch, "run", "the session was made for ", options_.batch,
          " images a run, got ", n, "; make it with a larger batch");
  const ThreadsInScope scope(options_.threads);
  if (plan_) return plan_->run(images.values()).first(static_cast<std::size_t>(n * classes_));
  logits_ = model_->run(images);
  return logits_.values();
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
  const auto middle = us.begin() + static_cast<std::ptrdiff_t>(us.size() / 2);
  std::nth_element(us.begin(), middle, us.end());
  return *middle;
}

}  // namespace espalier::runtime
