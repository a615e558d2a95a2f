// espalier run: pictures of digits, however they come.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/espalier/draw.hpp"
#include "apps/espalier/prepare_image.hpp"
#include "compress/format/writer.hpp"
#include "core/base/file.hpp"
#include "core/base/text.hpp"
#include "datasets/image.hpp"
#include "datasets/load.hpp"
#include "datasets/resize.hpp"
#include "tests/apps/digit_models.hpp"
#include "tests/apps/program.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;
namespace fs = std::filesystem;
namespace {

void save(const std::filesystem::path& file, const Tensor& image) {
  Tensor bytes = Tensor::uninitialized(image.shape(), DType::kUint8);
  for (std::size_t i = 0; i < image.values().size(); ++i)
    bytes.mutable_values<std::uint8_t>()[i] =
        static_cast<std::uint8_t>(image.values()[i] * 255 + 0.5f);
  datasets::write_png(file, bytes);
}

// The digit five times as large, dark on light grey, off the centre of a larger page.
Tensor photograph(const Tensor& digit) {
  const Tensor large = datasets::resize(digit, 140, 140);
  Tensor page = Tensor::full({260, 330, 1}, 0.9f);
  for (std::int64_t y = 0; y < 140; ++y)
    for (std::int64_t x = 0; x < 140; ++x)
      page.mutable_data()[(y + 30) * 330 + x + 170] = 0.9f - 0.8f * large.data()[y * 140 + x];
  return page;
}

}  // namespace

TEST_CASE("run: the digit is read as it is, as a photograph, inverted, and from standard input") {
  const tests::Folder folder("run_test");
  const std::string model = (folder.path / "means.esp").string();
  write_file(model, format::write(tests::nearest_mean()));
  // A clean 0 in MNIST's form: a ring.
  Tensor zero({28, 28, 1});
  for (std::int64_t y = 0; y < 28; ++y)
    for (std::int64_t x = 0; x < 28; ++x) {
      const double dy = static_cast<double>(y) - 14, dx = static_cast<double>(x) - 14;
      const double r = std::sqrt(dy * dy / 81 + dx * dx / 36);
      zero.mutable_data()[y * 28 + x] = r > 0.7 && r < 1.05 ? 1.0f : 0.0f;
    }
  const std::string plain = (folder.path / "plain.png").string();
  const std::string photo = (folder.path / "photo.png").string();
  save(plain, zero);
  save(photo, photograph(zero));

  const auto result = run_program("espalier run --json " + model + " " + plain + " " + photo);
  INFO(result.output);
  REQUIRE(result.exit_code == 0);
  const std::size_t line = result.output.find('\n');
  const auto first = nlohmann::json::parse(result.output.substr(0, line));
  const auto second = nlohmann::json::parse(result.output.substr(line + 1));
  CHECK(contains(first["preparation"], "taken as it is"));
  CHECK(contains(second["preparation"], "inverted, centred"));
  for (const auto& report : {first, second}) {
    CHECK(report["top"][0]["label"] == "0");
    REQUIRE(report["top"].size() == 3);
    CHECK(report["top"][0]["probability"] > report["top"][1]["probability"]);
    CHECK(report["logits"].size() == 10);
    double sum = 0;  // softmax, from the logits
    const double top = report["logits"][0];
    for (const double logit : report["logits"]) sum += std::exp(logit - top);
    CHECK(report["top"][0]["probability"].get<double>() == doctest::Approx(1 / sum));
  }
  const auto forced = run_program("espalier run --json --invert " + model + " " + photo);
  CHECK(!contains(forced.output, "dark on light: inverted"));
  const auto piped = run_program("espalier run --json " + model + " - < " + photo);
  CHECK(contains(piped.output, "\"image\":\"-\""));
  CHECK(nlohmann::json::parse(piped.output)["logits"] == second["logits"]);

  const auto drawn = run_program("espalier run " + model + " " + plain, "LC_ALL=C.UTF-8");
  CHECK(contains(drawn.output, "\u2588"));
  const auto ascii = run_program("espalier run " + model + " " + plain, "LC_ALL=C");
  CHECK(ascii.exit_code == 0);
  CHECK(std::ranges::all_of(ascii.output, [](char c) { return static_cast<signed char>(c) > 0; }));
  CHECK(contains(ascii.output, "@@"));
}

