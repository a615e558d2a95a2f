// The tutorial's command line: errors of one line, version, exit codes.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/apps/program.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;

TEST_CASE("the tutorial refuses wrong options in one line, with what was meant, exit code 2") {
  const auto refuses = [](const std::string& program, const std::string& arguments,
                          const std::string& part) {
    const auto result = run_program(program + " " + arguments);
    CHECK_MESSAGE(result.exit_code == 2, result.output);
    CHECK_MESSAGE(result.output.starts_with(program + ": "), result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
    CHECK_MESSAGE(contains(result.output, "('" + program + " --help' lists the options)"),
                  result.output);
    CHECK_MESSAGE(std::ranges::count(result.output, '\n') == 1, result.output);
  };
  refuses("espalier-tutorial", "--modle large", "'--modle' is no option; did you mean '--model'?");
  refuses("espalier-tutorial", "--model small --outt=x", "did you mean '--out'?");
  refuses("espalier-tutorial", "--seed -1",
          "wants a whole number from 0 to 18446744073709551615, got -1");
  refuses("espalier-tutorial", "--seed=-1",
          "wants a whole number from 0 to 18446744073709551615, got -1");
  refuses("espalier-tutorial", "--seed 18446744073709551616", "got 18446744073709551616");
  refuses("espalier-tutorial", "--bits 9", "--bits");
  refuses("espalier-tutorial", "--model", "--model");
  refuses("espalier-tutorial", "surplus", "surplus");
  refuses("espalier-tutorial-2-prune", "--thread 2", "did you mean '--threads'?");
}

TEST_CASE("the tutorial's help and version, and that they must arrive") {
  const auto version = run_program("espalier-tutorial --version");
  CHECK(version.exit_code == 0);
  CHECK(version.output.starts_with("espalier-tutorial 0."));
  const auto help = run_program("espalier-tutorial --help");
  CHECK(help.exit_code == 0);
  for (const char* part : {"--version", "5 target missed", "130 interrupted"})
    CHECK_MESSAGE(contains(help.output, part), part);
  for (const std::string option : {"--help", "--version"}) {
    const auto lost = run_program("espalier-tutorial " + option + " 2>&1 >/dev/full | cat");
    CHECK_MESSAGE(contains(lost.output, "standard output: cannot write: "), lost.output);
    CHECK(run_program("espalier-tutorial " + option + " >/dev/full").exit_code == 4);
  }
}

TEST_CASE("a network that was to be sparse and is not: exit code 5") {
  const tests::Folder folder("target_test");
  const std::string options = " --quick --out " + folder.path.string();
  REQUIRE(run_program("espalier-tutorial-1-train" + options).exit_code == 0);
  std::filesystem::copy(folder.path / "baseline.safetensors", folder.path / "pruned.safetensors");
  const auto result = run_program("espalier-tutorial-3-write" + options);
  CHECK_MESSAGE(result.exit_code == 5, result.output);
  CHECK_MESSAGE(contains(result.output, "should hold 80.0 % zeros, holds 0.0 %"), result.output);
}

TEST_CASE("a wrong MNIST_DIR is an error that names it, not other digits") {
  const tests::Folder folder("teach_test");
  const auto result = run_program("espalier-tutorial --out " + folder.path.string(),
                                  "MNIST_DIR=/nonexistent_folder");
  CHECK(result.exit_code == 4);
  CHECK(contains(result.output,
                 "espalier-tutorial: MNIST_DIR=/nonexistent_folder: there is no such folder"));
}
