// espalier compress on a few synthetic digits: trials, files, goal, and going on where it stopped.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compress/format/reader.hpp"
#include "core/base/file.hpp"
#include "tests/apps/program.hpp"

using namespace espalier;
using tests::contains;
using tests::run_program;
namespace {

const std::string kQuick =
    "espalier compress --synthetic --images 1200 --model tutorial-small --minutes 0.05 ";

nlohmann::json json_of(const std::string& text) {
  return nlohmann::json::parse(text.substr(text.find('{')));
}

}  // namespace

TEST_CASE("compress keeps trials, the best file and what it knows; then it goes on") {
  const tests::Folder folder("compress_test");
  const std::string out = "--out " + folder.path.string();
  const auto first = run_program(kQuick + "--target-bytes 20000 --json " + out);
  REQUIRE_MESSAGE(first.exit_code == 0, first.output);
  CHECK(std::ranges::count(first.output, '\n') == 1);  // the JSON, and nothing else
  const auto json = json_of(first.output);
  const auto trials = json.at("trials");
  REQUIRE(trials.size() >= 1);
  const Bytes best = read_file(folder.path / "best.esp");
  CHECK(json.at("best").at("bytes") == best.size());
  CHECK(json.at("best").at("test_error") < 0.5);
  CHECK(format::read(best, "best.esp").layers.size() == 4);
  for (const auto& trial : trials)
    CHECK(read_file(folder.path / std::string(trial.at("file"))).size() == trial.at("bytes"));

  // Again: what is there stays, and the goal may be another one.
  const auto second = run_program(kQuick + "--max-drop 90 " + out);
  CHECK_MESSAGE(second.exit_code == 0, second.output);
  CHECK(contains(second.output, std::to_string(trials.size()) + " trials are there already"));
  CHECK(contains(second.output, "validation error"));
  CHECK(contains(second.output, "of the test images"));

  const auto impossible = run_program(kQuick + "--target-bytes 9 " + out);
  CHECK(impossible.exit_code == 5);
  CHECK(contains(impossible.output, "no file of at most 9 bytes was found in the time"));

  const auto other = run_program(kQuick + "--seed 2 --target-bytes 900 " + out);
  CHECK(other.exit_code == 2);
  CHECK(contains(other.output, "belongs to another search"));

  write_file(folder.path / "trials.json", "{\"settings\"");
  const auto broken = run_program(kQuick + "--target-bytes 900 " + out);
  CHECK(broken.exit_code == 3);
  CHECK(contains(broken.output, "trials.json"));
}

TEST_CASE("Ctrl-C ends compress with its finished trials kept, and the same command goes on") {
  const tests::Folder folder("compress_interrupted");
  const std::string out = folder.path.string();
  // A child of a shell ignores SIGINT until it installs a handler: the trial's file comes later.
  const auto stopped = tests::run_shell(
      "sh -c '" + std::string(ESPALIER_BIN_DIR) +
      "/espalier compress --synthetic --images 1200 --model tutorial-small --minutes 3 "
      "--target-bytes 2000 --out " +
      out + " & while [ ! -f " + out + "/best.esp ] && kill -0 $! ; do sleep 0.05; done; " +
      "kill -INT $!; wait $!'");
  CHECK_MESSAGE(stopped.exit_code == 130, stopped.output);
  CHECK_MESSAGE(contains(stopped.output, "what was found is kept"), stopped.output);
  CHECK(contains(stopped.output, "of the test images"));
  CHECK(!format::read(read_file(folder.path / "best.esp"), "best.esp").layers.empty());
  const auto trials = json_of([&] {
                        const Bytes text = read_file(folder.path / "trials.json");
                        return std::string(text.begin(), text.end());
                      }())
                          .at("trials");
  REQUIRE(!trials.empty());
  const auto again = run_program(kQuick + "--target-bytes 20000 --out " + out);
  CHECK_MESSAGE(contains(again.output, std::to_string(trials.size()) + " trials are there already"),
                again.output);
}

