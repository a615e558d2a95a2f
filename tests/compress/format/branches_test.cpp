// Version 3: layers that read other stages than the one before them, sums, depthwise convolutions.
#include <doctest/doctest.h>

#include "compress/format/reader.hpp"
#include "compress/format/wiring.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::format;

namespace {

std::string refused(const PackedModel& model, int version = 3) {
  try {
    read(samples::unchecked(model, Coding::kRange, version), "x.esp");
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kCorrupt);
    return error.what();
  }
}

}  // namespace

TEST_CASE("branches read back as they were written, in version 3, in both codings") {
  for (const auto coding : {Coding::kPlain, Coding::kRange})
    for (const int bits : {2, 4, 8, 32}) {
      const PackedModel model = samples::branches(bits);
      CHECK(version_for(model) == 3);
      const Bytes file = write(model, coding);
      CHECK(version_of(file[0]) == 3);
      CHECK(read(file, "branches.esp") == model);
    }
}

TEST_CASE("either new kind, or another input alone, makes a file version 3") {
  PackedModel model = samples::branches(8);
  model.layers.erase(model.layers.begin() + 2, model.layers.begin() + 5);
  CHECK(version_for(model) == 3);  // depthwise
  model.layers.erase(model.layers.begin() + 1);
  CHECK(version_for(model) == 1);
  CHECK(refused(model).find("canonical") != std::string::npos);
  model.layers.insert(model.layers.begin() + 1, model.layers[0]);
  model.layers[1].from = 2;  // of the image, too; the first convolution is computed for nothing
  CHECK(version_for(model) == 3);
  CHECK(read(write(model), "x.esp") == model);
}

TEST_CASE("stages that outlive the next layer are known") {
  const PackedModel model = samples::branches(8);
  CHECK(kept_stages(model) ==
        std::vector<bool>{false, true, false, true, false, false, false, false});
  CHECK(input_stage(model.layers[3], 3) == 1);
  CHECK(other_stage(model.layers[4], 4) == 3);
}

TEST_CASE("each rule of branches has a file that breaks it, and an error that names it") {
  const auto changed = [](std::size_t layer, auto change) {
    PackedModel model = samples::branches(8);
    change(model.layers[layer]);
    return refused(model);
  };
  const auto has = [](const std::string& text, const char* part) {
    CAPTURE(text);
    return text.find(part) != std::string::npos;
  };
  CHECK(has(changed(1, [](PackedLayer& l) { l.from = 3; }), "declared size of 3"));
  CHECK(has(changed(2, [](PackedLayer& l) { l.with = 4; }), "declared size of 4"));
  CHECK(has(changed(2, [](PackedLayer& l) { l.with = 3; }), "different shapes"));
  PackedModel mixed = samples::branches(8);
  mixed.layers[3].output = {};
  CHECK(refused(mixed) == "");  // floats, and levels that become floats
  mixed.layers[4].from = 2, mixed.layers[4].with = 1;
  CHECK(has(refused(mixed), "adds floats to levels"));
  CHECK(has(changed(5, [](PackedLayer& l) { l.kind = static_cast<LayerKind>(10); }), "kind 10"));
  CHECK(has(changed(5, [](PackedLayer& l) { l.kind = static_cast<LayerKind>(15); }), "kind 15"));
}
