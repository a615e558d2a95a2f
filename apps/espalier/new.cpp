// espalier new FOLDER: a project to start from.
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/common/data_options.hpp"
#include "apps/common/starting_recipe.hpp"
#include "apps/espalier/commands.hpp"
#include "apps/espalier/starter.hpp"
#include "apps/espalier/written.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {
namespace {

namespace fs = std::filesystem;

struct NewOptions {
  fs::path folder;
  DataOptions data;
  SayOptions say;
};

Starter starter_for(const NewOptions& options) {
  const fs::path whole = options.folder.empty()
                             ? ""
                             : fs::absolute(options.folder / "").lexically_normal().parent_path();
  Starter starter{.name = whole.filename().string(), .data_arguments = ""};
  require(!starter.name.empty() && starter.name.size() <= 64 &&
              starter.name == printable(starter.name) && !starter.name.starts_with('-'),
          "new", "wants a folder with a name of 1 to 64 printable bytes, got '", starter.name, "'");
  require_path_for_reading(options.data);
  if (!options.data.path) return starter;
  const auto loaded = load_path(options.data);
  starter.input = loaded.data.train->image_shape();
  starter.classes = loaded.data.train->classes();
  starter.data = {.examples = loaded.data.train->size(),
                  .table = loaded.kind == datasets::DataKind::kCsv};
  DataOptions from_anywhere = options.data;
  if (fs::exists(*options.data.path))  // else it is the name of built-in data
    from_anywhere.path = fs::absolute(*options.data.path).lexically_normal();
  starter.data_arguments = arguments_of(from_anywhere);
  return starter;
}

void make(NewOptions options) {
  options.data.quiet = options.say.json || options.say.quiet;
  const fs::path& folder = options.folder;
  require_free_folder(folder);
  const Starter starter = starter_for(options);
  fs::create_directories(folder);
  write_file(folder / "model.json", starter_model(starter));
  write_file(folder / "recipe.json", starting_recipe(starter.data));
  write_file(folder / "README.md", starter_readme(starter));
  say({files_of(folder), "cd " + shell_word(folder.string()) + " && " + starter_command(starter)},
      options.say);
}

}  // namespace

void add_new(CLI::App& app) {
  auto o = std::make_shared<NewOptions>();
  auto* command = app.add_subcommand("new", "Write a project to start from: model, recipe, README");
  command->add_option("folder", o->folder, "Where to; new, or empty")->required();
  command->add_option("--data", o->data.path,
                      "The project's own data: a folder of images or IDX files, or a CSV file "
                      "(default: MNIST, or the built-in digits)");
  add_reading_options(*command, o->data);
  add_say_options(*command, o->say);
  command->footer(
      "Writes model.json (the network), recipe.json (how it is trained, pruned and quantized), "
      "both\n"
      "with comments, and README.md (the commands). With --data the network takes the data's\n"
      "examples and tells its classes apart.\n"
      "Examples: espalier new digits\n"
      "          espalier new flowers-32 --data flowers --size 32x32");
  command->callback([o] { make(*o); });
}

}  // namespace espalier::apps
