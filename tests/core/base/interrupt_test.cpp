#include "core/base/interrupt.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>
#include <string>

#include "core/base/error.hpp"

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

TEST_CASE("check_interrupt throws once Ctrl-C came, and not before") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    install_interrupt_handler();
    try {
      check_interrupt("loop");
      ::raise(SIGINT);
    } catch (const Error&) {
      ::_exit(1);
    }
    try {
      check_interrupt("loop");
    } catch (const Error& error) {
      const bool says = error.what() == std::string("loop: stopped by Ctrl-C");
      ::_exit(says ? error.exit_code() : 2);
    }
    ::_exit(3);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 130);
}
