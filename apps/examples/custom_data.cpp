// A data set of one's own: stripes that lie, stand or slant, drawn when they are asked for.
#include <cmath>
#include <iostream>

#include "core/base/rng.hpp"
#include "layers/model_json.hpp"
#include "optim/training/fit.hpp"

using namespace espalier;

class Stripes final : public datasets::Dataset {
 public:
  Stripes(std::int64_t size, std::uint64_t seed) : size_(size), seed_(seed) {}
  std::int64_t size() const override { return size_; }
  Shape image_shape() const override { return {12, 12, 1}; }
  int classes() const override { return 3; }

  // Depends on `i` alone: threads may ask for examples ahead, in any order.
  datasets::Example get(std::int64_t i) const override {
    datasets::check_index(i, size_);
    Rng rng(seed_, "stripes " + std::to_string(i));
    const int label = static_cast<int>(i % 3);
    const float width = rng.uniform(1, 2), start = rng.uniform(0, 6), noise = rng.uniform(0, 0.5f);
    Tensor image({12, 12, 1});
    for (int y = 0; y < 12; ++y)
      for (int x = 0; x < 12; ++x) {
        const int across = label == 0 ? y : label == 1 ? x : x + y;
        const float wave = std::sin((static_cast<float>(across) + start) / width);
        image.mutable_data()[12 * y + x] = (1 - noise) * (0.5f + wave / 2) + noise * rng.uniform();
      }
    return {image, label};
  }

 private:
  std::int64_t size_;
  std::uint64_t seed_;
};

int main() {
  const Stripes train(1500, 1), test(600, 2);
  ModelJson stripes = parse_model_json(R"({"input": [12, 12, 1], "layers": [
      {"type": "Conv2d", "filters": 6, "kernel_size": 3, "strides": 2, "activation": "relu"},
      {"type": "Flatten"}, {"type": "Dense", "units": 3}]})",
                                       "stripes");
  training::fit(stripes.model, train, {.epochs = 4, .learning_rate = 5e-3f, .validation = &test});
  const double accuracy = training::accuracy(stripes.model, test);
  std::cout << "accuracy on new stripes: " << accuracy << '\n';
  return accuracy > 0.9 ? 0 : 1;
}
