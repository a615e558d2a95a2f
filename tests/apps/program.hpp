// Runs a program as a user does, and what its tests need around it.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>

namespace espalier::tests {

struct Result {
  int exit_code;
  std::string output;  // standard output and error
};

// `environment`: "NAME=value ...". No MNIST is in reach, and nothing is downloaded: the synthetic
// digits serve.
inline Result run_shell(const std::string& command, const std::string& environment = "") {
  const std::string line = "env -u MNIST_DIR ESPALIER_NO_DOWNLOAD=1 HOME=/nonexistent " +
                           environment + " " + command + " 2>&1";
  FILE* pipe = ::popen(line.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Result result{0, ""};
  char chunk[4096];
  while (const std::size_t n = std::fread(chunk, 1, sizeof chunk, pipe))
    result.output.append(chunk, n);
  result.exit_code = WEXITSTATUS(::pclose(pipe));
  return result;
}

// A program of ours by its name.
inline Result run_program(const std::string& command, const std::string& environment = "") {
  return run_shell(std::string(ESPALIER_BIN_DIR) + "/" + command, environment);
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A folder of its own, removed at the end.
class Folder {
 public:
  explicit Folder(const std::string& name)
      : path(std::filesystem::temp_directory_path() /
             ("espalier_" + name + "." + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path path;
};

}  // namespace espalier::tests
