#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/tutorial/lesson.hpp"
#include "core/base/error.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::apps {

int teach(int argc, char** argv, const std::string& description,
          const std::function<void(Lesson&)>& lesson) {
  const std::string program = std::filesystem::path(argv[0]).filename().string();
  CLI::App app(description);
  app.footer("Example: " + program +
             " --model large --data mnist --out espalier-large\n"
             "Exit codes: 0 ok, 1 internal, 2 usage, 3 corrupt input, 4 I/O, 6 training diverged, "
             "130 interrupted.");
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
  app.add_option("--seed", options.seed, "Seed of everything random")->capture_default_str();
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
  try {
    app.parse(argc, argv);
    set_threads(options.threads);
    Lesson classroom(options);
    lesson(classroom);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ErrorKind::kUsage);
  } catch (const Error& error) {
    std::cerr << program << ": " << error.what() << '\n';
    return error.exit_code();
  } catch (const std::exception& error) {
    std::cerr << program << ": internal error: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace espalier::apps
