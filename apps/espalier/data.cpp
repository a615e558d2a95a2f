// espalier data info | convert: own data, before training.
#include <iostream>
#include <memory>

#include "apps/common/data_options.hpp"
#include "apps/common/own_command.hpp"
#include "apps/espalier/commands.hpp"
#include "apps/espalier/data_report.hpp"
#include "apps/espalier/written.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/text.hpp"
#include "datasets/idx_folder.hpp"

namespace espalier::apps {
namespace {

struct DataCommand {
  DataOptions data;
  SayOptions say;
  std::filesystem::path out;
  bool png = false;
};

void info(DataCommand command) {
  install_interrupt_handler();
  command.data.quiet = command.say.json || command.say.quiet;
  const auto loaded = load_path(command.data, true);
  const auto report = report_of(*command.data.path, loaded, command.data.quiet);
  if (command.say.json)
    std::cout << to_json(report).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
              << '\n';
  else
    print(std::cout, report);
}

void convert(DataCommand command) {
  install_interrupt_handler();
  command.data.quiet = command.say.json || command.say.quiet;
  const auto& out = command.out;
  require_free_folder(out);
  const auto loaded = load_path(command.data);
  require(loaded.kind != datasets::DataKind::kCsv, command.data.path->string(),
          "is a CSV file; convert writes pictures, which it has none of");
  if (command.png)
    datasets::write_image_folder(out, loaded.data, loaded.labels);
  else
    datasets::write_idx_folder(out, loaded.data, loaded.labels);
  if (!loaded.skipped.empty())
    std::cerr << left_out(loaded.skipped.size()) << "; " << own_command() << " data info "
              << printable(command.data.path->string()) << " lists what cannot be read\n";
  const Shape s = loaded.data.train->image_shape();
  if (!command.data.quiet)
    std::cout << printable(out.string()) << ": " << with_commas(loaded.data.train->size())
              << " training and " << with_commas(loaded.data.test->size()) << " test pictures of "
              << s[0] << " x " << s[1] << (s[2] == 1 ? ", grey" : ", RGB") << '\n';
  say({command.png ? std::vector<WrittenFile>{} : files_of(out),
       own_command() + " data info " + shell_word(out.string())},
      command.say);
}

}  // namespace

void add_data(CLI::App& app) {
  auto* data = app.add_subcommand("data", "Look at own data before training, or convert it");
  data->require_subcommand(1);
  data->footer(
      "Data is a folder with a folder of PNG, BMP or JPEG pictures for each class (or train/ and\n"
      "test/ that hold these), a folder with IDX files of MNIST's names, or a CSV file of numbers\n"
      "with a column of classes.\n"
      "Example: espalier data info flowers");
  const auto add = [&](const std::string& name, const std::string& what) {
    auto command = std::make_shared<DataCommand>();
    auto* sub = data->add_subcommand(name, what);
    sub->add_option("path", command->data.path,
                    "Folder of images or IDX files, CSV file, or shapes or digits, built in")
        ->required();
    add_reading_options(*sub, command->data);
    return std::pair(sub, command);
  };
  const auto [show, shown] =
      add("info", "Say what a folder or file holds: classes, counts, sizes, what cannot be read");
  show->add_flag("--json", shown->say.json, "Print one line of JSON");
  show->add_flag("-q,--quiet", shown->say.quiet, "No progress");
  show->footer(
      "Mean and deviation are those of the training part, of each channel, in 0..1. Pictures of\n"
      "several sizes are resized to the first's for them; training wants --size.\n"
      "Example: espalier data info flowers --json | jq .classes");
  show->callback([command = shown] { info(*command); });

  const auto [make, made] =
      add("convert", "Write pictures as IDX files or PNG: decoded, resized, split");
  make->add_option("-o,--out", made->out, "Folder for them; new, or empty")->required();
  make->add_flag("--png", made->png,
                 "Write train/ and test/, each with a folder of PNG files a class, not IDX files");
  add_say_options(*make, made->say);
  make->footer(
      "Writes {train,t10k}-{images,labels}-idx*-ubyte.gz and labels.txt: every program here reads\n"
      "the folder, in a moment, as it would have read the pictures.\n"
      "Examples: espalier data convert flowers -o flowers-32 --size 32x32 --grey\n"
      "          espalier data convert shapes -o shapes --png");
  make->callback([command = made] { convert(*command); });
}

}  // namespace espalier::apps
