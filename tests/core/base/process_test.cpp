#include "core/base/process.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/output.hpp"

using namespace espalier;
namespace {

// The kind and message of the Error that `work` throws.
std::pair<ErrorKind, std::string> error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  FAIL("did not throw");
  return {};
}

// In a child: what it changes (handlers, standard output) would outlive the test.
int exit_code_in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(work());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("a process: output, error output, exit code, signal; its input is empty") {
  const auto both =
      run_process({"sh", "-c", "cat; echo out; echo bad >&2; exit 4"}, {.capture_error = true});
  CHECK(both.output == "out\n");
  CHECK(both.error == "bad\n");
  CHECK(both.exit_code == 4);
  CHECK(!both.ok());
  CHECK(both.how_it_ended() == "exit code 4");
  const auto killed = run_process({"sh", "-c", "kill -9 $$"});
  CHECK(killed.exit_code == -1);
  CHECK(killed.signal == SIGKILL);
  CHECK(killed.how_it_ended() == "signal 9 (Killed)");
  CHECK(run_process({"true"}).ok());
}

TEST_CASE("a process: more than a pipe holds on both outputs, in whatever order") {
  const auto result =
      run_process({"sh", "-c", "head -c 1000000 /dev/zero >&2; head -c 500000 /dev/zero"},
                  {.capture_error = true});
  CHECK(result.ok());
  CHECK(result.output.size() == 500000);
  CHECK(result.error.size() == 1000000);
}

TEST_CASE("a process inherits none of our pipes") {
  const auto pipes = [](const std::string& list) {
    std::istringstream lines(list);
    int count = 0;
    for (std::string line; std::getline(lines, line);)
      count += line.find("-> pipe:") != std::string::npos;
    return count;
  };
  int inherited = 0;  // from whoever started the test, its standard error among them
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    std::error_code gone;  // the iterator's own descriptor
    const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
    if (fd > STDOUT_FILENO && target.starts_with("pipe:"))
      inherited += !(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
  }
  const auto result = run_process({"ls", "-l", "/proc/self/fd"});
  CHECK(pipes(result.output) == 1 + inherited);  // its standard output
}

TEST_CASE("a process: cannot be started, ended by SIGINT, ended by the reader") {
  const auto [kind, message] =
      error_of([] { run_process({"/no/such/program"}, {.remedy = "build it first"}); });
  CHECK(kind == ErrorKind::kIo);
  CHECK(message ==
        "/no/such/program: cannot be started: No such file or directory; build it first");
  CHECK(error_of([] {
          run_process({"sh", "-c", "kill -INT $$"});
        }).first == ErrorKind::kInterrupted);
  const auto start = std::chrono::steady_clock::now();
  const auto refused = error_of([] {
    run_process({"sh", "-c", "echo much; exec sleep 60"}, {.on_output = [](std::string_view) {
                  fail(ErrorKind::kCorrupt, "reader", "too much");
                }});
  });
  CHECK(refused.first == ErrorKind::kCorrupt);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
}

TEST_CASE("Ctrl-C ends the process that we wait for") {
  CHECK(exit_code_in_child([] {
          install_interrupt_handler();
          try {
            run_process({"sh", "-c", "kill -INT $PPID; exec sleep 60"});
          } catch (const Error& error) {
            return error.exit_code();
          }
          return 0;
        }) == 130);
}

TEST_CASE("flush_output tells lost output from written output") {
  const auto written_to = [](const char* file) {
    return exit_code_in_child([file] {
      const int fd = ::open(file, O_WRONLY);
      if (fd < 0 || ::dup2(fd, STDOUT_FILENO) < 0) return 99;
      std::fputs("words", stdout);
      try {
        flush_output();
      } catch (const Error& error) {
        const bool says = std::string(error.what()).find("No space left") != std::string::npos;
        return says ? error.exit_code() : 98;
      }
      return 0;
    });
  };
  CHECK(written_to("/dev/null") == 0);
  CHECK(written_to("/dev/full") == 4);
}
