#include "core/base/interrupt.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

using namespace espalier;

// In children: the handler would outlive the test.
TEST_CASE("the first Ctrl-C sets a flag, the second ends the process with 130") {
  for (const int signals : {1, 2}) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      install_interrupt_handler();
      if (interrupted()) ::_exit(1);
      for (int i = 0; i < signals; ++i) ::raise(SIGINT);
      const bool seen = interrupted();
      clear_interrupt();
      ::_exit(seen && !interrupted() ? 7 : 2);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == (signals == 1 ? 7 : 130));
  }
}
