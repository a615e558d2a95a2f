// Data that stays in its file: the same examples to the bit, the same errors, and bounded memory.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "core/base/file.hpp"
#include "core/base/memory.hpp"
#include "datasets/csv.hpp"
#include "datasets/csv_reader.hpp"
#include "datasets/idx.hpp"
#include "datasets/idx_folder.hpp"
#include "datasets/load.hpp"

using namespace espalier;
using namespace espalier::datasets;
namespace fs = std::filesystem;
namespace {

class Folder {
 public:
  explicit Folder(const std::string& name) : path(fs::temp_directory_path() / name) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

std::span<const std::uint8_t> bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Rows, each with its line and place, then the error if one ends them.
std::string told(CsvReader& reader) {
  std::string all;
  try {
    for (std::vector<std::string> cells; reader.next(cells);) {
      all += std::to_string(reader.line()) + " at " + std::to_string(reader.offset()) + ":";
      for (const std::string& cell : cells) all += "[" + cell + "]";
    }
  } catch (const Error& error) {
    all += error.what();
  }
  return all;
}

template <class Work>
std::string message_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return std::to_string(error.exit_code()) + " " + error.what();
  }
  return "";
}

void check_same(const Dataset& a, const Dataset& b) {
  REQUIRE(a.size() == b.size());
  CHECK(a.image_shape() == b.image_shape());
  CHECK(a.classes() == b.classes());
  CHECK(a.has_targets() == b.has_targets());
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const Example x = a.get(i), y = b.get(i);
    CHECK(std::ranges::equal(x.image.values(), y.image.values()));
    CHECK(x.label == y.label);
    CHECK(x.target == y.target);
  }
  CHECK_THROWS_AS(b.get(b.size()), Error);
}

void check_same(const CsvData& a, const CsvData& b) {
  CHECK(a.labels == b.labels);
  CHECK(a.features == b.features);
  CHECK(a.header == b.header);
  CHECK(a.label_name == b.label_name);
  CHECK(a.columns == b.columns);
  CHECK(a.target == b.target);
  check_same(*a.data.train, *b.data.train);
  check_same(*a.data.test, *b.data.test);
}

// Numbers whose sums round; a column of text in quotes, with all that quotes may hold.
std::string table(int rows, const std::string& line_end) {
  std::string text = "x,y,\"the \"\"z\"\"\",kind" + line_end;
  for (int i = 0; i < rows; ++i) {
    text += std::to_string(i * 0.37 + 1e-3 / (i + 1)) + ", " + std::to_string(1e6 / (i + 3)) +
            " ,\"" + std::to_string(i % 5) + "\"," +
            (i % 3 ? "plain" : "\"two\nlines, \"\"quoted\"\"\"") + line_end;
    if (i % 4 == 0) text += line_end;
  }
  return text;
}

// What `work` adds to this process's memory at most, measured in a process of its own.
template <class Work>
std::int64_t added_bytes(const Work& work) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::int64_t before = resident_bytes();
    work();
    const std::int64_t added = peak_resident_bytes() - before;
    const auto written = ::write(ends[1], &added, sizeof added);
    ::_exit(written == sizeof added ? 0 : 1);
  }
  ::close(ends[1]);
  std::int64_t added = -1;
  CHECK(::read(ends[0], &added, sizeof added) == sizeof added);
  ::close(ends[0]);
  int status = 0;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  return added;
}

}  // namespace

TEST_CASE("CSV read in pieces of any size: the same rows, lines, places and errors") {
  const Folder folder("espalier_csv_pieces");
  const fs::path file = folder.path / "t.csv";
  const std::string texts[] = {"",
                               "a,b\n1,2\n",
                               "\xef\xbb\xbf"
                               "a,b\r\n\r\n1 ,\t2\r\n3,4",
                               "\"a \"\"b\"\"\nc\" , d\n\n\"\",\n",
                               "a,\"never closed\nb,c\n",
                               "a,b\n1,\"2\"x\n",
                               "a,b\n1,2\"\n3,4\n",
                               "a\r,b\r\n\r1,2\r",
                               "\"a\",\"b\"\r\n\"1\",\"2\"\r\n\"3\",\"4\" \r\n\"5\",\"6\"\r\n",
                               std::string("a,b\n1,\0\n", 8),
                               table(6, "\r\n")};
  for (const std::string& text : texts) {
    write_file(file, text);
    CsvReader whole(bytes(text), file.string());
    const std::string wanted = told(whole);
    const OpenFile open(file);
    for (std::size_t piece = 1; piece < 40; ++piece) {
      CsvReader reader(open, piece);
      const std::string got = told(reader);
      CHECK_MESSAGE(got == wanted, "pieces of " << piece << " of:\n" << text);
    }
  }
}

