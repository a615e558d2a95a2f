// One run of `espalier train`: a network, a recipe, a file.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/data_options.hpp"
#include "apps/common/number_scores.hpp"
#include "apps/train/first_weights.hpp"
#include "apps/train/metrics_log.hpp"
#include "compress/format/packed_model.hpp"
#include "compress/recipe/recipe.hpp"
#include "compress/recipe/run_recipe.hpp"
#include "core/base/bytes.hpp"
#include "core/base/folder_lock.hpp"
#include "layers/sequential.hpp"

namespace espalier::apps {

struct TrainingOptions {
  std::string model = "";        // of network_kinds(), or a model.json; empty: what suits the data
  std::filesystem::path recipe;  // the file; empty: none
  DataOptions data;
  std::optional<int> epochs;  // of plain training before the recipe; none: with_training's own
  std::filesystem::path out = "model.esp";
  std::filesystem::path weights;    // of the last stage in float; empty: not kept
  std::filesystem::path from, map;  // as FirstWeights; empty: random ones, no map
  bool checkpoint = false;
  std::filesystem::path resume;     // a folder of checkpoints to go on with; empty: none
  int early_stop = 0, plateau = 0;  // epochs, in stages without a pass; 0: as the recipe says
  std::filesystem::path log;        // a line of JSON an epoch; empty: none
  std::uint64_t seed = 1;
  int threads = 1;
  int parts = 1;                      // of each batch, where the stage does not want whole ones
  std::string precision = "float32";  // or bf16
  bool json = false, quiet = false;

  bool keeps_epochs() const { return checkpoint || !resume.empty(); }
};

// The recipe with plain training before it: so many epochs (0: none), or, left open, 4 unless it
// begins with training of its own (a stage without a pass, or rate), or the network is trained already.
recipe::Recipe with_training(recipe::Recipe recipe, std::optional<int> epochs,
                             bool trained = false);

// The recipe with so many epochs in its stages of plain training, and in the others in proportion, at
// least 1; of 0 epochs nothing is trained.
recipe::Recipe of_epochs(recipe::Recipe recipe, int epochs);

// Such stages end, or lower the learning rate, after so many epochs without a lower validation loss.
// Errors: kUsage when either is above 0 and no stage is without a pass.
recipe::Recipe with_watch(recipe::Recipe recipe, int early_stop, int plateau);

// Of --checkpoint, --resume, or where Ctrl-C keeps the state.
std::filesystem::path checkpoint_folder(const TrainingOptions& options);

// One run at a time keeps checkpoints there. Null where this one keeps none, and where its own checks will
// refuse --out or --resume. Errors: kIo.
std::unique_ptr<FolderLock> lock_checkpoints(const TrainingOptions& options);

// The files of checkpoints there, and the folder if nothing else is in it.
void remove_checkpoints(const std::filesystem::path& folder);

class TrainingRun {
 public:
  // Checks all that can be checked before training. Errors: kUsage, kCorrupt and kIo, naming model,
  // recipe, data or --out.
  TrainingRun(TrainingOptions options, recipe::Recipe recipe, TrainingData data);

  // What to expect, before it is begun: parameters, multiply-adds, bytes, memory, time (of what is left, where
  // it goes on). On standard error.
  // Errors: kInterrupted.
  void announce();
  // Trains, writes --out and --weights. Errors: as run_recipe().
  void run();
  // The table of stages, or one line of JSON: on standard output.
  void report() const;
  // On standard error, where the file answers the test data no better than one answer to all does.
  void warn_of_nothing() const;

  // After Ctrl-C: keeps the state of the step, and says what is kept, where, and how to go on.
  std::string keep();

 private:
  struct Row {
    std::string stage;
    double accuracy = 0;        // of the test images, by the file
    NumberScores numbers = {};  // of the test rows, in place of it
    std::size_t deflate_bytes = 0, file_bytes = 0;
    std::map<std::string, float> sparsities = {};  // that sensitivity gave
  };
  bool has_learned(const Row& row) const;
  std::string quality(const Row& row) const;  // "97.10 % of the test images"
  Sequential new_model();
  std::string parts_told() const;  // which stages take batches in parts; empty: none was asked to
  std::string expected();          // time and memory, for people
  void try_stage(std::size_t index);
  Bytes file_of(format::PackedModel packed) const;  // with the labels
  bool keeps_epochs() const { return options_.keeps_epochs(); }
  bool goes_on() const;  // with epochs that are there
  // What Ctrl-C kept of an earlier run, and this one would replace.
  void warn_of_stopped() const;
  std::filesystem::path checkpoints() const { return checkpoint_folder(options_); }
  std::string identity() const;  // which run it is
  void open_checkpoints() const;
  void add_row(const recipe::StageReport& report);
  void log(const recipe::StageReport& stage, const training::EpochReport& epoch);

  TrainingOptions options_;
  recipe::Recipe recipe_;
  TrainingData data_;
  std::optional<FirstWeights> first_;
  std::vector<std::string> labels_;
  Sequential model_;
  std::vector<Row> rows_;
  Bytes file_, weights_;
  std::map<std::string, Bytes> last_states_;  // the checkpoints of a run that writes none
  std::optional<MetricsLog> log_;
};

}  // namespace espalier::apps
