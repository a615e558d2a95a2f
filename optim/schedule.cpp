#include "optim/schedule.hpp"

#include <cmath>
#include <utility>

#include "core/base/error.hpp"

namespace espalier::optim {

Schedule constant() {
  return [](float) { return 1.0f; };
}

Schedule cosine() {
  return [](float progress) { return 0.5f * (1 + std::cos(3.14159265358979324f * progress)); };
}

Schedule step() {
  return [](float progress) { return progress < 0.5f ? 1.0f : progress < 0.75f ? 0.1f : 0.01f; };
}

Schedule warm_up(float fraction, Schedule then) {
  require(0 <= fraction && fraction < 1, "warm_up", "wants a fraction in [0, 1), got ", fraction);
  return [fraction, then = std::move(then)](float progress) {
    return progress < fraction ? progress / fraction : then((progress - fraction) / (1 - fraction));
  };
}

}  // namespace espalier::optim
