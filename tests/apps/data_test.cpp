// Own data through the programs: looked at, converted, trained on, tested with.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/common/data_options.hpp"
#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "datasets/image.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;
namespace fs = std::filesystem;
namespace {

// 40 pictures of two classes: bright above, or bright below; the 39th is damaged.
void write_pictures(const fs::path& folder) {
  for (int i = 0; i < 40; ++i) {
    const bool below = i % 2;
    Tensor image(Shape{20, 16, 3}, DType::kUint8);
    auto values = image.mutable_values<std::uint8_t>();
    for (std::size_t k = 0; k < values.size(); ++k)
      values[k] = static_cast<std::uint8_t>((k / 48 >= 10) == below ? 200 + i : i);
    const fs::path of = folder / (below ? "below" : "above");
    fs::create_directories(of);
    datasets::write_png(of / (std::to_string(i) + ".png"), image);
  }
  write_file(folder / "below/39.png", "damaged");
}

std::string csv() {
  std::string text = "size,weight,kind\n";
  for (int i = 0; i < 30; ++i)
    text += std::to_string(i) + "," + std::to_string(i % 3) + (i < 15 ? ",small\n" : ",large\n");
  return text;
}

// A pixel of the top row less one of the bottom row decides: 10 x 8 grey, class 0 is above.
format::PackedModel above_or_below() {
  format::PackedModel model;
  model.input_shape = {10, 8, 1};
  format::PackedLayer flatten, dense;
  flatten.kind = format::LayerKind::kFlatten;
  dense.weight.shape = {2, 80};
  dense.weight.values.assign(160, 0.0f);
  dense.weight.values[0] = dense.weight.values[80 + 79] = 1;
  dense.bias = {0, 0};
  model.layers = {flatten, dense};
  model.labels = {"above", "below"};
  return model;
}

}  // namespace

TEST_CASE("data info: classes, counts, sizes and what was skipped, as text and as JSON") {
  const tests::Folder folder("data_test");
  write_pictures(folder.path / "p");
  const auto text = run_program("espalier data info " + (folder.path / "p").string());
  CHECK_MESSAGE(text.exit_code == 0, text.output);
  for (const char* part : {"image folder, 20 x 16 RGB, 2 classes, 31 training and 8 test examples "
                           "(a stratified split)",
                           "above        16     4", "below        15     4", "green",
                           "1 file was skipped", "39.png: is no PNG"})
    CHECK_MESSAGE(contains(text.output, part), text.output);
  const auto report = nlohmann::json::parse(
      run_program("espalier data info --json --grey --size 10x8 " + (folder.path / "p").string())
          .output);
  CHECK(report.at("shape") == nlohmann::json({10, 8, 1}));
  CHECK(report.at("classes")[1] ==
        nlohmann::json({{"label", "below"}, {"train", 15}, {"test", 4}}));
  CHECK(report.at("skipped").size() == 1);
  CHECK(report.at("sizes")[0].at("count") == 39);
  CHECK(report.at("mean")[0] > 0.3);

  write_file(folder.path / "t.csv", csv());
  const auto table = nlohmann::json::parse(
      run_program("espalier data info --json " + (folder.path / "t.csv").string()).output);
  CHECK(table.at("features") == nlohmann::json({"size", "weight"}));
  CHECK(table.at("train") == 24);
  const auto by_name =
      run_program("espalier data info --label weight " + (folder.path / "t.csv").string());
  CHECK(by_name.exit_code == 3);
  CHECK_MESSAGE(contains(by_name.output, "line 2: column 'kind' is 'small'"), by_name.output);
}

TEST_CASE("data convert: IDX files that hold the same") {
  const tests::Folder folder("data_test");
  write_pictures(folder.path / "p");
  const std::string pictures = (folder.path / "p").string(), out = (folder.path / "idx").string();
  const auto done =
      run_program("espalier data convert " + pictures + " -o " + out + " --size 10x8 --grey");
  CHECK_MESSAGE(done.exit_code == 0, done.output);
  CHECK(contains(done.output, "31 training and 8 test pictures of 10 x 8, grey"));
  CHECK(contains(done.output, "1 unreadable file was left out"));
  const auto trained = run_program("espalier train --data " + pictures +
                                   " --size 10x8 --grey --epochs 1 --out " + out + ".esp");
  CHECK_MESSAGE(trained.exit_code == 0, trained.output);
  CHECK(contains(trained.output, pictures + ": 1 unreadable file was left out"));
  const std::string images = out + "/train-images-idx3-ubyte.gz";
  CHECK(contains(
      done.output,
      images + ": " + with_commas(static_cast<std::int64_t>(fs::file_size(images))) + " bytes\n"));
  CHECK(contains(done.output, "/espalier data info " + out + "\n"));
  const auto json =
      nlohmann::json::parse(run_program("espalier data convert " + pictures + " -o " + out +
                                        "3 --size 10x8 --json 2>/dev/null | cat")
                                .output);
  CHECK(json.at("files").size() == 5);
  CHECK(run_program("espalier data convert " + pictures + " -o " + out +
                    "4 --size 10x8 -q 2>/dev/null | cat")
            .output.empty());
  const auto of = [](const std::string& path, const std::string& options) {
    return nlohmann::json::parse(run_program("espalier data info --json " + options + path).output);
  };
  const auto back = of(out, ""), from = of(pictures, "--size 10x8 --grey ");
  CHECK(back.at("kind") == "IDX files");
  for (const char* key : {"classes", "mean", "deviation", "shape"})
    CHECK(back.at(key) == from.at(key));

  const auto png = run_program("espalier data convert " + pictures + " --png -o " + out +
                               "-png --size 10x8 --grey");
  CHECK_MESSAGE(png.exit_code == 0, png.output);
  const auto folders = of(out + "-png", "--grey ");
  CHECK(folders.at("kind") == "image folder");
  for (const char* key : {"classes", "shape"}) CHECK(folders.at(key) == from.at(key));
  CHECK(folders.at("mean")[0].get<double>() ==
        doctest::Approx(from.at("mean")[0].get<double>()).epsilon(1e-9));  // another order

  CHECK(run_program("espalier data convert " + pictures + " -o " + out).exit_code ==
        4);  // not empty
  write_file(folder.path / "t.csv", csv());
  CHECK(
      run_program("espalier data convert " + (folder.path / "t.csv").string() + " -o " + out + "2")
          .exit_code == 2);
}

