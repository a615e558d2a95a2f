// The command line's manners: help, version, suggestions.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compress/format/writer.hpp"
#include "core/base/file.hpp"
#include "tests/apps/digit_models.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;

TEST_CASE("help teaches: every command, its options, an example, the exit codes") {
  const auto all = run_program("espalier --help");
  CHECK(all.exit_code == 0);
  for (const char* part : {"A first tour", "Exit codes"}) CHECK(contains(all.output, part));
  for (const char* command :
       {"run", "inspect", "eval", "compare", "export", "fetch", "data", "new", "version", "train",
        "compress", "toolbox", "sensitivity", "verify", "bench"}) {
    CHECK_MESSAGE(contains(all.output, std::string("\n  ") + command + ' '), command);
    const auto help = run_program("espalier " + std::string(command) + " --help");
    CHECK(help.exit_code == 0);
    CHECK(contains(help.output, "Example"));
  }
  CHECK(contains(run_program("espalier fetch --help").output,
                 "https://storage.googleapis.com/cvdf-datasets/mnist/"));
  const auto version = run_program("espalier --version");
  CHECK(version.exit_code == 0);
  CHECK(version.output.starts_with("espalier 0."));
  CHECK(run_program("espalier version").output.starts_with(version.output));
  const auto json = nlohmann::json::parse(
      run_program("espalier version --json", "ONEDNN_MAX_CPU_ISA=SSE41").output);
  CHECK(version.output.starts_with("espalier " + json.at("version").get<std::string>() + ','));
  CHECK(json.at("esp_versions") == nlohmann::json{1, 2, 3});
  for (const char* asked : {"espalier version", "espalier --version"})
    CHECK(contains(run_program(asked).output, "reads .esp versions 1 to 3"));
  CHECK(json.at("onednn_isa") == "SSE41");
  CHECK(json.at("own_isa") == "plain");
}

TEST_CASE("a misspelt command or option: one line that says what was meant, exit code 2") {
  const auto refuses = [](const std::string& arguments, const std::string& part) {
    const auto result = run_program("espalier " + arguments);
    CHECK_MESSAGE(result.exit_code == 2, result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
    CHECK(std::ranges::count(result.output, '\n') == 1);
  };
  refuses("evl model.esp", "'evl' is no command; did you mean 'eval'?");
  refuses("verison", "did you mean 'version'?");
  refuses("inspekt", "did you mean 'inspect'?");
  refuses("xyzzyxyzzy", "'xyzzyxyzzy' is no command (");
  refuses("run --jsn a b", "'--jsn' is no option of run; did you mean '--json'?");
  refuses("inspect --layr=1 a", "did you mean '--layer'?");
  refuses("--versio", "did you mean '--version'?");
  refuses("fetch cifar", "'cifar' is no dataset (mnist)");
  refuses("fetch mnsit", "did you mean 'mnist'?");
  refuses("eval a.esp --executor plam", "did you mean 'plan'? (plan, reference, onednn)");
  refuses("export c98 a.esp -o a.c", "did you mean 'c99'? (c99, js, onnx, tflite)");
  refuses("export c99 a.esp", "--output is required");
  refuses("", "command");
}

TEST_CASE("output that does not arrive is an I/O error, whichever command it is") {
  const tests::Folder folder("full_test");
  const std::string file = (folder.path / "digits.esp").string();
  write_file(file, format::write(tests::integer_nearest_mean()));
  for (const std::string& arguments :
       {std::string("--help"), std::string("--version"), "inspect " + file,
        "inspect --json " + file, "eval --synthetic --json " + file}) {
    CHECK(run_program("espalier " + arguments + " >/dev/null").exit_code == 0);
    const auto lost = run_program("espalier " + arguments + " 2>&1 >/dev/full | cat");
    CHECK_MESSAGE(contains(lost.output, "espalier: standard output: cannot write: "), arguments);
    CHECK_MESSAGE(run_program("espalier " + arguments + " >/dev/full").exit_code == 4, arguments);
  }
}

TEST_CASE("fetch: an address that nobody answers is an I/O error, named, and leaves nothing") {
  const tests::Folder folder("fetch_cli_test");
  const auto result =
      run_program("espalier fetch mnist --url http://127.0.0.1:1/ --to " + folder.path.string(),
                  "no_proxy=127.0.0.1");
  CHECK(result.exit_code == 4);
  CHECK(contains(result.output, "http://127.0.0.1:1/"));
  CHECK(std::filesystem::is_empty(folder.path));
}
