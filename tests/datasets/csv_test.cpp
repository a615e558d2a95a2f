// CSV: what is a header, a label, a number; and every error with its line.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "datasets/csv.hpp"
#include "datasets/csv_reader.hpp"

using namespace espalier;
using namespace espalier::datasets;
namespace {

std::span<const std::uint8_t> bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

using Table = std::vector<std::vector<std::string>>;

Table rows(const std::string& text) {
  CsvReader reader(bytes(text), "t.csv");
  Table all;
  for (std::vector<std::string> cells; reader.next(cells);) all.push_back(cells);
  return all;
}

CsvData load(const std::string& text, const CsvOptions& options = {}) {
  return decode_csv(bytes(text), "t.csv", options);
}

// Its message; "" when it was accepted.
std::string refusal(const std::string& text, const CsvOptions& options = {},
                    ErrorKind kind = ErrorKind::kCorrupt) {
  try {
    load(text, options);
    return "";
  } catch (const Error& error) {
    CHECK_MESSAGE(error.kind() == kind, error.what());
    return error.what();
  }
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Two classes of four rows each: 1, 2, 3, 4 and 11, 12, 13, 14.
std::string eight(const std::string& first_row = "") {
  std::string text = first_row;
  for (int i = 1; i <= 4; ++i)
    text += std::to_string(i) + ",7,low\n" + std::to_string(10 + i) + ",7,high\n";
  return text;
}

}  // namespace

TEST_CASE("CSV rows: quotes, CRLF, byte order mark, blanks, empty lines") {
  CHECK(rows("a,b\n1,2\n") == Table{{"a", "b"}, {"1", "2"}});
  CHECK(rows("\xef\xbb\xbf"
             "a , b\r\n\r\n 1,\t2") == Table{{"a", "b"}, {"1", "2"}});
  CHECK(rows("\"a, \"\"x\"\"\ny\" ,b\n") == Table{{"a, \"x\"\ny", "b"}});
  CHECK(rows("a,\n,b\n\"\",\" c \"") == Table{{"a", ""}, {"", "b"}, {"", " c "}});
  CHECK(rows("a\rb\n") == Table{{"a\rb"}});
  CHECK(rows("").empty());
  CHECK(rows("\n\r\n").empty());
  const auto line_of_error = [](const std::string& text) -> std::string {
    try {
      rows(text);
      return "";
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kCorrupt);
      return error.what();
    }
  };
  CHECK(line_of_error("a\n\"b\nc") == "t.csv: line 2: a quote is opened and never closed");
  CHECK(contains(line_of_error("a\n\"b\n\"\nc\"d\n"), "line 4: a quote within a cell"));
  CHECK(contains(line_of_error("\"a\"b"), "line 1: text follows a quoted cell"));
  CHECK(contains(line_of_error(std::string("a\nb\0c\n", 6)), "line 2: holds a NUL byte"));
}

TEST_CASE("CSV: the header is found, the label is the last column, by name or by number") {
  const auto plain = load(eight());
  CHECK(plain.labels == std::vector<std::string>{"high", "low"});
  CHECK(plain.features == std::vector<std::string>{"column 1", "column 2"});
  CHECK(plain.data.train->size() + plain.data.test->size() == 8);
  const auto named = load(eight("size,k,class\n"));
  CHECK(named.features == std::vector<std::string>{"size", "k"});
  CHECK(named.data.train->size() + named.data.test->size() == 8);
  CHECK(named.columns == plain.columns);

  const std::string first = "c,x\n1,5\n1,6\n2,7\n2,8\n";
  CHECK(load(first, {.label = "c"}).labels == std::vector<std::string>{"1", "2"});
  CHECK(load(first, {.label = "1"}).features == std::vector<std::string>{"x"});
  CHECK(contains(refusal(first, {.label = "d"}, ErrorKind::kUsage),
                 "no column 'd'; the first row is c, x"));
  CHECK(contains(refusal(first, {.label = "3"}, ErrorKind::kUsage),
                 "no column 3; the file has 1 to 2"));
  CHECK(contains(refusal(first, {.label = "0"}, ErrorKind::kUsage), "no column 0"));
  CHECK(contains(refusal("a,a\n1,2\n", {.label = "a"}, ErrorKind::kUsage),
                 "two columns are named 'a'"));
  // Names that are numbers are taken for data unless the caller knows better.
  const std::string numbers = "1,2\n5,0\n6,0\n7,1\n8,1\n";
  CHECK(contains(refusal(numbers), "3 different values in 5 rows"));
  CHECK(load(numbers, {.header = true}).features == std::vector<std::string>{"1"});
  // A first row of data that cannot be learned from is refused, not taken for names.
  for (const char* cell : {"inf", "-inf", "1e400", "nan(1)"})
    CHECK(contains(refusal(std::string("1,") + cell + ",a\n2,1,b\n3,1,a\n4,1,b\n"),
                   "line 1: column 'column 2' is '" + std::string(cell) + "', wanted a finite"));
  // Text in the label column alone makes no header.
  CHECK(load("1,a\n2,b\n3,a\n4,b\n").data.train->size() == 2);
}

