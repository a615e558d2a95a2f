#include "core/base/interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "core/base/error.hpp"

namespace espalier {
namespace {

std::atomic<bool> flag = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may take no lock

extern "C" void on_interrupt(int) {
  if (flag.exchange(true)) ::_exit(130);
}

}  // namespace

void install_interrupt_handler() {
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
}

bool interrupted() {
  return flag;
}
void clear_interrupt() {
  flag = false;
}

void check_interrupt(std::string_view where) {
  if (interrupted()) fail(ErrorKind::kInterrupted, where, "stopped by Ctrl-C");
}

}  // namespace espalier
