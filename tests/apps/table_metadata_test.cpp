// A checkpoint's metadata of its table: read as written, and refused where it is damaged.
#include "apps/common/table_metadata.hpp"

#include <doctest/doctest.h>

using namespace espalier;
using namespace espalier::apps;

TEST_CASE("a checkpoint's columns, target and names read back") {
  TrainingData data;
  data.columns = {{1.5f, 0.1f}, {-3, 0}};
  data.target = datasets::Scaling{0.3f, 1e-7f};
  data.column_names = {"a \"b\"", ""};
  data.label_name = "price";
  ModelInput input{.file = "w.safetensors", .shape = {1, 1, 2}, .labels = {}};
  add_table(input, table_metadata(data));
  CHECK(input.columns == data.columns);
  CHECK(input.target == data.target);
  CHECK(input.column_names == data.column_names);
  CHECK(input.label_name == "price");
  ModelInput pictures{.file = "w.safetensors", .shape = {8, 8, 1}, .labels = {}};
  add_table(pictures, table_metadata({}));
  CHECK(pictures.columns.empty());
}

TEST_CASE("metadata of a table that nobody wrote is refused, naming the file") {
  const std::string good = "[[0,1],[0,1]]";
  for (const std::map<std::string, std::string>& bad :
       std::initializer_list<std::map<std::string, std::string>>{
           {{"columns", "[[0,1"}},
           {{"columns", "[[0,1]]"}},
           {{"columns", "[[0,-1],[0,1]]"}},
           {{"columns", "[[0,1e99],[0,1]]"}},
           {{"columns", "[[0],[0,1]]"}},
           {{"columns", "{\"a\": 1}"}},
           {{"columns", good}, {"target", "7"}},
           {{"columns", good}, {"column_names", "[\"a\"]"}, {"label_name", "\"b\""}},
           {{"columns", good}, {"column_names", "[\"a\", \"c\"]"}},
           {{"columns", good}, {"column_names", "[1, 2]"}, {"label_name", "\"b\""}},
           {{"column_names", "[\"a\", \"c\"]"}, {"label_name", "\"b\""}}}) {
    ModelInput input{.file = "w.safetensors", .shape = {1, 1, 2}, .labels = {}};
    try {
      add_table(input, bad);
      FAIL(bad.begin()->second);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kCorrupt);
      CHECK(std::string(error.what()).starts_with("w.safetensors: "));
    }
  }
}
