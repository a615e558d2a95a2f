// Progress of work that takes over two seconds: one line with rate and ETA, redrawn in place on a
// terminal; elsewhere (pipe, log, NO_COLOR set or TERM=dumb) a plain line now and then.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace espalier {

class Progress {
 public:
  // `label` stands first; `unit` names what is counted ("images"). Writes to standard error.
  // `quiet` writes nothing at all. `done` is what was done before: a resumed run's start.
  Progress(std::string label, std::int64_t total, std::string unit, bool quiet = false,
           std::int64_t done = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Whether update() would draw now: who makes a note for every step asks first.
  bool due() const;
  // `done` of `total` is behind us; `note` ("loss 0.123") stands at the end of the line.
  void update(std::int64_t done, const std::string& note = "");
  // Clears the redrawn line, so that a result can take its place.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  std::string label_, unit_;
  std::int64_t total_, done_before_;
  bool quiet_, animated_, drawn_ = false;
  Clock::time_point start_, last_;
};

// Whether escape sequences (colour, redrawing) may go to this file descriptor.
bool animates(int fd);

}  // namespace espalier
