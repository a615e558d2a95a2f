// espalier fetch mnist: the real data, once.
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "apps/common/own_command.hpp"
#include "apps/common/words.hpp"
#include "apps/espalier/commands.hpp"
#include "apps/espalier/written.hpp"
#include "core/base/text.hpp"
#include "datasets/fetch_mnist.hpp"

namespace espalier::apps {
namespace {

struct FetchOptions {
  std::string dataset;
  std::string url = datasets::kMnistUrl;
  std::optional<std::filesystem::path> to;
  SayOptions say;
};

void fetch(const FetchOptions& options) {
  const auto folder = options.to ? options.to : datasets::mnist_cache();
  require(folder.has_value(), "fetch", "HOME is not set; say where with --to DIR");
  const int count = datasets::fetch_mnist(
      {.url = options.url, .to = *folder, .quiet = options.say.json || options.say.quiet});
  if (!options.say.json && !options.say.quiet)
    std::cout << "MNIST is in " << printable(folder->string()) << ": "
              << (count == 0 ? "it was there already, complete and verified"
                             : std::to_string(count) + " of 4 files downloaded, all verified")
              << "\n";
  say({files_of(*folder), own_command() + " data info " + shell_word(folder->string())},
      options.say);
}

}  // namespace

void add_fetch(CLI::App& app) {
  auto options = std::make_shared<FetchOptions>();
  auto* command = app.add_subcommand("fetch", "Download a dataset (mnist) and verify it");
  command->add_option("dataset", options->dataset, "Its name: mnist")
      ->required()
      ->check(one_of("dataset", {"mnist"}));
  command->add_option("--url", options->url, "Folder on a server that holds the four .gz files")
      ->capture_default_str();
  command->add_option("--to", options->to,
                      "Folder to keep them in (default: "
                      "~/.cache/espalier/mnist, where programs look)");
  add_say_options(*command, options->say);
  command->footer(
      "Files that are there with the right contents are not downloaded again. curl does the\n"
      "work; the SHA-256 of each unpacked file must be MNIST's.\n"
      "Example: espalier fetch mnist --to mnist");
  command->callback([options] { fetch(*options); });
}

}  // namespace espalier::apps
