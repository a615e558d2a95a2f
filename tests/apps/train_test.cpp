// espalier train on a few synthetic digits: the file, the table, what it refuses, Ctrl-C.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compress/format/reader.hpp"
#include "compress/prune/pruner.hpp"
#include "core/archive/archive.hpp"
#include "core/base/file.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/network_file.hpp"
#include "optim/training/evaluate.hpp"
#include "tests/apps/program.hpp"

namespace fs = std::filesystem;
using namespace espalier;
using tests::contains;
using tests::run_program;
namespace {

constexpr const char* kRecipe =
    R"([{"prune": {"sparsity": 0.8, "frequency_steps": 3}, "epochs": 2}, {"quantize": {}, "epochs": 1}])";

// A folder with a recipe, and the command that trains by it.
struct Place {
  tests::Folder folder{"train_test"};
  std::string out = (folder.path / "model.esp").string();
  std::string recipe = (folder.path / "recipe.json").string();
  explicit Place(const std::string& text = kRecipe) { write_file(recipe, text); }
  std::string command(const std::string& more = "") const {
    std::string all = "espalier train --synthetic " + more;
    if (!contains(more, "--images")) all += " --images 400";
    if (!contains(more, "--recipe")) all += " --recipe " + recipe;
    if (!contains(more, "--out")) all += " --out " + out;
    return all;
  }
};

}  // namespace

TEST_CASE("train: a table on standard output, messages on standard error, a file that runs") {
  const Place place;
  const auto messages = run_program(place.command("--epochs 2") + " 2>&1 >/dev/null | cat");
  for (const char* part : {"20,410 parameters", "93,288 multiply-adds", "bytes in float", "in int8",
                           "training takes a few seconds and about ", " MB of memory\n",
                           "train (2 epochs) prune (2 epochs) quantize (1 epoch)", "epoch 2/2"})
    CHECK_MESSAGE(contains(messages.output, part), messages.output);
  const Bytes file = read_file(place.out);

  const auto result = run_program(place.command("--epochs 2 --quiet") + " 2>/dev/null");
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  for (const char* part : {"stage", "train", "prune", "quantize", "DEFLATE bytes", "bytes written",
                           "Next: ", "/espalier inspect "})
    CHECK_MESSAGE(contains(result.output, part), result.output);
  CHECK(read_file(place.out) == file);  // same seed, same bits

  const auto json = nlohmann::json::parse(run_program(place.command("--epochs 2 --json")).output);
  REQUIRE(json.at("stages").size() == 3);
  CHECK(json.at("file_bytes") == file.size());
  CHECK(json.at("stages")[2].at("file_bytes") == file.size());
  CHECK(json.at("stages")[0].at("file_bytes") > 4 * file.size());
  const auto eval =
      nlohmann::json::parse(run_program("espalier eval --json --synthetic " + place.out).output);
  CHECK(eval.at("accuracy") == json.at("stages")[2].at("accuracy"));
  CHECK(eval.at("differing_logits") == 0);
  CHECK(eval.at("accuracy") > 0.5);
}

TEST_CASE("train takes a network of the user's own, with its labels") {
  const Place place(R"([{"units": {}, "augment": {"shift": 1, "noise": 0.05}, "epochs": 1},
                        {"quantize": {}, "epochs": 0}])");
  const std::string model = (place.folder.path / "mine.json").string();
  write_file(model, R"({"input": [28, 28, 1],
    "labels": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "nine"],
    "layers": [{"type": "Conv2d", "filters": 4, "kernel_size": 5, "strides": 2, "activation": "relu"},
               {"type": "Flatten"}, {"type": "Dense", "units": 10}]})");
  const auto result = run_program(place.command("--epochs 1 --model " + model));
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  const auto packed = format::read(read_file(place.out), "model.esp");
  CHECK(packed.labels.back() == "nine");
  CHECK(packed.layers[0].weight.shape[0] == 2);

  write_file(model, R"({"input": [9, 9, 1], "layers": [{"type": "Flatten"},
    {"type": "Dense", "units": 10}]})");
  const auto small = run_program(place.command("--model " + model));
  CHECK(small.exit_code == 2);
  CHECK(contains(small.output, "/input: the data's images are"));
}