TEST_CASE("CSV: classes that are numbers are ordered as numbers") {
  const auto numbers = load("1,10\n2,9\n3,10\n4,9\n5,-1\n6,-1\n");
  CHECK(numbers.labels == std::vector<std::string>{"-1", "9", "10"});
  for (const auto* part : {numbers.data.train.get(), numbers.data.test.get()})
    for (std::int64_t i = 0; i < part->size(); ++i)
      CHECK((part->get(i).label >= 0 && part->get(i).label < 3));
  CHECK(load("1,10\n2,9\n3,10\n4,9\n5,x\n6,x\n").labels ==
        std::vector<std::string>{"10", "9", "x"});
  // What reads like a number but is none is text.
  CHECK(load("1,10\n2,NAN\n3,10\n4,NAN\n5,inf\n6,inf\n").labels ==
        std::vector<std::string>{"10", "NAN", "inf"});
}

TEST_CASE("CSV: features are normalised by the training rows alone, onto 0..1") {
  const auto loaded = load(eight());
  const auto& train = *loaded.data.train;
  CHECK(train.image_shape() == Shape{1, 1, 2});
  double sum = 0, squares = 0;
  for (std::int64_t i = 0; i < train.size(); ++i) {
    const Example e = train.get(i);
    const double z = (double{e.image.values()[0]} - 0.5) * 8;
    sum += z, squares += z * z;
    CHECK(e.image.values()[1] == 0.5f);  // it never varies
    const double value = z * double{loaded.columns[0].deviation} + double{loaded.columns[0].mean};
    CHECK(value == doctest::Approx(std::round(value)).epsilon(1e-5));
    CHECK((value < 10) == (e.label == 1));  // classes: high, low
  }
  CHECK(std::abs(sum) < 1e-5);
  CHECK(squares / static_cast<double>(train.size()) == doctest::Approx(1).epsilon(1e-5));
  CHECK(loaded.columns[1].deviation == 0);
  // Far values are clamped.
  std::string outlier = "1e9,a\n";
  for (int i = 0; i < 200; ++i) outlier += std::to_string(i % 3) + "," + (i % 2 ? "a\n" : "b\n");
  for (std::uint64_t seed = 1; seed < 4; ++seed) {
    const auto data = load(outlier, {.split = {.seed = seed}}).data;
    for (const auto* part : {data.train.get(), data.test.get()})
      for (std::int64_t i = 0; i < part->size(); ++i) {
        const float x = part->get(i).image.values()[0];
        CHECK((x >= 0 && x <= 1));
      }
  }
}

