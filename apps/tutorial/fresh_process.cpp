#include "apps/tutorial/fresh_process.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/error.hpp"

extern char** environ;

namespace espalier::apps {
namespace {

// Standard output of the command, run without a shell. Its standard error is ours.
std::string output_of(const std::vector<std::string>& command) {
  int ends[2];
  require(::pipe(ends) == 0, ErrorKind::kInternal, command[0], "cannot open a pipe");
  std::vector<char*> arguments;
  for (const auto& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  pid_t child = 0;
  const int failure =
      ::posix_spawn(&child, command[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string output;
  char chunk[4096];
  for (ssize_t n; failure == 0 && (n = ::read(ends[0], chunk, sizeof chunk)) > 0;)
    output.append(chunk, static_cast<std::size_t>(n));
  ::close(ends[0]);
  require(failure == 0, ErrorKind::kInternal, command[0], "cannot be started; build it first");
  int status = 0;
  ::waitpid(child, &status, 0);
  require(WIFEXITED(status) && WEXITSTATUS(status) == 0, ErrorKind::kInternal, command[0],
          "failed on ", command[2], " and printed \"", output, '"');
  return output;
}

}  // namespace

std::filesystem::path program_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

FreshResult evaluate_in_fresh_process(const std::filesystem::path& file,
                                      const std::optional<std::filesystem::path>& data,
                                      bool mnist) {
  std::vector<std::string> command = {(program_folder() / "espalier").string(), "eval",
                                      file.string(), "--json"};
  if (!mnist) command.push_back("--synthetic");
  if (mnist && data) command.insert(command.end(), {"--data", data->string()});
  const auto json = nlohmann::json::parse(output_of(command));
  return {json.at("accuracy"), json.at("images"), json.at("differing_logits")};
}

}  // namespace espalier::apps
