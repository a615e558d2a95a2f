#include "optim/training/checkpoint.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "compress/prune/pruner.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "core/archive/archive.hpp"
#include "core/base/file.hpp"
#include "core/base/interrupt.hpp"
#include "core/onednn/threads.hpp"
#include "datasets/synthetic_digits.hpp"
#include "optim/training/fit.hpp"
#include "tests/optim/training/models.hpp"

using namespace espalier;
using namespace espalier::training;
namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("espalier-checkpoint-" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

prune::Pruner pruner() {
  return prune::Pruner({.schedule = prune::polynomial_sparsity({.initial = 0.2f, .final = 0.8f}),
                        .frequency_steps = 5});
}

ErrorKind kind_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;
}

}  // namespace

TEST_CASE("a resumed run computes the bits of one that was never stopped") {
  const auto data = datasets::synthetic_digits({.train = 150, .test = 10});
  const Folder folder;
  const FitOptions whole{.epochs = 4, .batch_size = 32, .quiet = true};
  Sequential straight = conv_model();
  auto straight_pruner = pruner();
  fit(straight, *data.train, whole, {&straight_pruner});

  FitOptions halves = whole;
  halves.checkpoint = folder.path / "run.safetensors";
  halves.on_epoch_end = [](const EpochReport& r) { return r.epoch != 2; };
  Sequential first = conv_model();
  auto first_pruner = pruner();
  CHECK(fit(first, *data.train, halves, {&first_pruner}).size() == 2);
  CHECK(values_of(first) != values_of(straight));

  halves.on_epoch_end = nullptr;
  Sequential second = conv_model(/*seed=*/7);  // all of it comes from the file
  auto second_pruner = pruner();
  CHECK(fit(second, *data.train, halves, {&second_pruner}).size() == 2);
  CHECK(values_of(second) == values_of(straight));
  second_pruner.bake();  // the masks too
  straight_pruner.bake();
  CHECK(values_of(second) == values_of(straight));
}

TEST_CASE("Ctrl-C in the middle of an epoch loses no step: bits and reports are those of one run") {
  const auto data = datasets::synthetic_digits({.train = 150, .test = 10});
  const Folder folder;
  const auto file = folder.path / "run.safetensors";
  const FitOptions whole{.epochs = 4, .batch_size = 32, .quiet = true};  // 5 batches each
  const auto passes_of = [](prune::Pruner& p, quantize::QuantizationAware& q) {
    return std::vector<Pass*>{&p, &q};
  };
  Sequential straight = conv_model();
  auto straight_pruner = pruner();
  quantize::QuantizationAware straight_integers({});
  const auto expected =
      fit(straight, *data.train, whole, passes_of(straight_pruner, straight_integers));

  for (const int stop : {1, 4, 8, 10, 19}) {
    for (const bool in_memory : {false, true}) {
      CAPTURE(stop);
      std::filesystem::remove(file);
      Bytes state;
      std::vector<EpochReport> reports;
      const auto note = [&](const EpochReport& r) { return reports.push_back(r), true; };
      FitOptions stopped = whole;
      if (in_memory)
        stopped.last_state = &state;
      else
        stopped.checkpoint = file;
      stopped.on_step = [&](const StepReport& r) {
        if (r.info.step + 1 == stop) ::raise(SIGINT);
      };
      stopped.on_epoch_end = note;
      install_interrupt_handler();
      Sequential first = conv_model();
      auto first_pruner = pruner();
      quantize::QuantizationAware first_integers({});
      CHECK(kind_of([&] {
              fit(first, *data.train, stopped, passes_of(first_pruner, first_integers));
            }) == ErrorKind::kInterrupted);
      clear_interrupt();
      ::signal(SIGINT, SIG_DFL);
      if (in_memory) write_file(file, state);
      CHECK(load_archive(file).metadata.at("step") == std::to_string(stop));

      FitOptions rest = whole;
      rest.checkpoint = file;
      int steps = 0;
      rest.on_step = [&](const StepReport&) { ++steps; };
      rest.on_epoch_end = note;
      Sequential second = conv_model(/*seed=*/7);
      auto second_pruner = pruner();
      quantize::QuantizationAware second_integers({});
      fit(second, *data.train, rest, passes_of(second_pruner, second_integers));
      CHECK(steps == 20 - stop);
      CHECK(values_of(second) == values_of(straight));
      REQUIRE(reports.size() == expected.size());
      for (std::size_t i = 0; i < reports.size(); ++i) {
        CHECK(reports[i].epoch == expected[i].epoch);
        CHECK(reports[i].loss == expected[i].loss);
        CHECK(reports[i].accuracy == expected[i].accuracy);
        CHECK(reports[i].rate == expected[i].rate);
      }
    }
  }
}

