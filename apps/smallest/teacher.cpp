#include "apps/smallest/teacher.hpp"

#include "datasets/shift_augmentation.hpp"
#include "layers/parameter_file.hpp"
#include "optim/training/fit.hpp"

namespace espalier::apps {

Task task_of(const datasets::Dataset& data) {
  return {data.image_shape(), data.classes()};
}

Sequential teacher(const NetworkKind& kind, const std::filesystem::path& file,
                   const std::shared_ptr<const datasets::Dataset>& train, int epochs, bool quiet) {
  constexpr std::uint64_t kSeed = 1;
  Rng rng(kSeed, "init");
  Sequential model = make_network(kind, kind.widths, task_of(*train), rng, 0.5f);
  if (std::filesystem::exists(file)) {
    load_parameters(model, file);
    return model;
  }
  training::fit(model, *train,
                {.epochs = epochs,
                 .batch_size = 128,
                 .learning_rate = 1e-3f,
                 .schedule = optim::cosine(),
                 .seed = kSeed,
                 .label = "teacher",
                 .quiet = quiet,
                 .epoch_data = [&](int epoch) {
                   return std::make_shared<datasets::ShiftAugmentation>(
                       train, datasets::ShiftOptions{.seed = kSeed,
                                                     .epoch = static_cast<std::uint64_t>(epoch)});
                 }});
  save_parameters(model, file);
  return model;
}

}  // namespace espalier::apps
