// Programs of a table's rows take what stands in the table, and yield what `espalier run` says, to the
// bit: classes' logits, and numbers in the table's unit.
#include <doctest/doctest.h>

#include <cmath>

#include "compress/export/onnx.hpp"
#include "compress/export/tflite.hpp"
#include "datasets/feature_rows.hpp"
#include "tests/apps/program.hpp"
#include "tests/compress/export/networks.hpp"

using namespace espalier;
using namespace espalier::exports;

namespace {

constexpr std::int64_t kColumns = 5;

// Two dense layers of levels; every second one tells a number.
PackedModel model_of_rows(std::uint64_t seed) {
  Rng rng(seed, "table");
  PackedModel model = runtime::model_of({1, 1, kColumns}, {1.0f / 127, 0});
  if (seed % 3 == 2) model.input_mean = 0.4f, model.input_deviation = 0.3f;
  if (seed % 3 == 2) model.input = {3.5f / 127, 50};
  for (std::int64_t c = 0; c < kColumns; ++c)
    model.columns.push_back(
        {rng.uniform(-3.0f, 3.0f) * std::pow(10.0f, static_cast<float>(c)),
         c == 3 ? 0 : rng.uniform(0.1f, 1.0f) * std::pow(10.0f, static_cast<float>(c))});
  const bool number = seed % 2;
  if (number) model.target = format::Scaling{rng.uniform(-500.0f, 500.0f), 123.4567f};
  PackedLayer hidden = runtime::dense_of(rng, kColumns, 9, 8);
  spread(hidden, rng, model.input, {});
  model.layers = {hidden, runtime::dense_of(rng, 9, number ? 1 : 3, 8)};
  if (number) return model;
  model.labels = {"a", "b", "*/ c"};
  model.column_names = {"x */", "y (m)", "@NAME@", "", "z\n"};
  model.label_name = "kind \\";
  return model;
}

using Rows = std::vector<float>;

// Around each column's mean, at its bounds, at values that lie between two levels, and far off.
Rows rows_of(const PackedModel& model, int count) {
  Rng rng(7, "rows");
  Rows rows;
  for (int i = 0; i < count; ++i)
    for (const auto& [mean, deviation] : model.columns) {
      const float z = i % 5 == 0   ? static_cast<float>(rng.below(9)) - 4.0f
                      : i % 5 == 1 ? (static_cast<float>(rng.below(127)) + 0.5f - 63.5f) / 15.875f
                                   : rng.uniform(-4.5f, 4.5f);
      rows.push_back(mean + z * deviation);
      if (i % 19 == 0) rows.back() = 3e38f * (i % 2 ? 1.0f : -1.0f);
    }
  return rows;
}

Logits wanted_of(const PackedModel& model, const Rows& rows) {
  const auto n = std::ssize(rows) / kColumns;
  Tensor images = Tensor::uninitialized({n, 1, 1, kColumns});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const format::Scaling& s = model.columns[i % kColumns];
    images.mutable_values()[i] = datasets::scaled(rows[i], {s.mean, s.deviation});
  }
  const Tensor logits = runtime::Model(model).run(images);
  Logits all(logits.values().begin(), logits.values().end());
  if (model.target)
    for (float& v : all) v = model.target->mean + model.target->deviation * v;
  return all;
}

Bytes bytes_of(const Rows& rows) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(rows.data());
  return {begin, begin + rows.size() * sizeof(float)};
}

Logits run_table_c99(const std::filesystem::path& folder, const PackedModel& model,
                     const Rows& rows, const std::vector<std::string>& flags) {
  write_file(folder / "net.c", c99(model, {.name = "net"}));
  write_file(folder / "rows", bytes_of(rows));
  const std::string program = (folder / "net").string();
  auto command = joined({ESPALIER_C_COMPILER}, flags);
  command = joined(command, {"-Wall", "-Wextra", "-Werror", "-pedantic", "-DMODEL_FILE=\"net.c\"",
                             "-DMODEL(x)=net_##x", "-DCOLUMNS=" + std::to_string(kColumns),
                             "-DOUTPUTS=" + std::to_string(model.target ? 1 : 3),
                             "-I" + folder.string(), test_file("table_driver.c"), "-o", program});
  if (model.target) command.insert(command.begin() + 1, "-DNUMBER");
  succeed(command);
  succeed({program, (folder / "rows").string(), (folder / "outputs").string()});
  return floats_of(read_file(folder / "outputs"));
}

}  // namespace