TEST_CASE("a checkpoint whose sums are no numbers is refused") {
  const auto data = datasets::synthetic_digits({.train = 64, .test = 10});
  const Folder folder;
  const FitOptions options{
      .epochs = 1, .quiet = true, .checkpoint = folder.path / "run.safetensors"};
  Sequential model = conv_model();
  fit(model, *data.train, options);
  for (const char* text : {"", "x", "nan", "inf", "1e999", "1 "}) {
    Archive archive = load_archive(options.checkpoint);
    archive.metadata.erase("crc32");  // so that it is the number that is refused
    archive.metadata["sum.loss"] = text;
    save_archive(archive, options.checkpoint);
    CHECK(kind_of([&] { fit(model, *data.train, options); }) == ErrorKind::kCorrupt);
  }
}

TEST_CASE("n of m resumes to the bit, and holds in each group") {
  const auto data = datasets::synthetic_digits({.train = 150, .test = 10});
  const Folder folder;
  const auto model_of = [](std::uint64_t seed) {
    Rng rng(seed, "init");
    Sequential model;
    model.add("conv1", Conv2d({.in = 1, .out = 8, .kernel = 5, .stride = 3}, rng))
        .add("relu", Relu())
        .add("conv2", Conv2d({.in = 8, .out = 4, .kernel = 3}, rng))
        .add("flatten", Flatten())
        .add("dense", Dense({.in = 144, .out = 10}, rng));
    return model;
  };
  for (const std::int64_t keep : {2, 1}) {
    const auto few = [&] {
      // Three steps a mask, five an epoch: two steps after the stop live on the mask of before.
      return prune::Pruner({.schedule = prune::constant_sparsity(0.5f),
                            .frequency_steps = 3,
                            .select = prune::named({"conv2", "dense"}),
                            .structure = prune::NofM{.keep = keep, .of = 4}});
    };
    const auto check_groups = [&](Layer& layer) {
      std::int64_t groups = 0;
      const NoGradient guard;
      layer.visit({.parameter = [&](const std::string& name, Parameter& p) {
        if (name != "conv2.weight" && name != "dense.weight") return;
        const Tensor value = p.effective().value();  // inputs are the innermost axis
        for (std::size_t i = 0; i < value.values().size(); i += 4, ++groups)
          CHECK(std::ranges::count(value.values().subspan(i, 4), 0.0f) == 4 - keep);
      }});
      CHECK(groups == 4 * 9 * 2 + 10 * 36);
    };
    FitOptions options{.epochs = 4, .batch_size = 32, .learning_rate = 1e-2f, .quiet = true};
    Sequential straight = model_of(1);
    auto straight_pruner = few();
    fit(straight, *data.train, options, {&straight_pruner});
    check_groups(straight);

    options.checkpoint = folder.path / ("keep-" + std::to_string(keep) + ".safetensors");
    options.on_epoch_end = [](const EpochReport& r) { return r.epoch != 2; };
    Sequential first = model_of(1);
    auto first_pruner = few();
    CHECK(fit(first, *data.train, options, {&first_pruner}).size() == 2);
    check_groups(first);
    options.on_epoch_end = nullptr;
    Sequential second = model_of(7);
    auto second_pruner = few();
    CHECK(fit(second, *data.train, options, {&second_pruner}).size() == 2);
    check_groups(second);
    CHECK(values_of(second) == values_of(straight));
    second_pruner.bake();
    straight_pruner.bake();
    CHECK(values_of(second) == values_of(straight));  // the masks too
    check_groups(second);
  }
}

