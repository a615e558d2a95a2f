// The exported JavaScript computes the reference executor's logits, bit for bit.
#include "compress/export/js.hpp"

#include <doctest/doctest.h>

#include "tests/apps/program.hpp"
#include "tests/compress/export/networks.hpp"
#include "tests/compress/format/sample_models.hpp"

using namespace espalier;
using namespace espalier::exports;

namespace {

bool node() {
  const bool found = installed("node");
  if (!found) MESSAGE("skipped: install nodejs");
  return found;
}

}  // namespace

TEST_CASE("JavaScript: random models of every kind of layer, bit for bit, under Node") {
  if (!node()) return;
  const tests::Folder folder("js_test");
  for (const Sample& s : samples(14, Numbers::kIntegers)) {
    const bool module = s.seed % 2;
    CHECK_MESSAGE(differing(run_js(folder.path, s.model, s.pixels, module), s.want) == 0,
                  "model " << s.seed);
  }
}

TEST_CASE("JavaScript: labels are texts of it, whatever they hold") {
  if (!node()) return;
  const tests::Folder folder("js_labels_test");
  PackedModel model = format::samples::network(4, 0.5);
  model.labels = {"d\u00e9j\u00e0 </script>", "\"\\\n@NAME@ */ \u2028", "\U0001F600"};
  const std::string file = (folder.path / "net.js").string();
  const std::string text = js(model, {.name = "net"});
  CHECK(!tests::contains(text, "</script>\""));
  write_file(file, text);
  CHECK(succeed({"node", "-e",
                 "console.log(require(process.argv[1]).labels.join('|').replace('\\u2028', 'LS'))",
                 file}) == "d\u00e9j\u00e0 </script>|\"\\\n@NAME@ */ LS|\U0001F600\n");
}

TEST_CASE("JavaScript: a name that the language takes gets an underscore") {
  if (!node()) return;
  const tests::Folder folder("js_names_test");
  for (const std::string& name :
       std::initializer_list<std::string>{"class", "module", "Math", "run", "top", "__dirname"}) {
    const std::string file = (folder.path / (name + ".mjs")).string();
    write_file(file, js(format::samples::network(4, 0.5), {.name = name, .module = true}));
    CHECK(tests::contains(js(format::samples::network(4, 0.5), {.name = name}),
                          "module.exports = " + name + "_;"));
    succeed({"node", file});
  }
}

TEST_CASE("JavaScript: a logit's -0 stays") {
  if (!node()) return;
  const tests::Folder folder("js_zero_test");
  PackedModel model = runtime::model_of({1, 1, 2}, {1e-30f, 0});
  PackedLayer dense;
  dense.weight = {{2, 2}, 8, {}, {1, 2, -1, -2}, {1e-30f}};
  dense.relu = true;
  model.layers = {dense};
  const Pixels pixels = {255, 255};
  const Logits want = wanted(model, pixels);
  CHECK(std::signbit(want[1]));
  CHECK(differing(run_js(folder.path, model, pixels, true), want) == 0);
}

TEST_CASE("JavaScript: its head names the file that it is in") {
  const PackedModel model = format::samples::network(4, 0.5);
  CHECK(tests::contains(js(model, {.name = "my-digits", .file = "my-digits.js"}),
                        "<script src=\"my-digits.js\"></script>"));
  CHECK(tests::contains(js(model, {.name = "digits", .module = true, .file = "a\nb.mjs"}),
                        "from \"./a?b.mjs\""));
}

TEST_CASE("JavaScript: floats are refused, with the remedy") {
  CHECK_THROWS_WITH_AS(js(format::samples::network(32, 0.5)),
                       doctest::Contains("quantize it first"), Error);
}
