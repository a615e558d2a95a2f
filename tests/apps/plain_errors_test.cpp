// What a user gets wrong, or a training does, is one clear line and a code that is not 0.
#include <doctest/doctest.h>

#include "core/base/file.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;
namespace {

struct Place : tests::Folder {
  Place() : Folder("plain_errors_test") {
    std::string text = "a,b,kind,price\n";
    for (int i = 0; i < 90; ++i)
      text += std::to_string(i % 10) + ',' + std::to_string(i % 7) + ',' +
              std::to_string(i % 10 > i % 7) + ',' + std::to_string(3 * (i % 10) - i % 7) + '\n';
    write_file(path / "t.csv", text);
  }
  std::string at(const char* name) const { return (path / name).string(); }
  void recipe(const char* name, std::string_view text) const { write_file(path / name, text); }
  std::string train(const char* recipe) const {
    return "espalier train -q --model tabular --data " + at("t.csv") + " --out " + at("t.esp") +
           " --recipe " + at(recipe);
  }
};

void refuses(const std::string& command, int code, const std::string& part) {
  const auto result = run_program(command);
  CHECK_MESSAGE(result.exit_code == code, result.output);
  CHECK_MESSAGE(contains(result.output, part), result.output);
}

}  // namespace

TEST_CASE("a training that diverges without a NaN ends with 6, and says what to do") {
  const Place place;
  place.recipe("wild.json", R"([{"epochs": 30, "learning_rate": 100, "batch_size": 8}])");
  refuses(place.train("wild.json") + " --label kind", 6, "train: nothing was learned: after 30");
  CHECK(!std::filesystem::exists(place.at("t.esp")));
  refuses(place.train("wild.json") + " --regression", 6,
          "lower the learning rate (it is 100; a tenth of it is worth a try)");
  // Too few steps are no error yet, but it is said what came of them.
  place.recipe("brief.json", R"([{"epochs": 1, "learning_rate": 1e-6, "batch_size": 8}])");
  refuses(place.train("brief.json") + " --label kind", 0,
          "warning: train: " + place.at("t.esp") + " has learned nothing: ");
  refuses(place.train("brief.json") + " --label kind", 0,
          " of the test rows, where the most frequent class alone is right on ");
  refuses(place.train("brief.json") + " --regression", 0, "always saying the mean has an R2 of 0");
  place.recipe("blunt.json", R"([{"epochs": 30, "learning_rate": 0.01, "batch_size": 8},
                                 {"prune": {"sparsity": 0.99}, "epochs": 0}])");
  refuses(place.train("blunt.json") + " --label kind", 0,
          "ask less of 'prune', or give it more epochs");
  place.recipe("good.json", R"([{"epochs": 30, "learning_rate": 0.01, "batch_size": 8}])");
  const auto good = run_program(place.train("good.json") + " --label kind");
  CHECK(good.exit_code == 0);
  CHECK_MESSAGE(!contains(good.output, "warning"), good.output);
  CHECK_MESSAGE(contains(good.output, " test rows of t.csv"), good.output);
}

TEST_CASE("warnings are heard in quiet runs, too") {
  const Place place;
  place.recipe("late.json", R"([{"epochs": 4, "batch_size": 8}, {"prune": {"sparsity": 0.9,
                               "frequency_steps": 100}, "epochs": 2, "batch_size": 8}])");
  refuses(place.train("late.json") + " --label kind", 0, "warning: prune: the run has 18 steps");
}

TEST_CASE("what is no table, and a table without rows, is said so") {
  const Place place;
  place.recipe("good.json", R"([{"epochs": 5, "learning_rate": 0.01, "batch_size": 8}])");
  refuses(place.train("good.json") + " --label kind", 0, "t.esp");
  const std::string run = "espalier run " + place.at("t.esp") + ' ';
  refuses(run + place.at("good.json"), 3, "is a JSON file; wanted is a CSV file");
  refuses(run + place.at("t.esp"), 3, "wanted is a CSV file");
  refuses(run + place.path.string(), 4, "is a folder; the model takes rows of a table");
  refuses("espalier eval " + place.at("t.esp") + " --data " + place.path.string(), 2,
          "is a folder: give --data FILE.csv");
  write_file(place.path / "head.csv", std::string_view("a,b,kind,price\n"));
  refuses(run + place.at("head.csv"), 3, "holds a header, and no rows");
  refuses("espalier train --data " + place.at("head.csv"), 3, "holds a header, and no rows");
}

