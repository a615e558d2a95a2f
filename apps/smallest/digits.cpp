#include "apps/smallest/digits.hpp"

#include "datasets/fetch_mnist.hpp"
#include "datasets/subset.hpp"
#include "datasets/synthetic_digits.hpp"

namespace espalier::apps {

Digits load_digits(const std::optional<std::filesystem::path>& data, bool synthetic,
                   std::optional<std::int64_t> images) {
  std::optional<datasets::MnistData> found;
  if (!synthetic) found = datasets::find_or_fetch_mnist(data);
  Digits digits{found ? *found : datasets::synthetic_digits(), !found};
  auto& train = digits.data.train;
  if (images) {
    require(*images <= train->size(), "--images", "the data has ", train->size(),
            " training images, asked for ", *images);
    train = datasets::first(train, *images);
  }
  return digits;
}

}  // namespace espalier::apps