TEST_CASE("train --weights keeps the network of the last stage in float, whole") {
  const Place place;
  const std::string weights = (place.folder.path / "float.safetensors").string();
  const auto json = nlohmann::json::parse(
      run_program(place.command("--epochs 1 --json --weights " + weights)).output);
  CHECK(json.at("weights") == weights);
  CHECK(json.at("weights_bytes") == fs::file_size(weights));
  const auto test = datasets::synthetic_digits().test;
  ModelJson network = load_network(weights);
  CHECK(training::accuracy(network.model, *test) ==
        json.at("stages")[1].at("accuracy").get<double>());
  CHECK(prune::model_sparsity(network.model) == doctest::Approx(0.8).epsilon(0.001));

  const auto text = run_program(place.command("--quiet --epochs 1 --weights " + weights));
  CHECK_MESSAGE(contains(text.output, "float.safetensors: "), text.output);
  CHECK(contains(text.output, "/espalier verify " + place.out + " --against " + weights));
}

TEST_CASE("train distils: of a teacher that train made, kept apart by its checkpoint's note") {
  const Place teacher(R"([{"epochs": 3, "learning_rate": 0.005}])");
  const std::string weights = (teacher.folder.path / "teacher.safetensors").string();
  REQUIRE(run_program(teacher.command("--quiet --weights " + weights)).exit_code == 0);
  const std::string recipe = (teacher.folder.path / "distill.json").string();
  write_file(recipe, R"([{"epochs": 2, "distill": {"teacher": ")" + weights + R"("}}])");
  const auto result = run_program(teacher.command("--quiet --model lenet300 --recipe " + recipe));
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  const Bytes distilled = read_file(teacher.out);
  write_file(recipe, R"([{"epochs": 2}])");
  REQUIRE(run_program(teacher.command("--quiet --model lenet300 --recipe " + recipe)).exit_code ==
          0);
  CHECK(read_file(teacher.out) != distilled);
  fs::remove(teacher.out);
  const auto refuses = [&](const std::string& file, int code, const std::string& more,
                           const std::string& part) {
    write_file(recipe, R"([{"epochs": 9, "distill": {"teacher": ")" + file + R"("}}])");
    const auto bad = run_program(teacher.command("--quiet --recipe " + recipe + more));
    CHECK_MESSAGE(bad.exit_code == code, bad.output);
    CHECK_MESSAGE(contains(bad.output, part), bad.output);
    CHECK_FALSE(fs::exists(teacher.out));
  };
  refuses("none.safetensors", 4, "", "none.safetensors");
  refuses("model.esp", 3, "", "is a packed model, and a teacher is a network in float");
  refuses(weights, 2, " --weights " + weights, "would be overwritten");

  // Checkpoints belong to the teacher's weights, not to its name.
  write_file(recipe, R"([{"epochs": 4000, "distill": {"teacher": ")" + weights + R"("}}])");
  const std::string command = teacher.command("--quiet --checkpoint --recipe " + recipe);
  for (int seconds = 1; seconds < 60 && !fs::exists(teacher.out + ".checkpoint/run.txt");
       seconds *= 2)
    tests::run_shell("timeout --preserve-status -s INT " + std::to_string(seconds) + " " +
                     ESPALIER_BIN_DIR + "/" + command);
  REQUIRE(fs::exists(teacher.out + ".checkpoint/run.txt"));
  const std::string other = (teacher.folder.path / "other.esp").string();
  REQUIRE(run_program(teacher.command("--quiet --seed 2 --weights " + weights + " --out " + other))
              .exit_code == 0);
  const auto another = run_program(command);
  CHECK_MESSAGE(another.exit_code == 2, another.output);
  CHECK_MESSAGE(contains(another.output, "belongs to another run"), another.output);
}

