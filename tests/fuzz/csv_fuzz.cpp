// CSV, with every way to name the label column; read in pieces, it is the same, errors included. Small inputs: a row is a few bytes.
#include <string_view>

#include "datasets/csv.hpp"
#include "datasets/csv_reader.hpp"
#include "tests/fuzz/file_in_memory.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace espalier;
namespace {

// Each row with its line and place, then what ended them.
std::string told(datasets::CsvReader& reader) {
  std::string all;
  try {
    for (std::vector<std::string> cells; reader.next(cells);) {
      all += std::to_string(reader.line()) + "@" + std::to_string(reader.offset());
      for (const std::string& cell : cells) all += "|" + cell;
    }
  } catch (const Error& error) {
    all += error.what();
  }
  return all;
}

}  // namespace

std::vector<Bytes> fuzz::seeds() {
  std::vector<Bytes> all;
  for (const std::string_view text :
       {"1,2,a\n2,3,b\n3,4,a\n4,5,b\n",
        "\xef\xbb\xbfx,\"y \"\"q\"\"\",c\r\n1,-2e3,1\r\n2,3,2\r\n3,4,1\r\n4,5,2",
        "c,x\nb, 1\n\na,\t+2.5\na,3\nb,4\n", "\"a\nb\",2\n\"c\",3\n",
        "\"a\",\"b\"\r\n\"1\",\"x\"\r\n\"2\",\"y\"\r\n",
        "y,c,note,x\n1,a,?,2\n3,b,,4\n5,a,\"q\",6\n"})
    all.emplace_back(text.begin(), text.end());
  return all;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const char* label : {"", "1", "c", "regression"})
    fuzz::may_refuse([&] {
      const bool regression = std::string_view(label) == "regression";
      const auto csv = datasets::decode_csv(
          {data, size}, "fuzz.csv", {.label = regression ? "" : label, .regression = regression});
      const auto channels = std::ssize(csv.features);
      fuzz::promise((regression ? csv.labels.empty() : csv.labels.size() >= 2) &&
                    std::ssize(csv.columns) == channels);
      for (const auto* part : {csv.data.train.get(), csv.data.test.get()}) {
        fuzz::promise(part->size() > 0);
        for (std::int64_t i = 0; i < part->size(); ++i) {
          const auto example = part->get(i);
          fuzz::promise(example.image.shape() == Shape{1, 1, channels});
          for (const float v : example.image.values()) fuzz::promise(v >= 0 && v <= 1);
        }
      }
    });
  const fuzz::FileInMemory file({data, size});
  const OpenFile open(file.path());
  datasets::CsvReader whole({data, size}, file.path());
  const std::string wanted = told(whole);
  for (const std::size_t piece : {1, 7}) {
    datasets::CsvReader pieces(open, piece);
    fuzz::promise(told(pieces) == wanted);
  }
  fuzz::may_refuse([&] {  // as a model that knows its columns' names
    const datasets::CsvOptions known{
        .columns = {{1, 2}, {3, 4}}, .names = {"x", "y"}, .label_name = "c"};
    const auto rows = datasets::decode_csv_features({data, size}, "fuzz.csv", 2, known);
    fuzz::promise(rows.names.size() == 2 && rows.values.size() % 2 == 0);
    const auto csv = datasets::decode_csv({data, size}, "fuzz.csv", known);
    fuzz::promise(!csv.header || csv.features == known.names);
  });
  return 0;
}
