#include "apps/records/teacher.hpp"

#include "datasets/shift_augmentation.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/dropout.hpp"
#include "layers/flatten.hpp"
#include "layers/parameter_file.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "optim/training/fit.hpp"

namespace espalier::apps {

Sequential teacher(const std::filesystem::path& file,
                   const std::shared_ptr<const datasets::Dataset>& train) {
  constexpr std::uint64_t kSeed = 1;
  Rng rng(kSeed, "init");
  Sequential model;
  model.add("conv1", Conv2d({.in = 1, .out = 20, .kernel = 5}, rng))
      .add("relu1", Relu())
      .add("pool1", MaxPool2d())
      .add("conv2", Conv2d({.in = 20, .out = 50, .kernel = 5}, rng))
      .add("relu2", Relu())
      .add("pool2", MaxPool2d())
      .add("flatten", Flatten())
      .add("dense1", Dense({.in = 800, .out = 500, .init = Init::kHeNormal}, rng))
      .add("relu3", Relu())
      .add("dropout", Dropout(0.5f))
      .add("dense2", Dense({.in = 500, .out = 10}, rng));
  if (std::filesystem::exists(file)) {
    load_parameters(model, file);
    return model;
  }
  training::fit(model, *train,
                {.epochs = 20,
                 .batch_size = 128,
                 .learning_rate = 1e-3f,
                 .schedule = optim::cosine(),
                 .seed = kSeed,
                 .label = "teacher",
                 .epoch_data = [&](int epoch) {
                   return std::make_shared<datasets::ShiftAugmentation>(
                       train, datasets::ShiftOptions{.seed = kSeed,
                                                     .epoch = static_cast<std::uint64_t>(epoch)});
                 }});
  save_parameters(model, file);
  return model;
}

}  // namespace espalier::apps
