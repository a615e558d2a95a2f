// What the tutorial's programs share: the command line, the data, the network, and the account that
// is kept of every stage.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/tutorial/recipe.hpp"
#include "apps/tutorial/stage.hpp"
#include "compress/format/packed_model.hpp"
#include "compress/quantize/integer_network.hpp"
#include "datasets/dataset.hpp"
#include "layers/sequential.hpp"
#include "optim/training/fit.hpp"

namespace espalier::apps {

struct LessonOptions {
  std::string model = "small";  // or "large", or a model.json
  std::optional<std::filesystem::path> data;
  std::filesystem::path out = "espalier-out";
  std::uint64_t seed = 1;
  int weight_bits = 8;  // 2 to 8
  int threads = 1;
  bool quick = false;  // a tenth of the images
  std::optional<std::filesystem::path> json;
};

class Lesson {
 public:
  // Finds the data (MNIST, or else the synthetic digits), makes the out folder, says what the
  // network holds. Errors: kIo, kCorrupt, kUsage.
  explicit Lesson(LessonOptions options);

  const LessonOptions& options() const { return options_; }
  const datasets::Dataset& train() const { return *train_; }
  const datasets::Dataset& validation() const { return *validation_; }
  const datasets::Dataset& test() const { return *test_; }
  const std::string& data_name() const { return data_name_; }  // "MNIST", or that it is not
  const Shape& input() const { return input_; }                // [H W C]

  Sequential new_model() const;
  Sequential copy_of(Sequential& model) const;
  std::filesystem::path path(const std::string& file) const { return options_.out / file; }

  // The path of what an earlier step wrote. Errors: kIo, naming the `program` to run first.
  std::filesystem::path made(const std::string& file, const std::string& program) const;

  const Recipe& recipe() const { return recipe_; }
  prune::Pruner::Options pruner(Sequential& model) const;

  void say(const std::string& text) const;  // to standard error

  // Writes `name`.esp, reads it back, and compares the runtime's logits on every test image with
  // the trainer's own. Errors: kInternal when integers differ or a stage after the baseline holds
  // too few zeros.
  void write(const std::string& name, Sequential& model);
  void write(const std::string& name, Sequential& model, const quantize::IntegerNetwork& network);

  // The accuracy of every file, by `espalier eval` in a process of its own, into the stages. Errors:
  // kInternal when it is not what the trainer found.
  void read_back();
  const std::vector<Stage>& stages() const { return stages_; }

 private:
  void write(const std::string& name, Sequential& model, const format::PackedModel& packed,
             const std::function<Tensor(const Tensor&)>& trainer_logits);

  LessonOptions options_;
  Recipe recipe_;
  std::shared_ptr<const datasets::Dataset> train_, validation_, test_;
  std::string data_name_;
  Shape input_;
  std::vector<std::string> labels_;
  std::vector<Stage> stages_;
  std::chrono::steady_clock::time_point stage_begin_;
};

// Parses the command line, runs `lesson`, turns errors into one line and an exit code.
int teach(int argc, char** argv, const std::string& description,
          const std::function<void(Lesson&)>& lesson);

// The table, its legend and the next commands, to standard output; the JSON where it is asked for.
void report(const Lesson& lesson);

// Ten digits as PNG, and every digit whose answer differs between the first and the last file.
void write_pictures(const Lesson& lesson);

}  // namespace espalier::apps
