#include "apps/smallest/teacher.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/base/file.hpp"
#include "datasets/shift_augmentation.hpp"
#include "layers/parameter_file.hpp"
#include "optim/training/fit.hpp"

namespace espalier::apps {
namespace {

// How many epochs of `what` the note tells of; 0 of anything else, and without a note.
int epochs_of(const std::filesystem::path& note, const std::string& what) {
  if (!std::filesystem::exists(note)) return 0;
  const Bytes bytes = read_file(note);
  const std::string text(bytes.begin(), bytes.end());
  if (!text.ends_with(what)) return 0;
  const char* last = text.data() + text.size() - what.size();
  int epochs = 0;
  const auto [end, failure] = std::from_chars(text.data(), last, epochs);
  return failure == std::errc{} && end == last ? epochs : 0;
}

}  // namespace

Task task_of(const datasets::Dataset& data) {
  return {data.image_shape(), data.classes()};
}

Sequential teacher(const NetworkKind& kind, const std::filesystem::path& file,
                   const std::shared_ptr<const datasets::Dataset>& train,
                   const TeacherOptions& options) {
  Rng rng(options.seed, "init");
  Sequential model = make_network(kind, kind.widths, task_of(*train), rng, options.dropout);
  const std::filesystem::path note = file.string() + ".txt";
  const std::string of = " epochs of " + kind.name + ", seed " + std::to_string(options.seed) +
                         "\n" + options.identity + "\n";
  const bool is_it = options.identity.empty() || epochs_of(note, of) >= options.epochs;
  if (is_it && std::filesystem::exists(file)) {
    load_parameters(model, file);
    return model;
  }
  std::optional<training::WatchOptions> watch;
  if (options.validation) watch = {.stop_after = std::max(3, options.epochs / 3)};
  training::fit(
      model, *train,
      {.epochs = options.epochs,
       .batch_size = options.batch_size,
       .learning_rate = options.learning_rate,
       .schedule = optim::cosine(),
       .seed = options.seed,
       .label = "teacher",
       .quiet = options.quiet,
       .epoch_data =
           [&](int epoch) {
             return std::make_shared<datasets::ShiftAugmentation>(
                 train, datasets::ShiftOptions{
                            .max_shift_pixels = datasets::possible_shift(1, train->image_shape()),
                            .seed = options.seed,
                            .epoch = static_cast<std::uint64_t>(epoch)});
           },
       .validation = options.validation,
       .watch = watch});
  std::filesystem::remove(note);  // of another one: a file without a note is nobody's
  save_parameters(model, file);
  if (!options.identity.empty()) write_file(note, std::to_string(options.epochs) + of);
  return model;
}

std::vector<Sequential> teachers(const NetworkKind& kind, const std::filesystem::path& stem,
                                 const std::shared_ptr<const datasets::Dataset>& train, int count) {
  std::vector<Sequential> all;
  for (int i = 1; i <= count; ++i) {
    const std::string which = i == 1 ? "" : "-" + std::to_string(i);
    all.push_back(teacher(kind, stem.string() + which + ".safetensors", train,
                          {.seed = static_cast<std::uint64_t>(i)}));
  }
  return all;
}

Tensor mean_logits(std::vector<Sequential>& teachers, const Tensor& images) {
  require(!teachers.empty(), "mean_logits", "wants at least one teacher");
  Tensor sum;
  for (Sequential& one : teachers) {
    const Tensor logits = one(Variable(images)).value();
    if (!sum.defined()) {
      sum = logits.clone();
      continue;
    }
    for (std::int64_t i = 0; i < sum.elements(); ++i) sum.mutable_data()[i] += logits.data()[i];
  }
  for (float& v : sum.mutable_values()) v /= static_cast<float>(teachers.size());
  return sum;
}

}  // namespace espalier::apps
