#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/tutorial/tutorial.hpp"
#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/base/interrupt.hpp"
#include "core/onednn/threads.hpp"

namespace {

void write_json(const espalier::apps::TutorialOptions& options, const std::string& data,
                const std::vector<espalier::apps::Stage>& stages) {
  nlohmann::json json = {
      {"data", data}, {"model", "small"}, {"seed", options.seed}, {"threads", options.threads}};
  std::int64_t differing = 0;
  for (const auto& s : stages) {
    differing += s.differing_logits;
    json["stages"].push_back({{"name", s.name},
                              {"accuracy", s.accuracy},
                              {"sparsity", s.sparsity},
                              {"raw_bytes", s.raw_bytes},
                              {"deflate_bytes", s.deflate_bytes},
                              {"file", s.file.string()},
                              {"file_bytes", s.file_bytes},
                              {"seconds", s.seconds}});
  }
  json["differing_logits"] = differing;
  espalier::write_file(*options.json, json.dump(2) + "\n");
}

}  // namespace

int main(int argc, char** argv) {
  using namespace espalier;
  CLI::App app(
      "Trains a small network on MNIST, prunes it, quantizes it, writes and runs the files.");
  app.footer(
      "Exit codes: 0 ok, 1 internal, 2 usage, 3 corrupt input, 4 I/O, 6 training diverged, 130 "
      "interrupted.");
  apps::TutorialOptions options;
  app.add_option("--data", options.data,
                 "Folder with MNIST's IDX files, plain or .gz (default: $MNIST_DIR, then "
                 "~/.cache/espalier/mnist, then built-in synthetic digits)");
  app.add_option("--out", options.out, "Folder for the .esp files")->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of everything random")->capture_default_str();
  app.add_option("--bits", options.weight_bits, "Bits of a quantized weight")
      ->check(CLI::Range(2, 8))

      ->capture_default_str();
  app.add_option("--threads", options.threads, "Threads of the kernels")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_flag("--quick", options.quick, "A tenth of the images: seconds, and a worse network");
  app.add_option("--json", options.json, "Also write the table to this file");
  try {
    app.parse(argc, argv);
    install_interrupt_handler();
    set_threads(options.threads);
    const auto data = apps::load_data(options);
    const auto stages = apps::run_tutorial(options, data);
    apps::print_table(stages, data.name);
    if (options.json) write_json(options, data.name, stages);
    // The sibling program, by a path that works from here.
    const auto folder = std::filesystem::path(argv[0]).parent_path();
    std::cout << "\nNext: " << (folder / "espalier").string() << " eval "
              << stages.back().file.string()
              << (options.data ? " --data " + options.data->string() : "") << "\n";
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ErrorKind::kUsage);
  } catch (const Error& error) {
    std::cerr << "espalier-tutorial: " << error.what() << '\n';
    return error.exit_code();
  } catch (const std::exception& error) {
    std::cerr << "espalier-tutorial: internal error: " << error.what() << '\n';
    return 1;
  }
}
