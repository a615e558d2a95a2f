// espalier new FOLDER: a project to start from.
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/common/data_options.hpp"
#include "apps/common/own_command.hpp"
#include "apps/common/starting_recipe.hpp"
#include "apps/espalier/commands.hpp"
#include "apps/espalier/starter.hpp"
#include "apps/espalier/written.hpp"
#include "core/base/new_folder.hpp"
#include "core/base/text.hpp"

namespace espalier::apps {
namespace {

namespace fs = std::filesystem;

struct NewOptions {
  fs::path folder;
  std::string model;  // of the built-in networks; empty: what suits the data
  DataOptions data;
  SayOptions say;
};

Starter starter_for(const NewOptions& options) {
  const fs::path whole = options.folder.empty()
                             ? ""
                             : fs::absolute(options.folder / "").lexically_normal().parent_path();
  Starter starter{.name = whole.filename().string(), .network = "", .data_arguments = ""};
  require(!starter.name.empty() && starter.name.size() <= 64 &&
              starter.name == printable(starter.name) && !starter.name.starts_with('-'),
          "new", "wants a folder with a name of 1 to 64 printable bytes, got '", starter.name, "'");
  require_path_for_reading(options.data);
  bool table = false;
  std::int64_t examples = starter.data.examples;
  if (options.data.path) {
    const auto loaded = load_path(options.data);
    table = loaded.kind == datasets::DataKind::kCsv;
    examples = loaded.data.train->size();
    starter.input = loaded.data.train->image_shape();
    starter.classes = loaded.data.train->classes();
    DataOptions from_anywhere = options.data;
    if (fs::exists(*options.data.path))  // else it is the name of built-in data
      from_anywhere.path = fs::absolute(*options.data.path).lexically_normal();
    starter.data_arguments = arguments_of(from_anywhere);
  }
  starter.network = options.model.empty() ? starting_network(starter.input, table) : options.model;
  starter.data = starting_data(starter.input, examples, table, starter.network);
  return starter;
}

void make(NewOptions options) {
  options.data.quiet = options.say.json || options.say.quiet;
  const fs::path& folder = options.folder;
  require_free_folder(folder);
  const Starter starter = starter_for(options);
  const std::string model = starter_model(starter, printed_network(starter));
  NewFolder made(folder);  // all three, or nothing
  const auto add = [&](const char* name, const std::string& text) {
    made.write(name, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  add("model.json", model);
  add("recipe.json", starting_recipe(starter.data));
  add("README.md", starter_readme(starter));
  made.finish();
  say({files_of(folder),
       "cd " + shell_word(folder.string()) + " && " + starter_command(starter, own_command(true))},
      options.say);
}

}  // namespace

void add_new(CLI::App& app) {
  auto o = std::make_shared<NewOptions>();
  auto* command = app.add_subcommand("new", "Write a project to start from: model, recipe, README");
  command->add_option("folder", o->folder, "Where to; new, or empty")->required();
  command->add_option("--model", o->model,
                      "The built-in network to begin with (default: tutorial-small for small grey "
                      "pictures, resnet8 for others, tabular for a CSV file)");
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
      "          espalier new flowers-32 --data flowers --size 32x32\n"
      "          espalier new small --data flowers --size 32x32 --model dscnn\n"
      "'espalier train --help' lists the networks.");
  command->callback([o] { make(*o); });
}

}  // namespace espalier::apps