TEST_CASE("train: weight types behind the rate pass find nothing to do, and do no harm") {
  const Place place(R"([{"rate": {}, "epochs": 1}, {"float16": {}}])");
  const auto result = run_program(place.command("--images 200"));
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  for (const auto& layer : format::read(read_file(place.out), "model.esp").layers)
    CHECK_FALSE((layer.weight.is_float() && !layer.weight.values.empty()));
}

TEST_CASE("train prints the recipe in full, and the schema") {
  const Place place;
  const auto full = run_program(place.command("--print-recipe"));
  CHECK(full.exit_code == 0);
  const auto json = nlohmann::json::parse(full.output);
  CHECK(json[0].at("prune").at("power") == 3);
  CHECK(json[1].at("learning_rate") == 5e-4);
  CHECK_FALSE(fs::exists(place.out));
  const auto schema = nlohmann::json::parse(run_program("espalier train --print-schema").output);
  CHECK(schema.at("type") == "array");
  const auto model =
      nlohmann::json::parse(run_program("espalier train --print-model-schema").output);
  CHECK(model.at("title") == "Espalier model");
}

TEST_CASE(
    "train --epochs without a recipe: all stages are as short; the recipe is shown without MNIST") {
  const tests::Folder folder("train_epochs");
  const std::string out = (folder.path / "m.esp").string(),
                    command = "espalier train --synthetic --images 400 --epochs ";
  const auto one = run_program(command + "1 --out " + out);
  REQUIRE_MESSAGE(one.exit_code == 0, one.output);
  CHECK_MESSAGE(
      contains(one.output, "stages: train (1 epoch) prune (1 epoch) quantize (1 epoch)\n"),
      one.output);
  CHECK_FALSE(contains(one.output, "warning: prune"));  // its masks fit the few steps
  const auto none = run_program(command + "0 --out " + out);
  CHECK_MESSAGE(contains(none.output, "stages: prune (0 epochs) quantize (0 epochs)\n"),
                none.output);
  CHECK_MESSAGE(contains(none.output, "m.esp has learned nothing"), none.output);
  const auto deep = run_program(command + "0 --model resnet8 --out " + out);  // whose pictures move
  CHECK_MESSAGE(deep.exit_code == 0, deep.output);
  const auto shown = nlohmann::json::parse(
      run_program("espalier train -q --print-recipe --epochs 20", "MNIST_DIR=/nonexistent_folder")
          .output);
  REQUIRE(shown.size() == 3);
  CHECK(shown[0].at("epochs") == 20);
  CHECK(shown[1].at("epochs") == 20);
  CHECK(shown[2].at("epochs") == 10);
  const auto told = run_program("espalier train --print-recipe", "MNIST_DIR=/nonexistent_folder");
  CHECK(told.exit_code == 0);
  CHECK_MESSAGE(contains(told.output, "no --data: the recipe for 60,000 images"), told.output);
}

TEST_CASE("train: a damaged checkpoint is named, and what it held is trained again") {
  const Place place(R"([{"epochs": 2}, {"prune": {"sparsity": 0.5}, "epochs": 3000}])");
  const std::string command = place.command("--quiet --checkpoint"),
                    kept = place.out + ".checkpoint/stage-1.checkpoint";
  for (int seconds = 1; seconds < 60 && !fs::exists(kept); seconds *= 2)
    tests::run_shell("timeout -s KILL " + std::to_string(seconds) + " " + ESPALIER_BIN_DIR + "/" +
                     command);
  REQUIRE(fs::exists(kept));
  Bytes bytes = read_file(kept);
  bytes[bytes.size() / 2] ^= 1;
  write_file(kept, bytes);
  const auto damaged = run_program(command);
  CHECK_MESSAGE(damaged.exit_code == 3, damaged.output);
  CHECK_MESSAGE(contains(damaged.output, kept + ": its CRC-32 is "), damaged.output);
  CHECK_MESSAGE(contains(damaged.output, "remove it, and the same command"), damaged.output);
  fs::remove(kept);
  const auto again =
      tests::run_shell("timeout --preserve-status -s INT 2 " ESPALIER_BIN_DIR "/" + command);
  CHECK_MESSAGE((again.exit_code == 130 || again.exit_code == 0), again.output);
}