TEST_CASE("a CSV file says how far it is read, in memory and on disk") {
  const Folder folder("espalier_csv_progress");
  const fs::path file = folder.path / "t.csv";
  const std::string text = table(3000, "\n");
  write_file(file, text);
  for (const std::uint64_t memory : {std::uint64_t{0}, std::uint64_t{1} << 30}) {
    std::vector<std::int64_t> heard;
    load_csv(file, {.memory_bytes = memory, .progress = [&](std::int64_t done, std::int64_t total) {
                      CHECK(total == std::ssize(text));
                      heard.push_back(done);
                    }});
    REQUIRE(heard.size() == 3);  // of 3,000 rows the first, and each 1,024th behind it
    CHECK(heard[0] == 0);
    CHECK(heard[1] > std::ssize(text) / 4);
    CHECK(heard[2] > heard[1]);
    CHECK(heard[2] < std::ssize(text));
  }
}

TEST_CASE(
    "a CSV file that stays on disk gives the examples, scalings and names that memory gives") {
  const Folder folder("espalier_csv_stays");
  const fs::path file = folder.path / "t.csv";
  for (const char* line_end : {"\n", "\r\n"}) {
    write_file(file, table(90, line_end));
    check_same(load_csv(file), load_csv(file, {.memory_bytes = 0}));
    check_same(
        load_csv(file, {.label = "x", .regression = true, .names = {"y"}, .label_name = "x"}),
        load_csv(file, {.label = "x",
                        .regression = true,
                        .names = {"y"},
                        .label_name = "x",
                        .memory_bytes = 0}));
  }
  // As a model wants it, and by the way that programs take.
  const CsvOptions model{.columns = {{3, 2}, {1, 0}},
                         .classes = {"plain", "two\nlines, \"quoted\"", "third"},
                         .names = {"the \"z\"", "x"},
                         .label_name = "kind"};
  CsvOptions streamed = model;
  streamed.memory_bytes = 0;
  check_same(load_csv(file, model), load_csv(file, streamed));
  const auto by_path = load_data(file, {.csv = model, .cache_bytes = 0});
  check_same(*load_csv(file, model).data.train, *by_path.data.train);
}

TEST_CASE("the errors of a CSV file are the same, wherever it stays") {
  const Folder folder("espalier_csv_errors");
  const fs::path file = folder.path / "t.csv";
  const std::string good = "a,b,c\n1,2,x\n2,3,y\n3,4,x\n4,5,y\n";
  for (const std::string& text :
       {std::string(), std::string("a,b,c\n"), good + "5,6\n", good + "5,word,x\n", good + ",1,x\n",
        good + "5,1e999,x\n", good + "5,6,\n", good + "5,6,\"x\n", std::string("a,b\n1,x\n2,x\n"),
        std::string("a,b\n1,x\n2,y\n3,z\n")}) {
    write_file(file, text);
    const std::string wanted = message_of([&] { load_csv(file); });
    CHECK(!wanted.empty());
    // An empty file has no more than no bytes: it is read whole.
    CHECK(message_of([&] { load_csv(file, {.memory_bytes = 0}); }) == wanted);
  }
}

TEST_CASE("a CSV file that changes while it is in use is an error that says so") {
  const Folder folder("espalier_csv_changes");
  const fs::path file = folder.path / "t.csv";
  write_file(file, table(30, "\n"));
  const CsvData data = load_csv(file, {.memory_bytes = 0});
  fs::resize_file(file, 40);
  CHECK(message_of([&] { data.data.train->get(data.data.train->size() - 1); }).find("4 ") == 0);
  std::string other(fs::file_size(file) + 4000, ',');
  {  // in place: write_file would put another file there, and leave the open one as it was
    FILE* out = std::fopen(file.c_str(), "r+");
    REQUIRE(out != nullptr);
    CHECK(std::fwrite(other.data(), 1, other.size(), out) == other.size());
    CHECK(std::fclose(out) == 0);
  }
  const std::string message = message_of([&] { data.data.train->get(0); });
  CHECK_MESSAGE(message.find("was changed while it was in use") != std::string::npos, message);
}