TEST_CASE("quantization-aware training resumes to the bit, its ranges too") {
  const auto data = datasets::synthetic_digits({.train = 150, .test = 10});
  const Folder folder;
  bool learned = false;
  const auto train = [&](const FitOptions& options, std::uint64_t seed) {
    Sequential model = conv_model(seed);
    quantize::QuantizationAware aware(
        {.weight_bits = 4, .learned_step = learned, .learned_activation_step = learned});
    fit(model, *data.train, options, {&aware});
    aware.bake();
    return quantize::evaluate(aware.network(), data.test->get(3).image.reshaped({1, 28, 28, 1}));
  };
  for (const bool with : {false, true}) {
    learned = with;
    FitOptions options{.epochs = 4, .batch_size = 32, .quiet = true};
    const Tensor straight = train(options, 1);
    options.checkpoint = folder.path / (learned ? "learned.safetensors" : "aware.safetensors");
    options.on_epoch_end = [](const EpochReport& r) { return r.epoch != 2; };
    train(options, 1);
    options.on_epoch_end = nullptr;
    const Tensor resumed = train(options, 7);
    for (std::size_t i = 0; i < straight.values().size(); ++i)
      CHECK(resumed.values()[i] == straight.values()[i]);
  }
}

TEST_CASE("a checkpoint of another run, or a broken one, is refused and changes nothing") {
  const auto data = datasets::synthetic_digits({.train = 64, .test = 10});
  const Folder folder;
  const auto file = folder.path / "run.safetensors";
  Sequential model = conv_model();
  fit(model, *data.train, {.quiet = true, .checkpoint = file});

  Sequential other = conv_model(3);
  const auto before = values_of(other);
  CHECK(kind_of([&] {
          fit(other, *data.train, {.batch_size = 16, .quiet = true, .checkpoint = file});
        }) == ErrorKind::kUsage);
  CHECK(kind_of([&] {
          fit(other, *data.train, {.learning_rate = 2e-3f, .quiet = true, .checkpoint = file});
        }) == ErrorKind::kUsage);
  CHECK(kind_of([&] {
          fit(other, *data.train, {.schedule = optim::cosine(), .quiet = true, .checkpoint = file});
        }) == ErrorKind::kUsage);
  auto pass = pruner();
  CHECK(kind_of([&] { fit(other, *data.train, {.quiet = true, .checkpoint = file}, {&pass}); }) ==
        ErrorKind::kUsage);
  pass.bake();
  Rng rng(1, "init");
  Sequential smaller;
  smaller.add("flatten", Flatten()).add("dense", Dense({.in = 784, .out = 10}, rng));
  CHECK(kind_of([&] { fit(smaller, *data.train, {.quiet = true, .checkpoint = file}); }) ==
        ErrorKind::kUsage);
  struct Forgetful final : Pass {  // keeps no state that it would hand out
    void attach(Layer&) override {}
    void step(const StepInfo&) override { ++steps; }
    void bake() override {}
    int steps = 0;
  } forgetful;
  CHECK(kind_of([&] {
          fit(smaller, *data.train, {.quiet = true, .checkpoint = folder.path / "new"},
              {&forgetful});
        }) == ErrorKind::kUsage);
  CHECK(forgetful.steps == 0);  // refused before anything is trained
  auto bytes = read_file(file);
  bytes.resize(bytes.size() - 5);
  write_file(file, bytes);
  CHECK(kind_of([&] { fit(other, *data.train, {.quiet = true, .checkpoint = file}); }) ==
        ErrorKind::kCorrupt);
  CHECK(values_of(other) == before);
}

