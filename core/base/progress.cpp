#include "core/base/progress.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/base/text.hpp"

namespace espalier {

bool animates(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(fd) && !(no_color && *no_color) && term && std::strcmp(term, "dumb") != 0;
}

Progress::Progress(std::string label, std::int64_t total, std::string unit, bool quiet,
                   std::int64_t done)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      done_before_(done),
      quiet_(quiet),
      animated_(animates(STDERR_FILENO)),
      start_(Clock::now()),
      last_(start_) {}

Progress::~Progress() {
  finish();
}

bool Progress::due() const {
  if (quiet_) return false;
  // Nothing for the first two seconds; then a terminal is redrawn ten times a second, and a log
  // gets a line every ten seconds.
  const auto now = Clock::now();
  const std::chrono::duration<double> since_start = now - start_, since_last = now - last_;
  return since_start.count() >= 2 &&
         (last_ == start_ || since_last.count() >= (animated_ ? 0.1 : 10.0));
}

void Progress::update(std::int64_t done, const std::string& note) {
  if (!due()) return;
  last_ = Clock::now();
  const double seconds = std::chrono::duration<double>(last_ - start_).count();
  const double rate = static_cast<double>(done - done_before_) / seconds;
  const double left = rate > 0 ? static_cast<double>(total_ - done) / rate : 0;
  std::string line = "  " + label_ + "  " +
                     pad_left(percent(total_ > 0 ? double(done) / double(total_) : 1, 0), 5) +
                     "  " + with_commas(static_cast<std::int64_t>(rate)) + " " + unit_ +
                     "/s  ETA " + duration(left) + (note.empty() ? "" : "  " + note);
  std::fprintf(stderr, animated_ ? "\r\x1b[K%s" : "%s\n", line.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::finish() {
  if (drawn_ && animated_) std::fputs("\r\x1b[K", stderr);
  drawn_ = false;
}

}  // namespace espalier