TEST_CASE("C99: rows of a table as they stand there, bit for bit, whatever the compiler's flags") {
  const tests::Folder folder("c99_table_test");
  std::vector<std::vector<std::string>> all = {
      {"-std=c99", "-O2"},
      {"-std=c99", "-O0"},
      {"-std=gnu11", "-O3"},
      {"-std=c11", "-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all"}};
#if defined(__x86_64__)
  all.push_back({"-std=gnu11", "-O2", "-march=native", "-ffp-contract=fast"});
  if (__builtin_cpu_supports("fma"))
    all.push_back({"-std=gnu11", "-O3", "-mfma", "-ffp-contract=fast"});
#endif
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const PackedModel model = model_of_rows(seed);
    const Rows rows = rows_of(model, 500);
    const Logits want = wanted_of(model, rows);
    CHECK(distinct_rows(want, 500) > 300);
    for (const auto& flags : all)
      CHECK_MESSAGE(differing(run_table_c99(folder.path, model, rows, flags), want) == 0,
                    "model " << seed << " with " << flags[0] << ' ' << flags[1]);
  }
}

TEST_CASE("C99: a table's floats, within the sums' rounding") {
  const tests::Folder folder("c99_table_floats_test");
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    const PackedModel model = floats_of(model_of_rows(seed), Numbers::kFloats);
    const Rows rows = rows_of(model, 200);
    CHECK(difference(run_table_c99(folder.path, model, rows, {"-std=c99", "-O2"}),
                     wanted_of(model, rows)) < 1e-5);
  }
}

TEST_CASE("JavaScript: rows of a table as they stand there, bit for bit, under Node") {
  if (!installed("node")) {
    MESSAGE("skipped: install nodejs");
    return;
  }
  const tests::Folder folder("js_table_test");
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const PackedModel model = model_of_rows(seed);
    const Rows rows = rows_of(model, 500);
    write_file(folder.path / "rows", bytes_of(rows));
    const auto file = folder.path / (seed < 4 ? "net.mjs" : "net.js");
    write_file(file, js(model, {.name = "net", .module = seed < 4}));
    succeed({"node", test_file("table_driver.mjs"), file.string(), (folder.path / "rows").string(),
             (folder.path / "outputs").string(), std::to_string(kColumns)});
    CHECK_MESSAGE(
        differing(floats_of(read_file(folder.path / "outputs")), wanted_of(model, rows)) == 0,
        "model " << seed);
  }
}

TEST_CASE("programs of a table name its columns and what they say") {
  const PackedModel model = model_of_rows(2);
  const std::string c = c99(model, {.name = "net"}), script = js(model, {.name = "net"});
  CHECK(tests::contains(c, "columns[1]  y (m): mean "));
  CHECK(tests::contains(c, "columns[2]  ?NAME?: mean "));
  CHECK(tests::contains(c, "void net_run(const float *columns, float *logits);"));
  CHECK(tests::contains(script, "//   columns[1]  y (m)"));
  PackedModel number = model_of_rows(1);
  number.column_names = {"a", "b", "c", "d", "e"};
  number.label_name = "price";
  CHECK(tests::contains(c99(number, {.name = "net"}),
                        "net_predict(const float *columns);               price, in the unit"));
  CHECK(!tests::contains(c99(number, {.name = "net"}), "labels"));
  CHECK(tests::contains(js(number, {.name = "net"}), "net.predict(columns): price"));
}

TEST_CASE("ONNX and .tflite: a table's names, means and deviations are in the metadata") {
  PackedModel model = model_of_rows(2);
  model.columns[0] = {1.5f, 0.25f};
  for (const Bytes& file : {onnx(model), tflite(model)}) {
    const std::string text(file.begin(), file.end());
    CHECK(tests::contains(text, R"({"name": "x */", "mean": 1.5, "deviation": 0.25})"));
    CHECK(tests::contains(text, "of clamp(0.5 + (value - mean) / (8 deviation), 0, 1)"));
  }
}
