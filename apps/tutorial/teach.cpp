#include <CLI/CLI.hpp>
#include <charconv>

#include "apps/common/program.hpp"
#include "apps/tutorial/lesson.hpp"
#include "core/base/interrupt.hpp"

namespace espalier::apps {
namespace {

// CLI11 would read -1 as 2^64 - 1, and what is above that as 2^64 - 1, too.
std::string fits_seed(const std::string& text) {
  std::uint64_t seed = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (failure == std::errc() && end == text.data() + text.size()) return "";
  return "wants a whole number from 0 to 18446744073709551615, got " + text;
}

}  // namespace

int teach(int argc, char** argv, const std::string& description,
          const std::function<void(Lesson&)>& lesson) {
  const std::string program = std::filesystem::path(argv[0]).filename().string();
  CLI::App app(description);
  app.name(program);
  app.footer("Example: " + program +
             " --model large --data mnist --out espalier-large\n"
             "Exit codes: 0 ok, 1 internal, 2 usage, 3 corrupt input, 4 I/O, 5 target missed, 6 "
             "training diverged, 130 interrupted.");
  app.set_version_flag("--version", program + " " ESPALIER_VERSION);
  LessonOptions options;
  app.add_option("--model", options.model,
                 "small (20,410 parameters, a minute), large (3,274,762, minutes), or a model.json "
                 "of your own")
      ->capture_default_str();
  app.add_option("--data", options.data,
                 "Folder with MNIST's IDX files, plain or .gz (default: $MNIST_DIR, then "
                 "~/.cache/espalier/mnist, then one try to download it, then built-in synthetic "
                 "digits)");
  app.add_option("--out", options.out, "Folder for what is written")->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of everything random, 0 or more")
      ->check(fits_seed)
      ->capture_default_str();
  app.add_option("--bits", options.weight_bits, "Bits of a quantized weight")
      ->check(CLI::Range(2, 8))
      ->capture_default_str();
  app.add_option("--threads", options.threads,
                 "Threads of the kernels; more than one helps the large model when the cores are "
                 "idle")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_flag("--quick", options.quick, "A tenth of the images: seconds, and a worse network");
  app.add_option("--json", options.json, "Also write the table to this file");
  return run_program(app, argc, argv, [&] {
    install_interrupt_handler();
    use_threads(options.threads, argv);
    Lesson classroom(options);
    lesson(classroom);
  });
}

}  // namespace espalier::apps
