// CSV: a model finds its columns by their names, in any order; without names by position.
#include <doctest/doctest.h>

#include <string>

#include "datasets/csv.hpp"

using namespace espalier;
using namespace espalier::datasets;
namespace {

std::span<const std::uint8_t> bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Of a model of columns x (0..10) and y (0..100) and classes low, high.
CsvOptions known() {
  return {.columns = {{5, 3}, {50, 30}},
          .classes = {"low", "high"},
          .names = {"x", "y"},
          .label_name = "kind"};
}

std::vector<float> features(const std::string& text, const CsvOptions& options = known()) {
  return decode_csv_features(bytes(text), "t.csv", 2, options).values;
}

template <class Call>
std::string refusal(Call call, ErrorKind kind = ErrorKind::kUsage) {
  try {
    call();
    return "";
  } catch (const Error& error) {
    CHECK_MESSAGE(error.kind() == kind, error.what());
    return error.what();
  }
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("CSV: names choose the columns, whatever their order and whatever else is there") {
  const std::vector<float> want = {1, 10, 2, 20};
  for (const char* text :
       {"x,y\n1,10\n2,20\n", "y,x\n10,1\n20,2\n", "kind,y,x\nlow,10,1\nhigh,20,2\n",
        "x,note,y,kind\n1,\"a, b\",10,\n2,NA,20,?\n", "id,id,x,y\n1,1,1,10\n2,2,2,20\n"})
    CHECK_MESSAGE(features(text) == want, text);
  // A header of numbers is one if the model knows its names.
  CsvOptions years = known();
  years.names = {"2019", "2020"};
  CHECK(features("2020,2019\n10,1\n20,2\n", years) == want);
}

TEST_CASE("CSV: a label that stands anywhere shifts no column") {
  for (const char* text :
       {"x,y,kind\n1,10,low\n2,20,low\n3,30,high\n", "kind,x,y\nlow,1,10\nlow,2,20\nhigh,3,30\n",
        "y,extra,kind,x\n10,q,low,1\n20,q,low,2\n30,q,high,3\n"}) {
    const auto data = decode_csv(bytes(text), "t.csv", known());
    CHECK(data.features == std::vector<std::string>{"x", "y"});
    CHECK(data.label_name == "kind");
    for (const auto* part : {data.data.train.get(), data.data.test.get()})
      for (std::int64_t i = 0; i < part->size(); ++i) {
        const auto example = part->get(i);
        const float x = example.image.values()[0];
        CHECK((x == scaled(1, {5, 3}) || x == scaled(2, {5, 3}) || x == scaled(3, {5, 3})));
        CHECK(example.label == (x == scaled(3, {5, 3}) ? 1 : 0));
      }
  }
  // Another column may be named as the label.
  CsvOptions other = known();
  other.label = "truth";
  CHECK(decode_csv(bytes("truth,x,y\nlow,1,10\nlow,2,20\nlow,3,20\n"), "t.csv", other).label_name ==
        "truth");
}

TEST_CASE("CSV: a column that is missing is named, with the file, what it has, and the nearest") {
  const std::string missing = refusal([] { features("x,Y,kind\n1,2,low\n"); });
  CHECK(missing ==
        "t.csv: has no column 'y', which the model wants; did you mean 'Y'? (its first row is "
        "x, Y, kind)");
  CHECK(contains(refusal([] { features("x,y,y\n1,2,3\n"); }), "has two columns 'y'"));
  CHECK(
      contains(refusal([] { decode_csv(bytes("x,y\n1,2\n"), "t.csv", known()); }),
               "has no column 'kind', the label of the model's training (--label names another)"));
  // Where a model is trained, names must tell columns apart, and be no longer than its file holds.
  CHECK(contains(
      refusal([] { decode_csv(bytes("x,x,c\n1,2,a\n1,2,b\n"), "t.csv"); }, ErrorKind::kCorrupt),
      "line 1: columns 1 and 2 are both named 'x'; rename one"));
  CHECK(
      contains(refusal([] { decode_csv(bytes(std::string(257, 'x') + ",c\n1,a\n2,b\n"), "t.csv"); },
                       ErrorKind::kCorrupt),
               "the name of column 1 has 257 bytes"));
}

TEST_CASE("CSV: without a header columns go by position, and their number must fit") {
  CHECK(features("1,10\n2,20\n") == std::vector<float>{1, 10, 2, 20});
  const auto assumed = decode_csv_features(bytes("1,10,low\n2,20,high\n"), "t.csv", 2, known());
  CHECK(assumed.values == std::vector<float>{1, 10, 2, 20});
  CHECK(assumed.assumed_label == "column 3");
  CsvOptions first = known();
  first.label = "1";
  CHECK(features("0,1,10\n1,2,20\n", first) == std::vector<float>{1, 10, 2, 20});
  CHECK(contains(refusal([] { features("1,2,3,4\n"); }),
                 "holds 4 columns; the model wants its 2 features"));
  // A label in front would shift the others: its values are no classes.
  CHECK(contains(refusal([] { features("0,1,10\n1,2,20\n"); }, ErrorKind::kCorrupt),
                 "'column 3' would be the label, but '10' is no class of the model: low, high; "
                 "--label NUMBER"));
}
