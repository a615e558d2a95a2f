#include "apps/common/program.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <new>
#include <thread>

#include "apps/common/words.hpp"
#include "core/base/error.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/output.hpp"
#include "core/base/text.hpp"
#include "core/base/warn.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::apps {
namespace {

// "espalier train: train: stopped" says one thing twice.
std::string without_name(const std::string& program, const std::string& message) {
  const std::string own = program.substr(program.rfind(' ') + 1) + ": ";
  return message.starts_with(own) ? message.substr(own.size()) : message;
}

int report(const std::string& program, ErrorKind kind, const std::string& message) {
  std::cerr << program << ": " << printable(without_name(program, message)) << '\n';
  return static_cast<int>(kind);
}

}  // namespace

int run_program(CLI::App& app, int argc, char** argv, const std::function<void()>& work) {
  const std::string& program = app.get_name();
  try {
    try {
      app.parse(argc, argv);
      if (work) work();
    } catch (const CLI::Success& success) {  // --help, --version
      app.exit(success);
    }
    if (interrupted()) throw Error(ErrorKind::kInterrupted, "stopped by Ctrl-C");
    flush_output();
    return 0;
  } catch (const CLI::ParseError& error) {
    const std::string typo = misspelt(app, argc, argv);
    const auto commands = app.get_subcommands();  // those that were named
    const std::string help =
        program + (commands.empty() ? "" : ' ' + commands.front()->get_name()) + " --help";
    return report(
        program, ErrorKind::kUsage,
        (typo.empty() ? plain_range(error.what()) : typo) + " ('" + help + "' lists the options)");
  } catch (const Error& error) {
    return report(program, error.kind(), error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return report(program, ErrorKind::kIo, error.path1().string() + ": " + error.code().message());
  } catch (const std::bad_alloc&) {
    return report(program, ErrorKind::kInternal, "out of memory");
  } catch (const std::exception& error) {
    return report(program, ErrorKind::kInternal, std::string("internal error: ") + error.what());
  }
}

void use_threads(int threads, char** argv) {
  constexpr const char *kPolicy = "OMP_WAIT_POLICY", *kSpins = "GOMP_SPINCOUNT";
  if (threads > 1 && !std::getenv(kPolicy) && !std::getenv(kSpins)) {
    setenv(kPolicy, "passive", 1);
    std::error_code none;  // then it goes on as it is
    const auto self = std::filesystem::read_symlink("/proc/self/exe", none);
    if (!none && self.filename() == std::filesystem::path(argv[0]).filename())
      execv(self.c_str(), argv);
  }
  const unsigned processors = std::thread::hardware_concurrency();
  if (processors > 0 && threads > static_cast<int>(processors))
    warn_on_standard_error(std::to_string(threads) + " threads on " + std::to_string(processors) +
                           " wait for each other; --threads " + std::to_string(processors) +
                           " is faster");
  set_threads(threads);
}

}  // namespace espalier::apps
