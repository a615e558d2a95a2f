// What progress looks like on a terminal, in a log, and where colour is not wanted.
#include "core/base/progress.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

using namespace espalier;
namespace {

// While it lives, standard error is `fd`.
class Redirect {
 public:
  explicit Redirect(int fd) : kept_(::dup(STDERR_FILENO)) { ::dup2(fd, STDERR_FILENO); }
  ~Redirect() {
    ::dup2(kept_, STDERR_FILENO);
    ::close(kept_);
  }

 private:
  int kept_;
};

// Work of 2.3 s that reports 23 times; what arrives at the reading end of a pair of descriptors.
std::string shown_by_work(int write_end, int read_end) {
  {
    const Redirect redirect(write_end);
    Progress progress("train", 230, "images");
    for (int i = 1; i <= 23; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      progress.update(10 * i, "loss 0.5");
    }
  }
  std::string shown;
  pollfd ready{read_end, POLLIN, 0};
  while (::poll(&ready, 1, 100) > 0) {
    char text[4096];
    const auto size = ::read(read_end, text, sizeof text);
    if (size <= 0) break;
    shown.append(text, static_cast<std::size_t>(size));
  }
  return shown;
}

struct Terminal {
  Terminal() : master(::posix_openpt(O_RDWR | O_NOCTTY)) {
    if (master < 0) return;  // no /dev/pts here
    REQUIRE(::grantpt(master) == 0);
    REQUIRE(::unlockpt(master) == 0);
    slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
    REQUIRE(slave >= 0);
  }
  ~Terminal() {
    if (slave >= 0) ::close(slave);
    if (master >= 0) ::close(master);
  }
  // Whether there is one; else says that the test is left out.
  bool exists() const {
    if (slave < 0) MESSAGE("left out: this machine gives no pseudo-terminal");
    return slave >= 0;
  }
  int master, slave = -1;
};

struct Environment {
  Environment(const char* term, const char* no_color) {
    ::setenv("TERM", term, 1);
    ::setenv("NO_COLOR", no_color, 1);
  }
  ~Environment() { ::unsetenv("NO_COLOR"); }
};

}  // namespace

TEST_CASE("progress redraws one line on a terminal and clears it at the end") {
  const Environment environment("xterm", "");
  const Terminal terminal;
  if (!terminal.exists()) return;
  const std::string shown = shown_by_work(terminal.slave, terminal.master);
  CHECK(std::ranges::count(shown, '\n') == 0);
  CHECK(shown.starts_with("\r\x1b[K  train  "));
  CHECK(shown.find("images/s  ETA ") != std::string::npos);
  CHECK(shown.find("loss 0.5") != std::string::npos);
  CHECK(shown.ends_with("\r\x1b[K"));
}

TEST_CASE("progress writes plain lines to a pipe") {
  const Environment environment("xterm", "");
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const std::string shown = shown_by_work(ends[1], ends[0]);
  CHECK(shown.find('\x1b') == std::string::npos);
  CHECK(std::ranges::count(shown, '\n') == 1);  // the next would follow ten seconds later
  ::close(ends[0]), ::close(ends[1]);
}

TEST_CASE("NO_COLOR and dumb terminals get no escape sequence") {
  const Terminal terminal;
  if (!terminal.exists()) return;
  {
    const Environment environment("xterm", "");
    CHECK(animates(terminal.slave));
  }
  {
    const Environment environment("xterm", "1");
    CHECK(!animates(terminal.slave));
  }
  const Environment environment("dumb", "");
  CHECK(!animates(terminal.slave));
}
