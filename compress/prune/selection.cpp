#include "compress/prune/selection.hpp"

#include <algorithm>
#include <utility>

namespace espalier::prune {
namespace {

Selection of_rank(int least, int most, std::int64_t values) {
  return [=](const std::string&, const Parameter& p) {
    const Shape& shape = p.latent().shape();
    return least <= shape.rank() && shape.rank() <= most && shape.elements() >= values;
  };
}

}  // namespace

Selection weights() {
  return of_rank(2, Shape::kMaxRank, 0);
}
Selection weights_and_biases() {
  return [](const std::string& name, const Parameter& p) {
    return p.latent().shape().rank() >= 2 || name.ends_with("bias");
  };
}
Selection convolution_weights() {
  return of_rank(4, 4, 0);
}
Selection dense_weights() {
  return of_rank(2, 2, 0);
}
Selection weights_from(std::int64_t values) {
  return of_rank(2, Shape::kMaxRank, values);
}

Selection named(std::vector<std::string> names) {
  return [names = std::move(names)](const std::string& name, const Parameter& p) {
    const std::string layer = name.substr(0, name.rfind('.'));
    const bool whole_layer = p.latent().shape().rank() >= 2 && std::ranges::count(names, layer);
    return whole_layer || std::ranges::count(names, name) > 0;
  };
}

}  // namespace espalier::prune