TEST_CASE("IDX images that stay in their file: the same, as they are, resized and grey") {
  const Folder folder("espalier_idx_stays");
  for (const std::string part : {"train", "t10k"}) {
    Tensor images(Shape{9, 6, 5, 3}, DType::kUint8), labels(Shape{9}, DType::kUint8);
    int k = part == "train" ? 0 : 7;
    for (std::uint8_t& v : images.mutable_values<std::uint8_t>())
      v = static_cast<std::uint8_t>((k += 13) % 251);
    for (std::uint8_t& v : labels.mutable_values<std::uint8_t>())
      v = static_cast<std::uint8_t>(++k % 4);
    write_file(folder.path / (part + "-images-idx4-ubyte"), encode_idx(images));
    write_file(folder.path / (part + "-labels-idx1-ubyte"), encode_idx(labels));
  }
  for (const bool grey : {false, true})
    for (const std::optional<ImageSize> size : {std::optional<ImageSize>(), {ImageSize{4, 7}}}) {
      const auto memory = load_idx_folder(folder.path, {.size = size, .grey = grey});
      const auto disk =
          load_idx_folder(folder.path, {.size = size, .grey = grey, .memory_bytes = 0});
      check_same(*memory.data.train, *disk.data.train);
      check_same(*memory.data.test, *disk.data.test);
    }
  const fs::path images = folder.path / "train-images-idx4-ubyte";
  const auto wrong = [&] {
    const std::string memory = message_of([&] { load_idx_folder(folder.path); });
    CHECK(!memory.empty());
    CHECK(message_of([&] { load_idx_folder(folder.path, {.memory_bytes = 0}); }) == memory);
  };
  // One image of 128 MB, of which the file holds nothing but a length: more than a picture may be.
  const fs::path huge = folder.path / "huge";
  write_file(huge, std::string("\0\0\x08\x03\0\0\0\x01\0\0\x20\0\0\0\x40\0", 16));
  fs::resize_file(huge, 16 + (1 << 27));
  const std::string message = message_of([&] { find_idx(OpenFile(huge), 3); });
  CHECK_MESSAGE(message.find("has images of 134217728 bytes") != std::string::npos, message);
  fs::resize_file(images, fs::file_size(images) - 1);  // shorter than it promises
  wrong();
  fs::resize_file(images, 10);  // within its header
  wrong();
  write_file(images, "no IDX file, though long enough for a header");
  wrong();
  write_file(folder.path / "train-images-idx4-ubyte",
             encode_idx(Tensor(Shape{8, 6, 5, 3}, DType::kUint8)));  // one fewer than labels
  wrong();
}

// The sanitizers keep memory that was given back.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("a large CSV file and large IDX files take little memory where they stay on disk") {
  const Folder folder("espalier_stays_large");
  const fs::path file = folder.path / "t.csv";
  std::string row, text;
  for (int c = 0; c < 100; ++c) row += std::to_string(c * 0.123456) + ",";
  while (text.size() < (40u << 20)) text += row + (text.size() % 2 ? "odd\n" : "even\n");
  write_file(file, text);
  text = {};
  const auto use = [](const TrainTest& data) {
    double sum = 0;
    for (std::int64_t i = 0; i < data.train->size(); i += 7)
      sum += double{data.train->get(i).image.values()[0]};
    if (sum < 0) ::_exit(2);
  };
  constexpr std::int64_t kMb = 1 << 20;
  CHECK(added_bytes([&] { use(load_csv(file).data); }) > 40 * kMb);
  const std::int64_t of_table =
      added_bytes([&] { use(load_csv(file, {.memory_bytes = kMb}).data); });
  CHECK_MESSAGE(of_table < 8 * kMb, of_table);

  for (const std::string part : {"train", "t10k"}) {
    const Shape shape{part == "train" ? 40'000 : 10, 32, 32};
    write_file(folder.path / (part + "-images-idx3-ubyte"),
               encode_idx(Tensor(shape, DType::kUint8)));
    write_file(folder.path / (part + "-labels-idx1-ubyte"),
               encode_idx(Tensor(Shape{shape[0]}, DType::kUint8)));
  }
  CHECK(added_bytes([&] { use(load_idx_folder(folder.path).data); }) > 38 * kMb);
  const std::int64_t of_images =
      added_bytes([&] { use(load_idx_folder(folder.path, {.memory_bytes = kMb}).data); });
  CHECK_MESSAGE(of_images < 4 * kMb, of_images);
}
#endif