TEST_CASE("train refuses what cannot be, before anything is trained") {
  const Place place;
  const auto refuses = [&](const std::string& more, int code, const std::string& part) {
    const auto result = run_program(place.command(more));
    CHECK_MESSAGE(result.exit_code == code, result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
    CHECK_MESSAGE(std::ranges::count(result.output, '\n') == 1, result.output);
    CHECK_FALSE(fs::exists(place.out));
  };
  refuses("--model lenet55", 2, "there is no network lenet55; did you mean 'lenet5'?");
  refuses("--model none.json", 4, "none.json");
  refuses("--out /nonexistent_folder/model.esp", 4, "/nonexistent_folder");
  refuses("--out " + place.folder.path.string(), 4, "is a folder");
  refuses("--recipe /nonexistent_folder.json", 4, "/nonexistent_folder.json");
  refuses("--weights /nonexistent_folder/w.safetensors", 4, "--weights: /nonexistent_folder");
  refuses("--weights " + place.out, 2, "is the --out file, too");
  refuses("--epochs -1", 2, "--epochs");
  refuses("--seed -1", 2, "--seed");
  refuses("--out " + place.recipe, 2, "would be overwritten");
  const std::string rows = place.folder.path.string() + "/rows.csv";
  write_file(rows, "a,b,class\n1,2,x\n2,1,y\n1,3,x\n3,1,y\n1,4,x\n4,1,y\n");
  const auto over = run_program("espalier train --model tabular --recipe " + place.recipe +
                                " --data " + rows + " --out " + rows);
  CHECK(over.exit_code == 2);
  CHECK(contains(over.output, "would be overwritten"));
  refuses("--weights " + (place.folder.path / "." / "model.esp").string(), 2, "is the --out file");
  refuses("--epoch 1", 2, "did you mean '--epochs'?");
  refuses("--images 1000000", 2, "the data has 12000 training images");
  write_file(place.recipe, R"([{"prnue": {}}])");
  refuses("", 3, "/0: unknown key \"prnue\"; did you mean \"prune\"?");
  write_file(place.recipe, R"([{"quantize": {}}, {"prune": {}}])");
  refuses("", 3, "/1: prune comes after quantize in /0");
  write_file(place.recipe, R"([{"epochs": 9}, {"quantize": {"layer_bits": {"conv9": 4}}}])");
  refuses("", 3,
          place.recipe +
              ": /1/quantize/layer_bits: the model has no conv9; did you mean "
              "\"conv1\"? Its convolutions and dense layers are conv1, dense");
  write_file(place.recipe, R"([{"quantize": {"layer_bits": {"relu1": 4}}}])");
  refuses("", 3, "/0/quantize/layer_bits: relu1 is none of the model's convolutions and dense");
  write_file(place.recipe, R"([{"quantize": {"layer_activation_bits": {"relu9": 4}}}])");
  refuses("", 3, "/0/quantize/layer_activation_bits: the model has no relu9; did you mean");
  write_file(place.recipe, R"([{"epochs": 9}, {"quantize": {"float_layers": ["densee"]}}])");
  refuses("", 3, "/1/quantize/float_layers: the model has no densee; did you mean \"dense\"?");
  write_file(place.recipe, R"([{"dynamic_range": {"keep": ["conv2"]}}])");
  refuses("", 3, "/0/dynamic_range/keep: the model has no conv2; did you mean \"conv1\"?");
  write_file(place.recipe,
             R"([{"prune": {"allocation": "per_layer", "sparsities": {"conv1.wieght": 0.5}}}])");
  refuses("", 3,
          "/0/prune/sparsities: the model has no conv1.wieght; did you mean \"conv1.weight\"?");
  write_file(place.recipe, R"([{"epochs": 9}, {"prune": {"layers": ["conv9"]}}])");
  refuses("", 3,
          place.recipe +
              ": /1/prune/layers: the model has no conv9; did you mean \"conv1\"? Its "
              "layers with parameters are conv1");
  refuses("--epochs 5", 3,
          place.recipe + ": /1/prune/layers: ");  // a stage before it moves nothing
  write_file(place.recipe, R"([{"epochs": 9}, {"prune": {"layers": ["conv1", "conv9"]}}])");
  refuses("", 3, "/1/prune/layers: the model has no conv9");
  write_file(place.recipe, R"([{"units": {"layers": ["conv1.wieght", "zzzzzz"]}}])");
  refuses("", 3, "/0/units/layers: the model has no conv1.wieght; did you mean \"conv1.weight\"?");
  write_file(place.recipe, R"([{"prune": {"select": "dense_weights", "layers": ["conv1"]}}])");
  refuses("", 2, "no parameter of the model was selected");
  write_file(place.recipe, R"([{"epochs": 9}, {"float16": {"keep": ["conv9"]}}])");
  refuses("", 3, "/1/float16/keep: the model has no conv9");
  write_file(place.recipe, R"([{"float16": {}}, {"epochs": 9}])");
  refuses("", 3, "/1: train comes after float16 in /0");
  write_file(place.recipe, R"([{"float16": {}, "epochs": 2}])");
  refuses("", 3, "/0/epochs: nothing is trained in a stage with float16");
  write_file(place.recipe, R"([{"quantize": {}, "augment": {"shift": 1}, "epochs": 0}])");
  refuses("", 3, "/0/augment");
  write_file(place.recipe, R"([{"epochs": 9}, {"cluster": {"layers": ["conv9"]}}])");
  refuses("", 3, "/1/cluster/layers: the model has no conv9");
  write_file(place.recipe,
             R"([{"epochs": 9}, {"cluster": {"select": "dense_weights", "layers": ["conv1"]}}])");
  refuses("", 2, "cluster: no parameter of the model was selected");
  write_file(place.recipe, R"([{"rate": {}}])");
  refuses("--weights " + place.out + ".safetensors", 2, "has no stage in float");
}

TEST_CASE("training that diverges ends with exit code 6 and writes nothing") {
  const Place place(R"([{"epochs": 3, "learning_rate": 1000000, "learning_schedule": "constant"},
                        {"epochs": 3, "learning_rate": 1000000}])");
  const std::string model = (place.folder.path / "deep.json").string();
  std::string layers = R"({"type": "Flatten"})";
  for (int i = 0; i < 7; ++i) layers += R"(, {"type": "Dense", "units": 16, "activation": "relu"})";
  write_file(model, R"({"input": [28, 28, 1], "layers": [)" + layers +
                        R"(, {"type": "Dense", "units": 10}]})");
  const auto result = run_program(place.command("--model " + model));
  CHECK_MESSAGE(result.exit_code == 6, result.output);
  CHECK(contains(result.output, "is not finite"));
  CHECK_FALSE(fs::exists(place.out));
}

