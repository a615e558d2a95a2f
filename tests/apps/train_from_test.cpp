// espalier train --from: PyTorch's weights, or those that train --weights kept, in place of random ones.
#include <doctest/doctest.h>

#include <cmath>

#include "core/archive/archive.hpp"
#include "core/base/file.hpp"
#include "layers/network_file.hpp"
#include "tests/apps/program.hpp"

namespace fs = std::filesystem;
using namespace espalier;
using tests::contains;
using tests::run_program;
namespace {

constexpr const char* kModel = R"({"input": [28, 28, 1], "layers": [
  {"type": "Conv2d", "name": "conv", "filters": 2, "kernel_size": 5, "strides": 4},
  {"type": "BatchNorm", "name": "norm"}, {"type": "Relu"},
  {"type": "Flatten"}, {"type": "Dense", "name": "output", "units": 10}]})";

Tensor counted(Shape shape) {
  Tensor t(std::move(shape));
  float next = 0;
  for (float& v : t.mutable_values()) v = 0.001f * (next += 1);
  return t;
}

// A state_dict of Sequential(Conv2d(1, 2, 5, stride=4, bias=False), BatchNorm2d(2), ReLU(), Flatten(),
// Linear(72, 10)).
Archive state_dict() {
  Archive archive;
  archive.metadata["format"] = "pt";
  auto& t = archive.tensors;
  t["0.weight"] = counted({2, 1, 5, 5});
  t["1.weight"] = counted({2}), t["1.bias"] = counted({2});
  t["1.running_mean"] = counted({2}), t["1.running_var"] = counted({2});
  t["1.num_batches_tracked"] = Tensor(Shape{}, DType::kInt32);
  t["4.weight"] = counted({10, 72}), t["4.bias"] = counted({10});
  return archive;
}

struct Place {
  tests::Folder folder{"train_from_test"};
  std::string torch = file("net.safetensors"), weights = file("float.safetensors"),
              out = file("model.esp");
  Place() {
    write_file(file("model.json"), kModel);
    save_archive(state_dict(), torch);
  }
  std::string file(const std::string& name) const { return (folder.path / name).string(); }
  tests::Result train(const std::string& more) const {
    return run_program("espalier train --synthetic --images 100 --model " + file("model.json") +
                       " --out " + out + " " + more);
  }
};

}  // namespace

TEST_CASE("train --from: PyTorch's weights as they are, told by layer, and kept as ours") {
  const Place place;
  const auto result = place.train("--from " + place.torch + " --weights " + place.weights);
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  for (const char* part :
       {"starts from PyTorch's weights in ", "output  4          no other has this shape",
        "note: epsilon is not in such a file; norm has 0.001", "train (0 epochs)"})
    CHECK_MESSAGE(contains(result.output, part), result.output);
  ModelJson kept = load_network(place.weights);
  kept.model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    const auto values = p.latent().value().values();
    if (name == "conv.weight") CHECK(values[3] == 0.004f);
    if (name == "conv.bias") CHECK(values[1] == 0);
    // [10 x 6 6 2] of [10 x 2 6 6]: the second pixel of the second channel.
    if (name == "output.weight") CHECK(values[3] == 0.001f * 38);
  }});

  // From the file that was kept: the same bytes; then quantized, without training.
  const Bytes first = read_file(place.out);
  CHECK(place.train("-q --from " + place.weights).exit_code == 0);
  CHECK(read_file(place.out) == first);
  write_file(place.file("recipe.json"), R"([{"quantize": {}, "epochs": 0}])");
  const auto quantized =
      place.train("--from " + place.weights + " --recipe " + place.file("recipe.json"));
  CHECK_MESSAGE(contains(quantized.output, "stages: quantize (0 epochs)"), quantized.output);
  CHECK(read_file(place.out).size() < first.size() / 2);
}

TEST_CASE("train --from: a map, training behind it, and checkpoints of it alone") {
  const Place place;
  write_file(place.file("map.json"),
             "{\"output\": null, // ten kinds of our own\n \"conv\": \"0\"}");
  const std::string from = "--from " + place.torch + " --map " + place.file("map.json");
  const auto result = place.train(from + " --epochs 1");
  REQUIRE_MESSAGE(result.exit_code == 0, result.output);
  for (const char* part : {"conv   0          the map says so", "keep their random values: output",
                           "not used: 4.bias [10], 4.weight [10x72]", "train (1 epoch)"})
    CHECK_MESSAGE(contains(result.output, part), result.output);

  fs::create_directories(place.out + ".checkpoint");
  write_file(place.out + ".checkpoint/run.txt", "another");
  CHECK(contains(place.train(from + " --checkpoint").output, "belongs to another run"));
}

TEST_CASE("train --from refuses what does not fit before anything is trained") {
  const Place place;
  write_file(place.file("map.json"), R"({"conv": "7"})");
  REQUIRE(place.train("-q --from " + place.torch + " --weights " + place.weights).exit_code == 0);
  fs::remove(place.out);
  const auto refuses = [&](const std::string& more, int code, const std::string& part) {
    const auto result = place.train(more);
    CHECK_MESSAGE(result.exit_code == code, result.output);
    CHECK_MESSAGE(contains(result.output, part), result.output);
    CHECK_FALSE(fs::exists(place.out));
  };
  refuses("--from " + place.torch + " --map " + place.file("map.json"), 3, "has no module 7");
  refuses("--map " + place.file("map.json"), 2, "--map requires --from");
  refuses("--from " + place.weights + " --map " + place.file("map.json"), 2,
          "--map: is for PyTorch's weights");
  refuses("--from " + place.file("none"), 4, "none");
  refuses("--from " + place.torch + " --weights " + place.torch, 2, "would be overwritten");
  write_file(place.file("model.json"),
             R"({"input": [28, 28, 1], "layers": [{"type": "Flatten"},
                 {"type": "Dense", "name": "output", "units": 10}]})");
  refuses("--from " + place.torch, 3, "output wants weight [10x784]");
  refuses("--from " + place.weights, 3, "");
}

TEST_CASE("train --from refuses weights that are no numbers, and says where") {
  const Place place;
  REQUIRE(place.train("-q --from " + place.torch + " --weights " + place.weights).exit_code == 0);
  fs::remove(place.out);
  // Of [2 x 5 5 1] and [2 1 5 5] number 32 stands in the second filter, the second row, the third column.
  const auto refuses = [&](const std::string& file, const std::string& tensor, float value,
                           const std::string& part) {
    Archive archive = load_archive(file);
    archive.tensors.at(tensor).mutable_values()[32] = value;
    const std::string bad = place.file("bad.safetensors");
    save_archive(archive, bad);
    const auto result = place.train("--from " + bad);
    CHECK_MESSAGE(result.exit_code == 3, result.output);
    CHECK_MESSAGE(contains(result.output, "bad.safetensors: " + part), result.output);
    CHECK_MESSAGE(contains(result.output, "train again at a lower learning rate"), result.output);
    CHECK_FALSE(fs::exists(place.out));
  };
  refuses(place.torch, "0.weight", NAN, "0.weight[1, 0, 1, 2] is nan");
  refuses(place.torch, "4.weight", -INFINITY, "4.weight[0, 32] is -inf");
  refuses(place.weights, "conv.weight", INFINITY, "conv.weight[1, 1, 2, 0] is inf");
}
