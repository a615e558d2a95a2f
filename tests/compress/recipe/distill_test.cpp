// Recipes that distil: the same as in C++, and teachers that cannot be are refused before training.
#include <doctest/doctest.h>
#include <unistd.h>

#include "compress/format/writer.hpp"
#include "compress/pack/pack.hpp"
#include "compress/prune/pruner.hpp"
#include "compress/recipe/run_recipe.hpp"
#include "compress/recipe/teacher.hpp"
#include "core/base/file.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/network_file.hpp"
#include "optim/training/distillation.hpp"
#include "optim/training/fit.hpp"
#include "tests/compress/recipe/networks.hpp"

using namespace espalier;
using tests::fit_options;
using tests::small_network;
namespace {

struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("espalier-distill-" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

const datasets::Dataset& digits() {
  static const auto data = datasets::synthetic_digits({.train = 300, .test = 10});
  return *data.train;
}

Bytes file_of(Sequential& model) {
  return format::write(pack::pack(model, {28, 28, 1}));
}

Bytes by_recipe(const std::string& text) {
  Sequential student = small_network({.seed = 1, .filters = 4});
  run_recipe(student, digits(), recipe::parse_recipe(text, "recipe.json"), {.quiet = true});
  return file_of(student);
}

std::string recipe_with(const std::string& teacher, const std::string& more = "") {
  return R"([{"epochs": 2, "distill": {"teacher": ")" + teacher + "\"" + more + "}}]";
}

}  // namespace

TEST_CASE("distill, and prune with a teacher: recipe and C++ write the same bytes") {
  const Folder folder;
  const std::string file = (folder.path / "teacher.safetensors").string();
  Sequential teacher = small_network({.seed = 9, .filters = 8});
  training::fit(teacher, digits(), fit_options(4, 5e-3f, 1));
  write_file(file, encode_network(teacher, {28, 28, 1}));

  Sequential student = small_network({.seed = 1, .filters = 4});
  // One for each stage, as a recipe has: with some instruction sets a teacher's answers differ in their last
  // bits by the batch that an image is in, and they are remembered.
  const auto distillation = [&] {
    const auto made = std::make_shared<training::Distillation>(
        [&](const Tensor& x) { return teacher(Variable(x)).value(); },
        training::Distillation::Options{.temperature = 4, .weight = 0.75f});
    return [made](const Variable& logits, const datasets::Batch& batch) {
      return made->loss(logits, batch);
    };
  };
  training::FitOptions fit = fit_options(2, 1e-3f, 1);
  fit.loss = distillation();
  training::fit(student, digits(), fit);
  const Bytes distilled = file_of(student);
  prune::Pruner pruner({.schedule = prune::constant_sparsity(0.5f)});
  fit = fit_options(1, 5e-3f, 2);
  fit.loss = distillation();
  training::fit(student, digits(), fit, {&pruner});
  pruner.bake();
  const std::string how = R"(, "temperature": 4, "weight": 0.75)";
  CHECK(by_recipe(recipe_with(file, how)) == distilled);
  CHECK(by_recipe(R"([{"epochs": 2, "distill": {"teacher": ")" + file + "\"" + how + R"(}},
                      {"prune": {"sparsity": 0.5, "schedule": "constant",
                       "frequency_steps": 100}, "epochs": 1,
                       "distill": {"teacher": ")" +
                  file + "\"" + how + "}}]") == file_of(student));
  // Each of its values counts.
  CHECK(by_recipe(recipe_with(file, R"(, "temperature": 5, "weight": 0.75)")) != distilled);
  CHECK(by_recipe(recipe_with(file, R"(, "temperature": 4, "weight": 0.5)")) != distilled);
  CHECK(by_recipe(R"([{"epochs": 2}])") != distilled);
  CHECK(by_recipe(recipe_with(file)) ==
        by_recipe(recipe_with(file, R"(, "temperature": 3, "weight": 0.5)")));
  // A teacher without a say is none.
  CHECK(by_recipe(recipe_with(file, R"(, "weight": 0)")) == by_recipe(R"([{"epochs": 2}])"));
}

TEST_CASE("a teacher that cannot be is refused before anything is trained") {
  const Folder folder;
  const std::string place = folder.path.string() + "/";
  const auto refuses = [&](const std::string& file, ErrorKind kind, const std::string& part) {
    Sequential student = small_network({.seed = 1, .filters = 4});
    const Bytes before = file_of(student);
    // The stage with the teacher comes last.
    const auto recipe = recipe::parse_recipe(
        R"([{"epochs": 1}, {"epochs": 1, "distill": {"teacher": ")" + place + file + "\"}}]",
        "recipe.json");
    try {
      run_recipe(student, digits(), recipe, {.quiet = true});
      FAIL("took " << file);
    } catch (const Error& error) {
      CHECK_MESSAGE(error.kind() == kind, error.what());
      CHECK_MESSAGE(std::string(error.what()).find(place + file + ": " + part) != std::string::npos,
                    error.what());
    }
    CHECK(file_of(student) == before);
  };
  refuses("none.safetensors", ErrorKind::kIo, "");
  Sequential three = small_network({.seed = 1, .filters = 4, .classes = 3});
  write_file(place + "three.safetensors", encode_network(three, {28, 28, 1}));
  refuses("three.safetensors", ErrorKind::kUsage,
          "the teacher answers [3], the data has 10 classes; take a teacher of the same classes");
  Sequential small;
  Rng rng(1, "init");
  small.add("flatten", Flatten()).add("dense", Dense({.in = 196, .out = 10}, rng));
  write_file(place + "small.safetensors", encode_network(small, {14, 14, 1}));
  refuses("small.safetensors", ErrorKind::kUsage, "the teacher takes [14x14x1], the data's images");
  write_file(place + "model.esp", file_of(three));
  refuses("model.esp", ErrorKind::kCorrupt, "is a packed model, and a teacher is");
  write_file(place + "text.safetensors", "no network");
  refuses("text.safetensors", ErrorKind::kCorrupt, "");
  training::fit(three, *datasets::synthetic_digits({.train = 20, .test = 1}).train,
                {.quiet = true,
                 .loss =
                     [](const Variable& logits, const datasets::Batch&) {
                       return training::class_loss({})(logits, {{}, std::vector<int>(20, 1)});
                     },
                 .checkpoint = place + "run.checkpoint"});
  refuses("run.checkpoint", ErrorKind::kCorrupt, "is the checkpoint of a run under way");
}