TEST_CASE("Ctrl-C ends with 130; with --checkpoint the same command goes on to the same bytes") {
  const Place place(R"([{"epochs": 20000}])");
  // coreutils' timeout sends SIGINT as a terminal would.
  const auto stopped = [](int seconds) {
    return "timeout --preserve-status -s INT " + std::to_string(seconds) + " " +
           std::string(ESPALIER_BIN_DIR) + "/";
  };
  const auto lost = tests::run_shell(stopped(3) + place.command("--quiet"));
  CHECK_MESSAGE(lost.exit_code == 130, lost.output);
  CHECK_MESSAGE(contains(lost.output, "stopped by Ctrl-C; "), lost.output);

  write_file(place.recipe, R"([{"epochs": 400}])");
  REQUIRE(run_program(place.command("--quiet")).exit_code == 0);
  const Bytes whole = read_file(place.out);
  fs::remove(place.out);
  const std::string checkpoint = place.out + ".checkpoint/stage-0.checkpoint";
  tests::Result kept{};
  for (int seconds = 1; seconds < 60 && !fs::exists(checkpoint) && !fs::exists(place.out);
       seconds *= 2)  // a busy machine takes its time
    kept = tests::run_shell(stopped(seconds) + place.command("--quiet --checkpoint"));
  if (!fs::exists(place.out)) {  // a fast machine may have finished
    CHECK_MESSAGE(contains(kept.output, "the same command goes on from this step"), kept.output);
    const int step = std::stoi(load_archive(checkpoint).metadata.at("step"));
    write_file(place.folder.path / "other.json", R"([{"epochs": 401}])");
    for (const std::string& another :
         {"--recipe " + (place.folder.path / "other.json").string(), std::string("--images 300"),
          std::string("--split-seed 2"), std::string("--seed 2")}) {
      const auto other = run_program(place.command("--checkpoint " + another));
      CHECK_MESSAGE(other.exit_code == 2, another);
      CHECK_MESSAGE(contains(other.output, "belongs to another run"), other.output);
    }
    const auto rest = run_program(place.command("--checkpoint"));
    CHECK_MESSAGE(rest.exit_code == 0, rest.output);
    CHECK(contains(rest.output, "goes on from"));
    CHECK(contains(rest.output, "epoch 400/400"));
    CHECK(contains(rest.output, "what is left of training takes"));
    if (step >= 13) CHECK_FALSE(contains(rest.output, "epoch 1/400 "));  // it began not anew
  }
  CHECK(read_file(place.out) == whole);
  CHECK_FALSE(fs::exists(place.out + ".checkpoint"));
}