TEST_CASE("compress refuses what it cannot do, by name") {
  const auto refuses = [](const std::string& arguments, const std::string& part) {
    const auto result = run_program("espalier compress --synthetic " + arguments);
    CHECK_MESSAGE(result.exit_code == 2, result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
  };
  refuses("", "wants one of --target-bytes and --max-drop");
  refuses("--target-bytes 100 --max-drop 1", "--max-drop");
  refuses("--model lenet55 --target-bytes 100", "did you mean 'lenet5'?");
  refuses("--target-bytes 0", "--target-bytes");
  refuses("--target-bytes 100 --widths 3", "lenet5 has 3 hidden layers, got 1 widths");
  refuses("--target-bytes 100 --minutes -1", "--minutes");
  refuses("--target-bytes 100 --images 1000000", "the data has 12000 training images");
}

TEST_CASE(
    "compress --recipe gives back, layer by layer, until the promise holds, or says who costs") {
  const tests::Folder folder("compress_recipe");
  const std::string recipe = (folder.path / "recipe.json").string(),
                    out = (folder.path / "out").string();
  const std::string text =
      R"([{"epochs": 12}, {"prune": {"sparsity": 0.97, "frequency_steps": 5, "end": 0.7},)"
      R"( "epochs": 4}, {"quantize": {"weight_bits": 3}, "epochs": 1}])";
  write_file(folder.path / "recipe.json", text);
  const std::string command = "espalier compress --recipe " + recipe +
                              " --synthetic --images 1200 --model tutorial-small --out " + out;
  const auto kept = run_program(command + " --max-drop 3 --json");
  REQUIRE_MESSAGE(kept.exit_code == 0, kept.output);
  const auto json = json_of(kept.output);
  CHECK(json.at("kept") == true);
  REQUIRE(json.at("tries").size() >= 2);
  CHECK(json.at("tries")[0].at("change") == "the recipe as it is");
  const auto& drops = json.at("tries")[0].at("layer_drops");
  REQUIRE(drops.size() == 2);
  // The layer that costs most is the one that gets more.
  const std::string first = drops.begin().key(), second = std::next(drops.begin()).key();
  CHECK(drops.at(first) != drops.at(second));
  const std::string costly = drops.at(first) > drops.at(second) ? first : second;
  CHECK(drops.at(costly) > 0);
  CHECK_MESSAGE(
      json.at("tries")[1].at("change").get<std::string>().starts_with(costly + ": sparsity "),
      json.dump());
  CHECK(double{json.at("validation_accuracy")} >=
        double{json.at("float_validation_accuracy")} - 0.03);
  CHECK(read_file(folder.path / "out" / "best.esp").size() == json.at("file_bytes"));

  // The same again: its results, and nothing is trained.
  const auto messages = run_program(command + " --max-drop 3 --minutes 9");
  CHECK_MESSAGE(messages.exit_code == 0, messages.output);
  CHECK_MESSAGE(contains(messages.output, out + ": this run has ended already"), messages.output);
  CHECK_FALSE(contains(messages.output, "epoch"));
  CHECK(contains(messages.output, "the recipe as it is"));
  CHECK(json_of(run_program(command + " --max-drop 3 --json").output) == json);
  CHECK_FALSE(std::filesystem::exists(out + "/progress"));

  // What it wrote is a recipe, and the float network one to begin with: it holds at once.
  const auto again = run_program("espalier compress --recipe " + out + "/recipe.json --weights " +
                                 out + "/float.safetensors --synthetic --images 1200 --max-drop 3" +
                                 " --json --out " + out + "-2");
  REQUIRE_MESSAGE(again.exit_code == 0, again.output);
  CHECK(json_of(again.output).at("tries").size() == 1);

  // Nothing is trained after the cut, and no time is left to give anything back.
  write_file(folder.path / "recipe.json",
             R"([{"epochs": 2}, {"epochs": 10}, {"prune": {"sparsity": 0.99}, "epochs": 0},)"
             R"( {"quantize": {"weight_bits": 2}, "epochs": 0}])");
  const auto broken = run_program(command + " --max-drop 0 --minutes 0.05");
  CHECK(broken.exit_code == 5);
  CHECK_MESSAGE(
      contains(broken.output, out + " holds the files of another run, which this one "
                                    "replaces: '--max-drop 3' there, '--max-drop 0' here"),
      broken.output);
  CHECK(contains(broken.output, "points where 0.00 are allowed"));
  // The table says which layer costs most; the error, too, if one costs anything in the last try.
  const std::size_t row = broken.output.find("\nthe recipe as it is "),
                    alone = broken.output.find(", alone ", row);
  REQUIRE_MESSAGE((row != std::string::npos && alone != std::string::npos), broken.output);
  const std::size_t from = broken.output.rfind(' ', alone - 1) + 1;
  CHECK(drops.contains(broken.output.substr(from, alone - from)));
  CHECK(alone < broken.output.find('\n', row + 1));
  const std::string named = "; layer ";
  if (const std::size_t at = broken.output.find(named); at != std::string::npos) {
    const std::size_t begin = at + named.size();
    const std::string layer = broken.output.substr(begin, broken.output.find(' ', begin) - begin);
    CHECK(drops.contains(layer));
    CHECK(contains(broken.output, layer + ", alone "));
  } else {
    CHECK_MESSAGE(contains(broken.output, "no layer's weights cost anything alone"), broken.output);
  }
  write_file(folder.path / "recipe.json",
             R"([{"epochs": 900}, {"quantize": {"layer_bits": {"conv9": 2}}}])");
  const auto misnamed = run_program(command + " --max-drop 0");
  CHECK(misnamed.exit_code == 3);  // before anything is trained
  CHECK_MESSAGE(
      contains(misnamed.output, recipe + ": /1/quantize/layer_bits: the model has no conv9"),
      misnamed.output);
  CHECK(contains(broken.output, "train  epoch 10/10"));  // both plain stages come first
  CHECK_MESSAGE(
      contains(broken.output, "until the first file training takes a few seconds and about"),
      broken.output);
  CHECK(run_program(command).exit_code == 2);  // no promise
}