TEST_CASE("CSV: what a model learned goes for new rows: scalings, classes, target") {
  const auto trained = load(eight());
  const auto text = std::string("x,y,class\n100,5,low\n-3,5,low\n4,6,low\n");
  const auto fresh = load(text, {.columns = trained.columns, .classes = {"high", "low"}});
  CHECK(fresh.columns == trained.columns);
  CHECK(fresh.labels == std::vector<std::string>{"high", "low"});
  CHECK(fresh.data.train->classes() == 2);
  for (const auto* part : {fresh.data.train.get(), fresh.data.test.get()})
    for (std::int64_t i = 0; i < part->size(); ++i) {
      CHECK(part->get(i).label == 1);
      const float x = part->get(i).image.values()[0];
      bool found = false;
      for (const float v : {100.0f, -3.0f, 4.0f})
        found = found || x == scaled(v, trained.columns[0]);
      CHECK(found);
    }
  CHECK(contains(refusal("1,2,3,a\n1,2,3,b\n", {.columns = trained.columns}, ErrorKind::kUsage),
                 "holds 3 features, the model was trained on 2"));
  CHECK(contains(refusal(text, {.classes = {"high", "middle"}}),
                 "line 2: the class 'low' is none that the model knows: high, middle"));

  std::string numbers = "x,price\n";
  for (int i = 0; i < 50; ++i)
    numbers += std::to_string(i) + ',' + std::to_string(1000 + 2 * i) + '\n';
  const auto prices = load(numbers, {.regression = true});
  REQUIRE(prices.target.has_value());
  CHECK(prices.labels.empty());
  CHECK(prices.data.train->has_targets());
  CHECK(prices.data.train->classes() == 1);
  CHECK(prices.data.train->size() == 40);
  double sum = 0, squares = 0;
  for (std::int64_t i = 0; i < 40; ++i) {
    const double t = prices.data.train->get(i).target;
    sum += t, squares += t * t;
  }
  CHECK(std::abs(sum) < 1e-4);
  CHECK(squares / 40 == doctest::Approx(1).epsilon(1e-4));
  const auto batch = collate(*prices.data.test, std::vector<std::int64_t>{0, 3});
  CHECK(batch.targets ==
        std::vector<float>{prices.data.test->get(0).target, prices.data.test->get(3).target});
  const auto given = load(numbers, {.regression = true, .target = Scaling{500, 2}});
  CHECK(given.data.test->get(0).target == doctest::Approx((double{prices.data.test->get(0).target} *
                                                               double{prices.target->deviation} +
                                                           double{prices.target->mean} - 500) /
                                                          2));
  CHECK(contains(refusal("1,2\n2,x\n", {.regression = true, .header = false}),
                 "line 2: column 'column 2' is 'x'"));
  CHECK(contains(refusal("1,2\n2,2\n3,2\n", {.regression = true}), "never varies"));
}

TEST_CASE("CSV: every error names line and column, and the remedy") {
  const std::string header = "x,y,class\n";
  CHECK(contains(refusal(header + "1,2,a\n3,,b\n"), "t.csv: line 3: column 'y' is missing"));
  CHECK(contains(refusal(header + "1,2,a\nNA,4,b\n"), "line 3: column 'x' is missing ('NA')"));
  CHECK(contains(refusal(header + "1,2,a\n3,four,b\n"),
                 "line 3: column 'y' is 'four', wanted a finite number; of words make a column"));
  CHECK(contains(refusal(header + "1,2,a\n3,inf,b\n"), "line 3: column 'y' is 'inf'"));
  CHECK(contains(refusal(header + "1,2,a\n3,+-5,b\n"), "line 3: column 'y' is '+-5'"));
  CHECK(contains(refusal(header + "1,2,a\n3,1e300,b\n"), "line 3: column 'y' is '1e300'"));
  CHECK(
      contains(refusal(header + "1,2,a\n3,4,\n"), "line 3: the label, column 'class', is missing"));
  CHECK(contains(refusal(header + "1,2,a\n\n3,4\n"), "line 4: 2 cells, the first row has 3"));
  CHECK(contains(refusal("1,2,a\n3,,b\n"), "line 2: column 'column 2' is missing"));
  CHECK(contains(refusal(header + "1,2,\"a\nb\"\n3,x,b\n"), "line 4: column 'y' is 'x'"));
  CHECK(
      contains(refusal(header + "1,2," + std::string(257, 'a') + "\n"), "257 bytes, at most 256"));
  CHECK(contains(refusal(""), "t.csv: is empty"));
  CHECK(contains(refusal(header), "holds a header, and no rows"));
  CHECK(contains(refusal(header + "1,2,a\n3,4,a\n"), "holds 1 classes, wanted at least two"));
  CHECK(contains(refusal("1;2;a\n3;4;b\n"), "not by semicolons or tabs"));
  CHECK(contains(refusal("x,price\n1,10.5\n2,11.5\n3,12.5\n"), "those are no classes"));
}
