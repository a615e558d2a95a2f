// MNIST (LeCun, Cortes, Burges 1998): handwritten digits, 28 x 28, grey. Nothing is downloaded.
#pragma once

#include <filesystem>
#include <optional>

#include "datasets/dataset.hpp"

namespace espalier::datasets {

using MnistData = TrainTest;

// ~/.cache/espalier/mnist; nullopt when HOME is not set.
std::optional<std::filesystem::path> mnist_cache();

// Looks in `data` alone where it is given, else in $MNIST_DIR alone where that is set and not
// empty, else in mnist_cache(). {train,t10k}-{images-idx3,labels-idx1}-ubyte, plain or .gz, must
// all four be there (a cache with fewer, left by a crash, counts as empty). nullopt: neither is
// given, and the cache is empty. Errors, naming the file: kIo when `data` or $MNIST_DIR holds none
// or one of the four is missing; kCorrupt when one is no IDX file, images are not 28 x 28, counts
// differ or a label is above 9.
std::optional<MnistData> load_mnist(std::optional<std::filesystem::path> data = std::nullopt);

}  // namespace espalier::datasets
