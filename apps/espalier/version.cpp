// espalier version: what is installed, and what its kernels may use here.
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "apps/espalier/commands.hpp"
#include "compress/format/checksum.hpp"
#include "core/onednn/isa.hpp"

namespace espalier::apps {

void add_version(CLI::App& app) {
  auto as_json = std::make_shared<bool>(false);
  auto* command =
      app.add_subcommand("version", "Versions of the program, the file format and oneDNN");
  command->add_flag("--json", *as_json, "Print one line of JSON");
  command->footer(
      "Also the instruction sets that this processor has and ONEDNN_MAX_CPU_ISA leaves: of "
      "oneDNN's\n"
      "kernels, and of ours.\n"
      "Example: espalier version --json | jq -r .version");
  command->callback([as_json] {
    std::vector<int> versions;
    for (int v = format::kOldestVersion; v <= format::kNewestVersion; ++v) versions.push_back(v);
    if (*as_json)
      std::cout << nlohmann::json{{"version", ESPALIER_VERSION},
                                  {"esp_versions", versions},
                                  {"onednn", onednn_version()},
                                  {"onednn_isa", effective_isa()},
                                  {"own_isa", name_of(vector_isa())}}
                       .dump()
                << '\n';
    else
      std::cout << "espalier " ESPALIER_VERSION ", reads .esp versions " << versions.front()
                << " to " << versions.back() << "\noneDNN " << onednn_version()
                << "; instruction sets: " << effective_isa() << " for its kernels, "
                << name_of(vector_isa()) << " for ours\n";
  });
}

}  // namespace espalier::apps
