#include "apps/tutorial/fresh_process.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/process.hpp"

namespace espalier::apps {
namespace {

// Corrupt input, I/O and Ctrl-C are the child's to find and ours to pass on; any other end of a
// command that we wrote ourselves is a broken promise.
ErrorKind kind_of(const ProcessResult& result) {
  for (const ErrorKind kind : {ErrorKind::kCorrupt, ErrorKind::kIo, ErrorKind::kInterrupted})
    if (result.exit_code == static_cast<int>(kind)) return kind;
  return ErrorKind::kInternal;
}

}  // namespace

std::filesystem::path program_folder() {
  return own_program().parent_path();
}

FreshResult evaluate_in_fresh_process(const std::filesystem::path& file,
                                      const std::optional<std::filesystem::path>& data,
                                      bool mnist) {
  std::vector<std::string> command = {(program_folder() / "espalier").string(), "eval",
                                      file.string(), "--json", "-q"};
  if (!mnist) command.push_back("--synthetic");
  if (mnist && data) command.insert(command.end(), {"--data", data->string()});
  const auto result = run_process(command, {.remedy = "build the target 'espalier' first"});
  require(result.ok(), kind_of(result), command[0], "ended with ", result.how_it_ended(), " on ",
          file.string(), "; its own message stands above");
  const auto json = nlohmann::json::parse(result.output);
  return {json.at("accuracy"), json.at("images"), json.at("differing_logits")};
}

}  // namespace espalier::apps