TEST_CASE("a checkpoint says on what it was written; on another machine it goes on, and says so") {
  const auto data = datasets::synthetic_digits({.train = 60, .test = 10});
  const Folder folder;
  std::vector<std::string> said;
  FitOptions options{.epochs = 2, .quiet = true};
  options.checkpoint = folder.path / "run.safetensors";
  options.warn = [&](const std::string& message) { said.push_back(message); };
  options.on_epoch_end = [](const EpochReport& r) { return r.epoch != 1; };
  Sequential first = conv_model();
  fit(first, *data.train, options);
  const Archive written = load_archive(options.checkpoint);
  for (const auto& [name, value] : machine())
    CHECK(written.metadata.at("machine." + name) == value);
  CHECK(written.metadata.at("machine.precision") == "float32");
  CHECK(written.metadata.at("machine.threads") == std::to_string(threads()));
  CHECK(!written.metadata.at("machine.isa").empty());

  // Goes on from the first epoch of a file with other metadata.
  const auto go_on = [&](const Archive& archive) {
    save_archive(archive, options.checkpoint);
    Sequential model = conv_model(/*seed=*/7);
    CHECK(fit(model, *data.train, options).size() == 1);
    return values_of(model);
  };
  const auto values = go_on(written);
  CHECK(said.empty());
  Archive other = written;
  other.metadata.erase("crc32");
  other.metadata["machine.isa"] = "AVX9";
  other.metadata["machine.threads"] = "7";
  CHECK(go_on(other) == values);
  REQUIRE(said.size() == 1);
  for (const std::string& part : {std::string("run.safetensors: goes on, but not bit-identically"),
                                  "isa was AVX9 and is " + machine().at("isa"),
                                  "threads was 7 and is " + machine().at("threads")})
    CHECK_MESSAGE(said[0].find(part) != std::string::npos, said[0]);
  CHECK(said[0].find("precision") == std::string::npos);

  Archive old = written;  // as they were before they said it
  old.metadata.erase("crc32");
  std::erase_if(old.metadata, [](const auto& e) { return e.first.starts_with("machine."); });
  CHECK(go_on(old) == values);
  REQUIRE(said.size() == 2);
  CHECK_MESSAGE(said[1].find("is unknown") != std::string::npos, said[1]);
}

TEST_CASE("a checkpoint with a flipped bit, and one that ends early, is refused with the remedy") {
  const auto data = datasets::synthetic_digits({.train = 60, .test = 10});
  const Folder folder;
  const auto file = folder.path / "run.safetensors";
  FitOptions options{.epochs = 1, .quiet = true, .checkpoint = file};
  Sequential model = conv_model();
  fit(model, *data.train, options);
  CHECK(steps_done(file) == 2);
  const Bytes whole = read_file(file);
  const auto refusal = [&](const Bytes& bytes) {
    write_file(file, bytes);
    Sequential other = conv_model(/*seed=*/7);
    const auto before = values_of(other);
    try {
      fit(other, *data.train, options);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kCorrupt);
      CHECK(values_of(other) == before);
      return std::string(error.what());
    }
    return std::string("none");
  };
  const std::string remedy = "remove it, and the same command trains again what it held";
  const std::size_t header = 8 + (whole[0] | whole[1] << 8 | whole[2] << 16);
  for (std::size_t i = 0; i < 40; ++i) {  // somewhere in the tensors, one bit
    Bytes flipped = whole;
    flipped[header + i * (whole.size() - header - 1) / 39] ^= static_cast<std::uint8_t>(1 << i % 8);
    const std::string said = refusal(flipped);
    CHECK_MESSAGE(said.find(file.string() + ": its CRC-32 is ") == 0, said);
    CHECK_MESSAGE(said.find(remedy) != std::string::npos, said);
  }
  write_file(file, whole);
  Archive counts = load_archive(file);  // a step that never was
  counts.metadata["step"] = "3";
  CHECK(refusal(encode_archive(counts)).find("its CRC-32 is ") != std::string::npos);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{5}, header - 9, whole.size() - 1}) {
    const std::string said = refusal({whole.begin(), whole.begin() + static_cast<long>(bytes)});
    CHECK_MESSAGE(said.find(file.string()) == 0, said);
    CHECK_MESSAGE(said.find(remedy) != std::string::npos, said);
  }
  write_file(file, whole);
  Archive old = load_archive(file);
  old.metadata.erase("crc32");
  CHECK(refusal(encode_archive(old)) == "none");
}
