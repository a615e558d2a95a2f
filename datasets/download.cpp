#include "datasets/download.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

extern char** environ;

namespace espalier::datasets {
namespace {

// curl with its two outputs on pipes. The destructor stops a curl that still runs.
class Curl {
 public:
  Curl(std::vector<std::string> arguments, const std::string& url) {
    require(::pipe2(out_, O_CLOEXEC) == 0 && ::pipe2(error_, O_CLOEXEC) == 0, ErrorKind::kIo, url,
            "no pipe: ", std::strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out_[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, error_[1], STDERR_FILENO);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const int failure = ::posix_spawnp(&pid_, "curl", &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    for (int* end : {&out_[1], &error_[1]}) close(*end);
    if (failure == 0) return;
    close(out_[0]), close(error_[0]);
    fail(ErrorKind::kIo, url, "cannot start curl (", std::strerror(failure),
         "); install it, for example with 'apt-get install curl'");
  }
  ~Curl() {
    close(out_[0]), close(error_[0]);
    if (pid_ > 0) ::kill(pid_, SIGTERM), wait();
  }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  int out() const { return out_[0]; }
  int error() const { return error_[0]; }
  // Its exit code, or -1 if a signal ended it.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  static void close(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  int out_[2] = {-1, -1}, error_[2] = {-1, -1};
  pid_t pid_ = -1;
};

// Up to `count` bytes; 0 at the end.
std::size_t read_some(int fd, void* to, std::size_t count) {
  ssize_t n;
  while ((n = ::read(fd, to, count)) < 0 && errno == EINTR) {
  }
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

}  // namespace

Bytes download(const std::string& url, const DownloadOptions& options) {
  require(url.starts_with("http://") || url.starts_with("https://"), url,
          "is no address; it begins with http:// or https://");
  // --disable stands first: the user's .curlrc stays out of it.
  Curl curl({"curl", "--disable", "--fail", "--silent", "--show-error", "--location", "--proto",
             "=http,https", "--connect-timeout", std::to_string(options.connect_timeout_seconds),
             "--speed-limit", "1000", "--speed-time", std::to_string(options.stall_timeout_seconds),
             "--", url},
            url);
  Bytes bytes;
  std::vector<std::uint8_t> chunk(1 << 16);
  while (const std::size_t n = read_some(curl.out(), chunk.data(), chunk.size())) {
    require(bytes.size() + n <= options.limit_bytes, ErrorKind::kCorrupt, url, "sends more than ",
            options.limit_bytes, " bytes");
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
    if (options.progress) options.progress(bytes.size());
  }
  std::string complaint;
  while (const std::size_t n = read_some(curl.error(), chunk.data(), chunk.size()))
    complaint.append(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(n));
  const int code = curl.wait();
  while (complaint.ends_with('\n')) complaint.pop_back();
  require(code == 0, ErrorKind::kIo, url, "cannot be downloaded: ",
          complaint.empty() ? "curl ended with code " + std::to_string(code) : complaint);
  return bytes;
}

}  // namespace espalier::datasets