TEST_CASE("a model that takes no digits wants data, before MNIST is looked for") {
  const Place place;
  place.recipe("good.json", R"([{"epochs": 5, "learning_rate": 0.01, "batch_size": 8}])");
  refuses(place.train("good.json") + " --label kind", 0, "t.esp");
  place.recipe("brief.json", R"([{"epochs": 1, "batch_size": 16}])");
  refuses("espalier train -q --data shapes --images 64 --recipe " + place.at("brief.json") +
              " --model tutorial-small --out " + place.at("shapes.esp"),
          0, "shapes.esp");
  for (const auto& [file, part] :
       {std::pair("t.esp", "t.esp: takes rows of a table, and no data is named: give --data FILE"),
        std::pair("shapes.esp", "shapes.esp: takes images of [32x32x3], and no data is named")})
    for (const std::string command : {"eval", "compare"}) {
      const auto result = run_program("espalier " + command + " " + place.at(file) +
                                          (command == "eval" ? "" : " " + place.at(file)),
                                      "MNIST_DIR=" + place.at("nowhere"));
      CHECK_MESSAGE(result.exit_code == 2, result.output);
      CHECK_MESSAGE(contains(result.output, part), result.output);
      CHECK_MESSAGE(!contains(result.output, "nowhere"), result.output);
    }
  refuses("espalier eval " + place.at("shapes.esp") + " --synthetic", 2, "give --data FOLDER");
}

TEST_CASE("units that a residual adds cannot go: the reason is given") {
  const Place place;
  place.recipe("net.json",
               R"({"name": "net", "input": [28, 28, 1], "layers": [
  {"type": "Conv2d", "name": "c1", "filters": 2, "kernel_size": 3, "padding": "same"},
  {"type": "Conv2d", "name": "c2", "filters": 2, "kernel_size": 3, "padding": "same"},
  {"type": "Residual", "name": "sum", "with": "c1"},
  {"type": "Flatten", "name": "flat"}, {"type": "Dense", "name": "d", "units": 10}]})");
  place.recipe("units.json", R"([{"units": {"sparsity": 0.5}}])");
  refuses("espalier train --synthetic --images 100 --model " + place.at("net.json") + " --recipe " +
              place.at("units.json") + " --out " + place.at("n.esp"),
          2, "are added in a residual");
}

TEST_CASE("what is out of range, missing or said twice is said once, by name") {
  const Place place;
  refuses("espalier train --seed 1e30", 2,
          "espalier train: --seed: wants a number from 0 to 1e+18, got 1e30 (");
  refuses("espalier train --epochs 1.5", 2,
          "--epochs: wants a whole number from 0 to 1000000, got 1.5 (");
  refuses("espalier train --seed " + std::string(100'000, '9'), 2, "--seed: wants a number from");
  refuses("espalier train --test-share 7", 2, "--test-share: wants a number from 0.001 to 0.999");
  refuses("espalier compress --synthetic", 2, "espalier compress: wants one of --target-bytes");
  refuses("espalier compare a.esp", 2,
          "compare: wants two .esp files, and the second is not named; the first is a.esp");
  refuses("espalier compare", 2, "compare: wants two .esp files, and none is named");
}

TEST_CASE("rows are called rows, and a network of pictures on them says what to take") {
  const Place place;
  const std::string data = " --data " + place.at("t.csv") + " --label kind";
  for (const std::string command : {"train", "compress --target-bytes 900"})
    refuses("espalier " + command + data + " --model lenet5 --out " + place.at("x"), 2,
            "--model: lenet5 is for pictures, and these are rows of 3 numbers");
  refuses("espalier train" + data + " --model lenet5", 2, "; --model tabular and mlp take rows");
  place.recipe("good.json", R"([{"epochs": 30, "learning_rate": 0.01, "batch_size": 8}])");
  const std::string esp = place.at("t.esp");
  refuses(place.train("good.json") + " --label kind", 0, "Accuracy on the 18 test rows of t.csv");
  refuses("espalier eval --confusion " + esp + data, 0, " of 18 test rows right (t.csv)");
  refuses("espalier compare " + esp + " " + esp + data, 0, "on 0 of 18 test rows (t.csv)");
  refuses("espalier compare " + esp + " " + esp + data, 0, "us a row");
  refuses("espalier verify " + esp + " --against " + esp + data, 0, "to 18 of 18 test rows, ");
  refuses("espalier inspect --plan --batch 0 " + esp, 2,
          "--batch: wants a whole number from 1 to 65536, got 0");
}
