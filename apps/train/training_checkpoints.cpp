// What a run keeps so that another one can go on with it.
#include <algorithm>
#include <iostream>

#include "apps/common/run_note.hpp"
#include "apps/train/training_run.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "core/base/warn.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::apps {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNote = "run.txt";  // what the checkpoints beside it belong to

// In its first line what follows is of the machine, not of the run.
constexpr const char* kOnMachine = ", threads ";

std::string without_machine(std::string run) {
  const std::size_t end = std::min(run.find('\n'), run.size()), at = run.rfind(kOnMachine, end);
  if (at != std::string::npos) run.erase(at, end - at);
  return run;
}

bool is_checkpoint(const fs::path& file) {
  return file.extension() == ".checkpoint" && file.filename().string().starts_with("stage-");
}

// What write_file() leaves beside a file when the process is killed in it.
bool is_unfinished(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.starts_with(".stage-") || name.starts_with(std::string(".") + kNote + ".");
}

bool holds_checkpoint(const fs::path& folder) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none))
    if (is_checkpoint(entry.path())) return true;
  return false;
}

}  // namespace

fs::path checkpoint_folder(const TrainingOptions& options) {
  if (!options.resume.empty()) return options.resume;
  return options.out.string() + (options.checkpoint ? ".checkpoint" : ".stopped");
}

std::unique_ptr<FolderLock> lock_checkpoints(const TrainingOptions& options) {
  const fs::path folder = checkpoint_folder(options);
  const bool resumes = !options.resume.empty();
  if (!options.keeps_epochs() ||
      !fs::is_directory(resumes ? folder : fs::absolute(folder).parent_path()))
    return nullptr;
  return std::make_unique<FolderLock>(
      folder,
      resumes ? "wait until it has ended" : "wait until it has ended, or give another --out");
}

namespace {

// Whatever else lies there stays.
void empty_checkpoints(const fs::path& folder) {
  std::error_code none;
  fs::remove(folder / kNote, none);  // first: without it nobody goes on
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, none))
    if (is_checkpoint(entry.path()) || is_unfinished(entry.path())) files.push_back(entry.path());
  for (const fs::path& file : files) fs::remove(file);
}

}  // namespace

void remove_checkpoints(const fs::path& folder) {
  empty_checkpoints(folder);
  std::error_code none;
  fs::remove(folder, none);
}

bool TrainingRun::goes_on() const {
  return keeps_epochs() && fs::exists(checkpoints() / kNote);
}

void TrainingRun::warn_of_stopped() const {
  const std::string folder = checkpoints().string();
  if (keeps_epochs() || !holds_checkpoint(folder)) return;
  warn_on_standard_error("train: " + printable(folder) +
                         " holds where an earlier run was stopped: add --resume " +
                         printable(shell_word(folder)) +
                         " to go on from there; if this run is stopped, too, it takes that place");
}

// What the run consists of, and on what it began: on another processor it goes on, and the checkpoints
// know that its bits are others.
std::string TrainingRun::identity() const {
  std::string run = options_.model + ", seed " + std::to_string(options_.seed) +
                    (options_.parts == 1 ? "" : ", parts " + std::to_string(options_.parts)) +
                    kOnMachine + std::to_string(options_.threads) + ", " + options_.precision +
                    ", oneDNN " + onednn_version() + " for " + std::string(effective_isa()) + "\n" +
                    data_.identity + "\n";
  if (options_.model.ends_with(".json")) {
    const Bytes model = read_file(options_.model);
    run.append(model.begin(), model.end());
  }
  if (first_) run += first_->identity() + "\n";
  run += recipe::format_recipe(recipe_);
  for (const recipe::Stage& stage : recipe_.stages)
    if (stage.distill)
      run += "CRC-32 of " + stage.distill->teacher + ": " +
             std::to_string(crc32(read_file(stage.distill->teacher))) + "\n";
  return run;
}

void TrainingRun::open_checkpoints() const {
  const std::string run = identity();
  const fs::path note = checkpoints() / kNote;
  if (fs::exists(note)) {
    const Bytes bytes = read_file(note);
    const std::string there = without_machine({bytes.begin(), bytes.end()});
    require(there == without_machine(run), checkpoints().string(),
            "belongs to another run (run.txt: ", difference(there, without_machine(run)), "); ",
            options_.resume.empty() ? "remove it or choose another --out"
                                    : "repeat the command that it is of, and add --resume");
    if (!options_.quiet) std::cerr << "goes on from " << printable(checkpoints().string()) << '\n';
    return;
  }
  fs::create_directories(checkpoints());
  write_file(note, run);
}

std::string TrainingRun::keep() {
  const std::string folder = checkpoints().string();
  if (keeps_epochs())
    return holds_checkpoint(folder) ? "the same command goes on from this step, in " + folder
                                    : "nothing was trained yet";
  std::erase_if(last_states_, [](const auto& state) { return state.second.empty(); });
  if (last_states_.empty()) return "nothing was trained yet, and nothing was written";
  try {
    const FolderLock lock(folder, "stop that one first, or give another --out");
    empty_checkpoints(folder);  // of a run that was stopped before
    for (const auto& [name, state] : last_states_) write_file(fs::path(folder) / name, state);
    write_file(fs::path(folder) / kNote, identity());
  } catch (const std::exception& error) {
    return std::string("what was trained could not be kept: ") + error.what();
  }
  return "the state is kept in " + folder + "; the same command with --resume " +
         shell_word(folder) + " goes on from this step";
}

}  // namespace espalier::apps
