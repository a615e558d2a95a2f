#include "core/base/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/error.hpp"
#include "core/base/interrupt.hpp"

extern char** environ;

namespace espalier {
namespace {

constexpr int kLookForInterruptMs = 200;

// No other child inherits an end: it would keep the pipe open.
class Pipe {
 public:
  explicit Pipe(const std::string& user) {
    const bool made = ::pipe2(ends_, O_CLOEXEC) == 0;
    require(made, ErrorKind::kIo, user, "no pipe: ", std::strerror(errno));
  }
  ~Pipe() { close_read(), close_write(); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }
  void close_read() { close(ends_[0]); }
  void close_write() { close(ends_[1]); }

 private:
  static void close(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  int ends_[2] = {-1, -1};
};

// Ended by the destructor if nobody waited for it.
class Child {
 public:
  Child(const std::vector<std::string>& command, const Pipe& out, const Pipe& error,
        const ProcessOptions& options) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out.write_end(), STDOUT_FILENO);
    if (options.capture_error)
      posix_spawn_file_actions_adddup2(&actions, error.write_end(), STDERR_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    std::vector<char*> argv;
    for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const int failure = ::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure != 0) pid_ = -1;
    require(failure == 0, ErrorKind::kIo, command[0], "cannot be started: ", std::strerror(failure),
            options.remedy.empty() ? "" : "; ", options.remedy);
  }
  ~Child() {
    if (pid_ > 0) ::kill(pid_, SIGTERM), wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

// Hands the next piece to `take`; false at the end.
bool read_piece(int fd, const std::function<void(std::string_view)>& take) {
  char piece[1 << 16];
  ssize_t n;
  while ((n = ::read(fd, piece, sizeof piece)) < 0 && errno == EINTR) {
  }
  if (n > 0) take({piece, static_cast<std::size_t>(n)});
  return n > 0;
}

}  // namespace

std::string ProcessResult::how_it_ended() const {
  if (signal == 0) return "exit code " + std::to_string(exit_code);
  return "signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

ProcessResult run_process(const std::vector<std::string>& command, const ProcessOptions& options) {
  require(!command.empty(), "run_process", "wants a program's name, got no word");
  Pipe out(command[0]), error(command[0]);
  Child child(command, out, error, options);
  out.close_write(), error.close_write();

  ProcessResult result;
  const auto take_output = [&](std::string_view piece) {
    options.on_output ? options.on_output(piece) : void(result.output.append(piece));
  };
  const auto take_error = [&](std::string_view piece) { result.error.append(piece); };
  // Both at once: a child that fills one pipe must not wait for us at the other. poll passes over
  // the descriptor -1.
  pollfd waiting[2] = {{out.read_end(), POLLIN, 0}, {error.read_end(), POLLIN, 0}};
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    const int ready = ::poll(waiting, 2, kLookForInterruptMs);
    check_interrupt(command[0]);
    if (ready <= 0) continue;  // EINTR, or a look at the flag
    if (waiting[0].revents && !read_piece(waiting[0].fd, take_output)) waiting[0].fd = -1;
    if (waiting[1].revents && !read_piece(waiting[1].fd, take_error)) waiting[1].fd = -1;
  }
  const int status = child.wait();
  result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  require(result.signal != SIGINT, ErrorKind::kInterrupted, command[0], "stopped by Ctrl-C");
  return result;
}

void become_process(const std::vector<std::string>& command, const std::string& remedy) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execv(command[0].c_str(), arguments.data());
  fail(ErrorKind::kIo, command[0], "cannot be started: ", std::strerror(errno), "; ", remedy);
}

std::filesystem::path own_program() {
  return std::filesystem::read_symlink("/proc/self/exe");
}

}  // namespace espalier
