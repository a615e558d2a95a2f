// The examples: each does what it says, in under 60 lines.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "compress/format/writer.hpp"
#include "core/base/file.hpp"
#include "tests/apps/digit_models.hpp"
#include "tests/apps/program.hpp"

namespace fs = std::filesystem;
using namespace espalier;
using tests::contains;
using tests::run_program;
namespace {

std::int64_t lines_of(const fs::path& file) {
  return std::ranges::count(read_file(fs::path(ESPALIER_SOURCE_DIR) / "apps/examples" / file),
                            std::uint8_t{'\n'});
}

void says(const std::string& command, const std::string& part) {
  const auto result = run_program(command);
  CHECK_MESSAGE(result.exit_code == 0, result.output);
  CHECK_MESSAGE(contains(result.output, part), result.output);
}

}  // namespace

TEST_CASE("five programs of under 60 lines, and a project of 40") {
  for (const char* name : {"train_xor", "custom_layer", "custom_pass", "custom_data", "run_file"})
    CHECK_MESSAGE(lines_of(std::string(name) + ".cpp") < 60, name);
  CHECK(lines_of("project/CMakeLists.txt") + lines_of("project/main.cpp") <= 40);
}

TEST_CASE("the examples that train reach what they check") {
  says("espalier-example-train-xor", "0 xor 0 = 0\n0 xor 1 = 1\n1 xor 0 = 1\n1 xor 1 = 0\n");
  says("espalier-example-custom-layer", "by differences");
  says("espalier-example-custom-pass", "with one bit a weight");
  says("espalier-example-custom-data", "accuracy on new stripes: ");
}

TEST_CASE("run-file: the digit of raw pixels; what does not fit is named") {
  const tests::Folder folder("run_file_test");
  const std::string model = (folder.path / "digits.esp").string(),
                    pixels = (folder.path / "pixels").string();
  auto digits = tests::integer_nearest_mean();
  for (int i = 0; i < 10; ++i) digits.labels.push_back("digit " + std::to_string(i));
  write_file(model, format::write(digits));
  const auto test = datasets::synthetic_digits({.train = 1, .test = 10}).test;
  int right = 0;
  for (std::int64_t i = 0; i < 10; ++i) {
    Bytes bytes;
    for (const float v : test->get(i).image.values())
      bytes.push_back(static_cast<std::uint8_t>(std::lround(v * 255)));
    write_file(pixels, bytes);
    const auto result = run_program("espalier-example-run-file " + model + ' ' + pixels);
    CHECK_MESSAGE(result.exit_code == 0, result.output);
    right += contains(result.output, "digit " + std::to_string(i) + ": logit ");
  }
  CHECK(right >= 7);  // of ten digits, by their nearest mean

  write_file(pixels, std::string_view("too few"));
  const auto few = run_program("espalier-example-run-file " + model + ' ' + pixels);
  CHECK(few.exit_code == 3);
  CHECK(contains(few.output, "holds 7 bytes; the model wants 784"));
  CHECK(run_program("espalier-example-run-file").exit_code == 2);
  CHECK(run_program("espalier-example-run-file none.esp " + pixels).exit_code == 4);
}