TEST_CASE("data: a misspelt command, a missing path and a wrong size are one line, exit code 2") {
  const tests::Folder folder("data_test");
  for (const auto& [arguments, part] : std::vector<std::pair<std::string, std::string>>{
           {"inof x", "'inof' is no command of data; did you mean 'info'?"},
           {"info --gray x", "'--gray' is no option of info; did you mean '--grey'?"},
           {"", "A subcommand is required"},
           {"info", "path is required"},
           {"info --size 3x " + folder.path.string(), "--size: wants HEIGHTxWIDTH"}}) {
    const auto result = run_program("espalier data " + arguments);
    CHECK_MESSAGE(result.exit_code == 2, result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
    CHECK(std::ranges::count(result.output, '\n') == 1);
  }
  CHECK(run_program("espalier data info /nonexistent_folder").exit_code == 4);
}

TEST_CASE("eval: a folder of pictures is resized, and made grey, as the model wants it") {
  const tests::Folder folder("data_test");
  write_pictures(folder.path / "p");
  const std::string file = (folder.path / "m.esp").string();
  auto model = above_or_below();
  write_file(file, format::write(model));
  const std::string command =
      "espalier eval --json " + file + " --data " + (folder.path / "p").string();
  const auto result = run_program(command);
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  const auto json = nlohmann::json::parse(result.output);
  CHECK(json.at("accuracy") == 1.0);
  CHECK(json.at("images") == 8);
  CHECK(json.at("data") == "p");
  model.labels = {"down", "up"};
  write_file(file, format::write(model));
  const auto others = run_program(command);
  CHECK(others.exit_code == 2);
  CHECK_MESSAGE(contains(others.output, "knows other classes than the data: down, up"),
                others.output);
}

TEST_CASE("compress: from a CSV file and from pictures to a file that names the classes") {
  const tests::Folder folder("data_test");
  std::string text;
  for (int i = 0; i < 600; ++i)
    text += std::to_string(i % 50) + "," + std::to_string(i % 7) +
            (i % 50 < 25 ? ",small\n" : ",large\n");
  write_file(folder.path / "t.csv", text);
  const auto result = run_program(
      "espalier compress --model lenet300 --target-bytes 20000 --minutes 0.05 --json --data " +
      (folder.path / "t.csv").string() + " --out " + (folder.path / "out").string());
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  CHECK(nlohmann::json::parse(result.output).at("best").at("test_error") < 0.2);
  const fs::path best = folder.path / "out/best.esp";
  const auto model = format::read(read_file(best), "best.esp");
  CHECK(model.labels == std::vector<std::string>{"large", "small"});
  CHECK(model.input_shape == std::array<std::int64_t, 3>{1, 1, 2});
  const auto tested = run_program("espalier eval --json " + best.string() + " --data " +
                                  (folder.path / "t.csv").string());
  REQUIRE_MESSAGE(tested.exit_code == 0, tested.output);
  CHECK(nlohmann::json::parse(tested.output).at("accuracy") > 0.8);
}

TEST_CASE("parse_size: HEIGHTxWIDTH, or one side") {
  using apps::parse_size;
  CHECK(parse_size("32x48") == datasets::ImageSize{32, 48});
  CHECK(parse_size("7") == datasets::ImageSize{7, 7});
  CHECK(!parse_size(""));
  for (const char* bad :
       {"x", "3x", "x3", "3x4x5", "0", "-1", "4097", "3 x 4", "3X4", "99999999999999999999"})
    CHECK_THROWS_AS(parse_size(bad), Error);
}

TEST_CASE("reading options, as the end of the command that a program suggests") {
  apps::DataOptions options;
  CHECK(apps::arguments_of(options).empty());
  options.path = "my data";
  CHECK(apps::arguments_of(options) == " --data 'my data'");
  options.size = "32x32", options.grey = true, options.label = "kind";
  options.split.test_share = 0.25f, options.split.seed = 7;
  CHECK(apps::arguments_of(options) ==
        " --data 'my data' --size 32x32 --grey --label kind --test-share 0.25 --split-seed 7");
  apps::DataOptions synthetic;
  synthetic.synthetic = true;
  CHECK(apps::arguments_of(synthetic) == " --synthetic");
}

TEST_CASE("data convert: Ctrl-C leaves nothing of the folder") {
  const tests::Folder folder("data_interrupted");
  const fs::path out = folder.path / "shapes";
  for (const char* seconds :
       {"0.3", "0.6"}) {  // coreutils' timeout sends SIGINT as a terminal would
    const auto stopped =
        tests::run_shell("timeout --preserve-status -s INT " + std::string(seconds) + " " +
                         ESPALIER_BIN_DIR "/espalier data convert shapes --png -o " + out.string());
    if (stopped.exit_code == 0) return;  // a fast machine
    CHECK_MESSAGE(stopped.exit_code == 130, stopped.output);
    CHECK_FALSE(fs::exists(out));
    CHECK(fs::is_empty(folder.path));
  }
}
