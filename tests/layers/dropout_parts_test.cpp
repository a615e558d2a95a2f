// Dropout of a batch's parts.
#include <doctest/doctest.h>

#include <vector>

#include "layers/dropout.hpp"

using namespace espalier;

TEST_CASE("dropout of a part is that part of the whole batch's dropout") {
  Dropout dropout(0.5f);
  constexpr std::int64_t kImages = 7, kEach = 3 * 5;
  for (const std::uint64_t position : {0, 3, 8}) {
    Rng rng(1, "dropout");
    rng.seek(position);
    const Tensor y =
        dropout(Variable(Tensor::full({kImages, 3, 5}, 1)), {.training = true, .rng = &rng})
            .value();
    CHECK(rng.position() == position + kImages * kEach);
    for (const std::int64_t first : {0, 2, 4})
      for (const std::int64_t count : {1, 3}) {
        Rng own(1, "dropout");
        own.seek(position);
        const Tensor part =
            dropout(Variable(Tensor::full({count, 3, 5}, 1)),
                    {.training = true, .rng = &own, .part = {.first = first, .whole = kImages}})
                .value();
        CHECK(own.position() == rng.position());
        const auto wanted = y.values().subspan(static_cast<std::size_t>(first * kEach),
                                               static_cast<std::size_t>(count * kEach));
        CHECK(std::vector<float>(part.values().begin(), part.values().end()) ==
              std::vector<float>(wanted.begin(), wanted.end()));
      }
  }
}