TEST_CASE("Ctrl-C keeps the state without --checkpoint, too; --resume goes on to the same bytes") {
  const Place place(R"([{"epochs": 1}, {"prune": {"sparsity": 0.5}, "epochs": 400}])");
  const std::string stopped = place.out + ".stopped";
  const auto none = run_program(place.command("--resume " + stopped));
  CHECK_MESSAGE(none.exit_code == 4, none.output);
  CHECK_MESSAGE(contains(none.output, "nothing to go on with"), none.output);
  REQUIRE(run_program(place.command("--quiet")).exit_code == 0);
  const Bytes whole = read_file(place.out);
  fs::remove(place.out);
  tests::Result kept{};
  for (int seconds = 1; seconds < 60 && !fs::exists(stopped) && !fs::exists(place.out);
       seconds *= 2) {
    kept = tests::run_shell("timeout --preserve-status -s INT " + std::to_string(seconds) + " " +
                            ESPALIER_BIN_DIR + "/" + place.command("--quiet"));
    if (fs::exists(stopped)) continue;
    // On a busy machine the signal may come before anybody listens.
    const bool silent = kept.exit_code == 130 && kept.output.empty();
    CHECK_MESSAGE(
        (kept.exit_code == 0 || silent || contains(kept.output, "nothing was trained yet")),
        kept.output);
  }
  if (fs::exists(place.out)) return;  // a fast machine may have finished
  CHECK_MESSAGE(kept.exit_code == 130, kept.output);
  const std::string says = "the state is kept in " + stopped + "; the same command with --resume " +
                           stopped + " goes on from this step";
  CHECK_MESSAGE(contains(kept.output, says), kept.output);
  CHECK_FALSE(fs::exists(place.out + ".checkpoint"));
  const auto other = run_program(place.command("--seed 2 --resume " + stopped));
  CHECK_MESSAGE(other.exit_code == 2, other.output);
  CHECK_MESSAGE(contains(other.output, "belongs to another run"), other.output);
  write_file(fs::path(stopped) / "mine.txt", "not of the run");
  const auto rest = run_program(place.command("--resume " + stopped));
  CHECK_MESSAGE(rest.exit_code == 0, rest.output);
  CHECK_MESSAGE(contains(rest.output, "goes on from " + stopped), rest.output);
  CHECK(contains(rest.output, "what is left of training takes"));
  CHECK(read_file(place.out) == whole);
  CHECK(std::distance(fs::directory_iterator(stopped), {}) == 1);  // what is not the run's stays
}
