// Version 3: what rows of a table are brought to, and the number that an output stands for.
#include <doctest/doctest.h>

#include <limits>

#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"

using namespace espalier;
using namespace espalier::format;

namespace {

PackedModel table_model(std::int64_t outputs) {
  PackedModel model;
  model.input_shape = {1, 1, 3};
  PackedLayer dense;
  dense.weight.shape = {outputs, 3};
  for (std::int64_t i = 0; i < 3 * outputs; ++i)
    dense.weight.values.push_back(0.5f * static_cast<float>(i + 1));
  model.layers = {dense};
  model.columns = {{-1.5f, 0.25f}, {1e6f, 3e4f}, {7, 0}};
  return model;
}

bool refused(const PackedModel& model) {
  try {
    write(model);
    return false;
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kUsage);
    return true;
  }
}

}  // namespace

TEST_CASE("columns and target read back as they were written, in version 3, in both codings") {
  for (const auto coding : {Coding::kPlain, Coding::kRange})
    for (const bool target : {false, true}) {
      PackedModel model = table_model(target ? 1 : 2);
      if (target) model.target = Scaling{31.25f, 0.125f};
      const Bytes file = write(model, coding);
      CHECK(version_of(file[0]) == 3);
      CHECK(read(file, "columns.esp") == model);
      model.columns.clear();
      CHECK(version_for(model) == (target ? 3 : 1));
      CHECK(read(write(model, coding), "columns.esp") == model);
    }
}

TEST_CASE("a header's names read back, and cost nothing where there are none") {
  for (const auto coding : {Coding::kPlain, Coding::kRange}) {
    PackedModel model = table_model(2);
    const auto without = write(model, coding).size();
    model.column_names = {"a", "sepal length (cm)", ""};
    model.label_name = "kind";
    const Bytes file = write(model, coding);
    CHECK(version_of(file[0]) == 3);
    CHECK(read(file, "names.esp") == model);
    CHECK(file.size() > without + 20);
    CHECK(file.size() < without + 40);
  }
}

TEST_CASE("columns and targets that make no sense are refused") {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const auto with = [](auto change, std::int64_t outputs = 1) {
    PackedModel model = table_model(outputs);
    change(model);
    return refused(model);
  };
  CHECK(!with([](PackedModel&) {}));
  CHECK(with([](PackedModel& m) { m.columns.pop_back(); }));
  CHECK(with([](PackedModel& m) { m.columns[1].mean = kNan; }));
  CHECK(with([](PackedModel& m) { m.columns[1].deviation = -1; }));
  const auto named = [&](std::vector<std::string> names, std::string label) {
    return with([&](PackedModel& m) { m.column_names = names, m.label_name = label; });
  };
  CHECK(!named({"a", "b", "c"}, "a"));
  CHECK(named({"a", "b"}, "c"));
  CHECK(named({}, "c"));
  CHECK(named({"a", "b", "a"}, "c"));
  CHECK(named({"a", "b", std::string(257, 'c')}, "d"));
  CHECK(named({"a", "b", "c"}, std::string(257, 'd')));
  CHECK(with([](PackedModel& m) { m.columns.clear(), m.column_names = {"a", "b", "c"}; }));
  CHECK(with([](PackedModel& m) { m.target = Scaling{0, 0}; }));
  CHECK(with([](PackedModel& m) { m.target = Scaling{kNan, 1}; }));
  CHECK(with([](PackedModel& m) { m.target = Scaling{0, 1}; }, 2));  // two outputs
  CHECK(with([](PackedModel& m) { m.target = Scaling{0, 1}, m.labels = {"one"}; }));
}

TEST_CASE("every bit flip of a file with columns and a target is refused") {
  PackedModel model = table_model(1);
  model.target = Scaling{2, 4};
  model.column_names = {"a", "b", "c"};
  model.label_name = "d";
  const Bytes file = write(model);
  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    Bytes changed = file;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1 << bit % 8));
    CHECK_THROWS_AS(read(changed, "flip.esp"), Error);
  }
}
