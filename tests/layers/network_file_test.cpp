#include "layers/network_file.hpp"

#include <doctest/doctest.h>

#include "layers/dense.hpp"
#include "layers/parameter_file.hpp"
#include "layers/tutorial_models.hpp"

using namespace espalier;
namespace {

Archive archive_of(Sequential& model, const Shape& input) {
  return decode_archive(encode_network(model, input, {}), "written");
}

}  // namespace

TEST_CASE("a network comes back with its structure, its labels and every value") {
  Sequential model = large_model(3);  // batch norm has state, too
  const std::vector<std::string> labels = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
  const Bytes bytes = encode_network(model, {28, 28, 1}, labels);
  ModelJson read = network_of(decode_archive(bytes, "large"), "large");
  CHECK(read.labels == labels);
  CHECK(read.input == Shape{28, 28, 1});
  CHECK(read.model.describe() == model.describe());
  CHECK(encode_network(read.model, read.input, read.labels) == bytes);
}

TEST_CASE("an archive that is no network, or not this one, is refused and named") {
  Sequential model = small_model(1);
  const auto refuses = [](const Archive& archive, const std::string& part) {
    CHECK_THROWS_WITH_AS(network_of(archive, "it"), doctest::Contains(part.c_str()), Error);
  };
  refuses(parameters_of(model), "it: holds tensors, but no model.json");
  Archive archive = archive_of(model, {28, 28, 1});
  const std::string text = archive.metadata.at("model");
  archive.metadata["model"] = "{";
  refuses(archive, "it: is not JSON");
  // No more values are allocated than the file holds.
  archive.metadata["model"] = R"({"input": [28, 28, 1], "layers": [
      {"type": "Flatten"}, {"type": "Dense", "units": 60000}]})";
  refuses(archive, "20410");
  archive.metadata["model"] = R"({"input": [28, 28, 1], "layers": [
      {"type": "Flatten"}, {"type": "Dense", "units": 10}]})";
  refuses(archive, "has no tensor dense_1.weight");
  archive.metadata["model"] = text;
  archive.tensors.erase("dense.bias");
  refuses(archive, "20400");
}

TEST_CASE("a file with any byte changed is read or refused, never more") {
  Sequential model;
  Rng rng(1, "init");
  model.add("dense", Dense({.in = 3, .out = 2}, rng));
  const Bytes bytes = encode_network(model, {3});
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (const int flip : {1, 0x20, 0x80}) {
      Bytes changed = bytes;
      changed[i] ^= static_cast<std::uint8_t>(flip);
      try {
        const ModelJson read = network_of(decode_archive(changed, "changed"), "changed");
        CHECK(read.model.layers().size() == 1);
      } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::kCorrupt);
      }
    }
}