TEST_CASE("run: what cannot be read is named, with its exit code") {
  const tests::Folder folder("run_errors_test");
  const std::string model = (folder.path / "means.esp").string();
  const std::string text = (folder.path / "text.png").string();
  const std::string blank = (folder.path / "blank.png").string();
  write_file(model, format::write(tests::nearest_mean()));
  write_file(text, std::string_view("no picture"));
  save(blank, Tensor::full({40, 40, 1}, 1));
  const auto fails = [&](const std::string& arguments, int code, const std::string& part) {
    const auto result = run_program("espalier run " + arguments);
    CHECK_MESSAGE(result.exit_code == code, result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
  };
  fails(model + " " + text, 3, "text.png: is no PNG");
  fails(model + " " + blank, 2, "blank.png");
  fails(model + " " + (folder.path / "missing.png").string(), 4, "missing.png");
  fails(model, 2, "images");
  fails(text + " " + blank, 3, "text.png");
  fails((folder.path / "missing.esp").string() + " " + blank, 4, "missing.esp");
}

TEST_CASE("run: a folder gives a line a picture, sorted, and leaves out what is none") {
  const tests::Folder folder("run_folder_test");
  const std::string model = (folder.path / "means.esp").string();
  write_file(model, format::write(tests::nearest_mean()));
  const fs::path pictures = folder.path / "pictures";
  const auto digits = datasets::synthetic_digits({.train = 1, .test = 4}).test;
  const std::vector<std::string> names = {"b.png", "one/1.png", "one/deep/0.png", "two/1.png"};
  for (const char* below : {"one/deep", "two", ".cache"}) fs::create_directories(pictures / below);
  for (std::size_t i = 0; i < names.size(); ++i)
    save(pictures / names[names.size() - 1 - i],  // not in the order of the answer
         digits->get(static_cast<std::int64_t>(i)).image);
  save(pictures / ".cache/hidden.png", digits->get(0).image);
  write_file(pictures / "a-note.txt", std::string_view("no picture"));
  save(pictures / "two/blank.png", Tensor::full({40, 40, 1}, 1));  // no digit to centre
  REQUIRE(::mkfifo((pictures / "pipe.png").c_str(), 0600) == 0);   // would never end

  const std::string command = std::string(ESPALIER_BIN_DIR) + "/espalier run -q ",
                    quoted = model + " " + pictures.string();
  const auto lines = tests::run_shell("sh -c '" + command + quoted + " 2>/dev/null'");
  const auto json = tests::run_shell("sh -c '" + command + "--json " + quoted + " 2>/dev/null'");
  REQUIRE_MESSAGE(lines.exit_code == 0, lines.output);
  std::istringstream text(lines.output), objects(json.output);
  for (const std::string& name : names) {
    const std::string file = (pictures / name).string();
    const auto alone =
        nlohmann::json::parse(run_program("espalier run -q --json " + model + " " + file).output);
    std::string line, object;
    REQUIRE(std::getline(text, line));
    REQUIRE(std::getline(objects, object));
    CHECK(nlohmann::json::parse(object) == alone);
    const auto& best = alone["top"][0];
    CHECK(line ==
          name + "  " + best["label"].get<std::string>() + "  " + percent(best["probability"]));
  }
  CHECK(text.peek() == EOF);
  CHECK(objects.peek() == EOF);
  const auto both = run_program("espalier run " + quoted);
  CHECK_MESSAGE(contains(both.output, "3 of 7 files are no pictures"), both.output);
  CHECK_MESSAGE(contains(both.output, "a-note.txt: is no PNG"), both.output);

  for (const auto& name : names) fs::remove(pictures / name);
  const auto none = run_program("espalier run " + quoted);
  CHECK(none.exit_code == 3);
  CHECK_MESSAGE(contains(none.output, "none of the 3 files in it can be read"), none.output);
  fs::create_directories(folder.path / "empty");
  const auto empty = run_program("espalier run " + model + " " + (folder.path / "empty").string());
  CHECK(empty.exit_code == 2);
  CHECK_MESSAGE(contains(empty.output, "holds no file"), empty.output);
}

TEST_CASE("prepare_image: a digit whose pixels were repeated is taken as it was") {
  const tests::Folder folder("repeated_test");
  const auto digit = datasets::synthetic_digits({.train = 1, .test = 8}).test->get(7).image;
  const std::string small = (folder.path / "small.png").string(),
                    large = (folder.path / "large.png").string();
  save(small, digit);
  Tensor repeated = Tensor::uninitialized({84, 84, 1});
  for (std::int64_t i = 0; i < 84 * 84; ++i)
    repeated.mutable_data()[i] = digit.data()[i / 84 / 3 * 28 + i % 84 / 3];
  save(large, repeated);
  format::PackedModel model;
  model.input_shape = {28, 28, 1};
  const auto wanted = apps::prepare_image(small, model, false),
             got = apps::prepare_image(large, model, false);
  CHECK(std::ranges::equal(got.image.values(), wanted.image.values()));
  CHECK(contains(got.changes, "84 x 84, light on dark, taken as it is"));
  repeated.mutable_data()[84 * 40 + 41] = 0.5f;  // one pixel of another value: a picture like any
  save(large, repeated);
  CHECK(!contains(apps::prepare_image(large, model, false).changes, "taken as it is"));
}

TEST_CASE("prepare_image: models of other shapes get the whole picture, in their colours") {
  const tests::Folder folder("prepare_test");
  const auto file = folder.path / "color.png";
  datasets::write_png(file,
                      Tensor::from<std::uint8_t>({1, 2, 3}, Bytes{255, 0, 0, 255, 0, 0}));  // red
  format::PackedModel model;
  model.input_shape = {4, 5, 3};
  const auto red = apps::prepare_image(file, model, false);
  CHECK(red.image.shape() == Shape{4, 5, 3});
  CHECK(red.image.values()[0] == doctest::Approx(1));
  CHECK(red.image.values()[1] == 0);
  const auto inverted = apps::prepare_image(file, model, true);
  CHECK(inverted.image.values()[1] == 1);
  model.input_shape = {4, 5, 1};
  CHECK(apps::prepare_image(file, model, false).image.values()[0] == doctest::Approx(76 / 255.0));
  model.input_shape = {4, 5, 2};
  CHECK_THROWS_AS(apps::prepare_image(file, model, false), Error);
}

TEST_CASE("prepare_image: a large picture becomes what training on its folder made of it") {
  const tests::Folder folder("prepare_test");
  Tensor large(Shape{61, 47, 1}, DType::kUint8);
  for (std::int64_t i = 0; i < large.elements(); ++i)
    large.mutable_data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * i % 251);
  for (const char* kind : {"bag", "shoe"}) {
    fs::create_directories(folder.path / "data" / kind);
    for (const char* file : {"1.png", "2.png"})
      datasets::write_png(folder.path / "data" / kind / file, large);
  }
  const auto data = datasets::load_data(folder.path / "data", {.size = {{28, 28}}, .grey = true});
  format::PackedModel model;
  model.input_shape = {28, 28, 1};
  model.labels = data.labels;  // no digits: nothing is centred
  const auto got = apps::prepare_image(folder.path / "data/bag/1.png", model, false);
  CHECK(std::ranges::equal(got.image.values(), data.data.test->get(0).image.values()));
  CHECK(got.changes == "47 x 61, resized to 28 x 28");
}

TEST_CASE("draw: two rows a line, in half blocks or in ASCII") {
  const Tensor image = Tensor::from({3, 3, 1}, {1, 0, 0, /**/ 1, 1, 0, /**/ 0, 0, 1});
  CHECK(apps::draw(image, true, "") == "\u2588\u2584\n  \u2580\n");
  CHECK(apps::draw(image, false, "|") == "|@=\n|  =\n");
}
