// espalier export: what it writes, says and refuses.
#include <doctest/doctest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "compress/format/writer.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "tests/apps/digit_models.hpp"
#include "tests/apps/program.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;

TEST_CASE("export: each format's file, its bytes, and the next command") {
  const tests::Folder folder("export_test");
  const std::string model = (folder.path / "model.esp").string();
  write_file(model, format::write(tests::integer_nearest_mean()));
  const auto exported = [&](const std::string& format, const std::string& file) {
    const std::string path = (folder.path / file).string();
    const auto result = run_program("espalier export " + format + " " + model + " -o " + path);
    CHECK_MESSAGE(result.exit_code == 0, result.output);
    const Bytes bytes = read_file(path);
    CHECK(contains(result.output, file + ": " + with_commas(std::ssize(bytes)) + " bytes\nNext: "));
    CHECK(contains(result.output.substr(result.output.find("Next: ")), path));
    const auto json = nlohmann::json::parse(
        run_program("espalier export --json " + format + " " + model + " -o " + path).output);
    CHECK(json.at("files")[0].at("bytes") == bytes.size());
    CHECK(json.at("files")[0].at("file") == path);
    CHECK(run_program("espalier export -q " + format + " " + model + " -o " + path).output.empty());
    return std::string(bytes.begin(), bytes.end());
  };
  CHECK(contains(exported("c99", "my-digits.c"), "int my_digits_classify(const uint8_t *pixels);"));
  CHECK(contains(exported("js", "digits.js"), "module.exports = digits;"));
  CHECK(contains(exported("js", "digits.mjs"), "export default digits;"));
  CHECK(contains(exported("onnx", "digits.onnx"), "DequantizeLinear"));
  CHECK(exported("tflite", "digits.tflite").substr(4, 4) == "TFL3");
  CHECK(contains(exported("js", "my-digits.js"), "<script src=\"my-digits.js\">"));
}

TEST_CASE("export: the next command is of shell words, whatever the file is called") {
  const tests::Folder folder("export_words_test");
  const std::string model = (folder.path / "model.esp").string();
  write_file(model, format::write(tests::integer_nearest_mean()));
  for (const auto& [format, file] : std::initializer_list<std::pair<std::string, std::string>>{
           {"c99", "it's $HOME.c"}, {"js", "it's \\\"$HOME\".js"}}) {
    const std::string path = (folder.path / file).string();
    const auto result =
        run_program("espalier export " + format + " " + model + " -o " + shell_word(path));
    CHECK_MESSAGE(result.exit_code == 0, result.output);
    const auto at = result.output.find("Next: ");
    REQUIRE(at != std::string::npos);
    std::string next = result.output.substr(at + 6);
    next = next.substr(0, next.find(format == "c99" ? "   (" : "\n"));
    if (format == "c99") next = "cd " + folder.path.string() + " && " + next;
    if (format == "js" && std::system("node --version > /dev/null 2>&1") != 0) {
      MESSAGE("skipped: install nodejs");
      continue;
    }
    CHECK_MESSAGE(std::system((next + " > /dev/null 2>&1").c_str()) == 0, next);
  }
}

TEST_CASE("export does not overwrite the model that it reads") {
  const tests::Folder folder("export_over_test");
  const auto golden = std::filesystem::path(ESPALIER_SOURCE_DIR) / "tests/golden/records/m1.esp";
  const auto model = folder.path / "m1.esp";
  std::filesystem::copy_file(golden, model);
  const auto result = run_program("espalier export c99 " + model.string() + " -o " +
                                  (folder.path / "." / "m1.esp").string());
  CHECK(result.exit_code == 2);
  CHECK_MESSAGE(contains(result.output, "is the model itself"), result.output);
  CHECK(read_file(model) == read_file(golden));
}

TEST_CASE("export: what cannot be read, written or said is named, with its exit code") {
  const tests::Folder folder("export_errors_test");
  const std::string floats = (folder.path / "floats.esp").string();
  write_file(floats, format::write(format::samples::network(32, 0.5)));
  const auto fails = [&](const std::string& arguments, int code, const std::string& part) {
    const auto result = run_program("espalier export " + arguments);
    CHECK_MESSAGE(result.exit_code == code, result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
  };
  const std::string out = (folder.path / "out.js").string();
  fails("js " + floats + " -o " + out, 2, "quantize it first");
  CHECK(!std::filesystem::exists(out));
  fails("js " + (folder.path / "missing.esp").string() + " -o " + out, 4, "missing.esp");
  fails("c99 " + floats + " -o " + (folder.path / "nowhere" / "out.c").string(), 4, "nowhere");
  write_file(folder.path / "text.esp", std::string_view("no model"));
  fails("onnx " + (folder.path / "text.esp").string() + " -o " + out, 3, "text.esp");
}
