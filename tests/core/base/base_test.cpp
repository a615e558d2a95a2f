#include <doctest/doctest.h>

#include <filesystem>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/file.hpp"
#include "core/base/rng.hpp"
#include "core/base/table.hpp"
#include "core/base/text.hpp"

using namespace espalier;

TEST_CASE("require formats where, values and remedy, and carries the exit code") {
  CHECK_NOTHROW(require(true, "op", "never shown"));
  try {
    require(2 < 1, "matmul", "inner sizes differ: ", 2, " and ", 1);
    FAIL("did not throw");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == "matmul: inner sizes differ: 2 and 1");
    CHECK(error.exit_code() == 2);
  }
}

TEST_CASE("printable: no control character and no broken UTF-8 reaches the terminal") {
  CHECK(printable("conv 1, caf\u00e9, \u5b57, \U0001f331") ==
        "conv 1, caf\u00e9, \u5b57, \U0001f331");
  CHECK(printable("a\x1b[31mb\n\x7f") == "a\\x1b[31mb\\x0a\\x7f");
  CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");  // CSI as U+009B
  CHECK(printable("\x9b|\xff|\xc0\xaf") == "\\x9b|\\xff|\\xc0\\xaf");
  CHECK(printable("\xe5\xad") == "\\xe5\\xad");  // cut short
  CHECK(printable(std::string(1, '\0')) == "\\x00");
}

TEST_CASE("shell_word: a shell reads back the word") {
  CHECK(shell_word("model.esp") == "model.esp");
  CHECK(shell_word("/a/b-c_1.esp") == "/a/b-c_1.esp");
  CHECK(shell_word("my flowers") == "'my flowers'");
  CHECK(shell_word("it's; rm *") == "'it'\\''s; rm *'");
  CHECK(shell_word("$HOME") == "'$HOME'");
  CHECK(shell_word("~") == "'~'");
  CHECK(shell_word("") == "''");
}

TEST_CASE("Philox 4x32-10 gives Random123's known answers") {
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox({0, 0, 0, 0}, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({~0u, ~0u, ~0u, ~0u}, ~0ull) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
}

TEST_CASE("a stream depends on seed and name, and resumes where it was") {
  Rng a(7, "init"), b(7, "init"), other(7, "shuffle"), seed(8, "init");
  const auto first = a.next();
  CHECK(first == b.next());
  CHECK(first != other.next());
  CHECK(first != seed.next());
  for (int i = 0; i < 10; ++i) a.next();
  const auto eleventh = a.next();
  b.seek(11);
  CHECK(b.next() == eleventh);
}

TEST_CASE("random numbers have the moments that they should") {
  Rng rng(1, "test");
  double mean = 0, square = 0, uniform = 0;
  constexpr int kDraws = 200000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = rng.normal();
    mean += x / kDraws;
    square += x * x / kDraws;
    uniform += rng.uniform() / kDraws;
  }
  CHECK(std::abs(mean) < 0.01);
  CHECK(std::abs(square - 1) < 0.02);
  CHECK(std::abs(uniform - 0.5) < 0.005);
  std::array<int, 3> counts{};
  for (int i = 0; i < 30000; ++i) ++counts[rng.below(3)];
  for (int count : counts) CHECK(std::abs(count - 10000) < 400);
}

TEST_CASE("bytes: what is written is read; anything else is corrupt") {
  ByteWriter out;
  out.u32(0x01020304);
  out.f32(-1.5f);
  ByteReader in(out.bytes(), "test.bin");
  CHECK(in.u32() == 0x01020304);
  CHECK(in.f32() == -1.5f);
  CHECK_THROWS_AS(in.u8(), Error);
  CHECK(ByteReader(out.bytes(), "x").u32_big_endian() == 0x04030201);
  const std::string check = "123456789";
  CHECK(crc32(std::span(reinterpret_cast<const std::uint8_t*>(check.data()), check.size())) ==
        0xCBF43926u);
  CHECK(crc16(std::span(reinterpret_cast<const std::uint8_t*>(check.data()), check.size())) ==
        0x29B1);  // of the catalogue's CRC-16/IBM-3740
}

TEST_CASE("files: written whole, read with a limit, errors typed") {
  const auto folder = std::filesystem::temp_directory_path() / "espalier_base_test";
  std::filesystem::create_directories(folder);
  write_file(folder / "a.txt", "first");
  write_file(folder / "a.txt", "second");
  CHECK(read_file(folder / "a.txt").size() == 6);
  CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);  // no litter
  CHECK_THROWS_AS(read_file(folder / "a.txt", 3), Error);
  CHECK_THROWS_AS(read_file(folder / "missing"), Error);
  CHECK_THROWS_AS(read_file(folder), Error);
  CHECK_THROWS_AS(write_file(folder / "no" / "such" / "folder", "x"), Error);
  std::filesystem::remove_all(folder);
}

TEST_CASE("text") {
  CHECK(shortest_decimal(0.8f) == 0.8);
  CHECK(shortest_decimal(-1e-30f) == -1e-30);
  CHECK(shortest_decimal(3) == 3);
  CHECK(with_commas(3274762) == "3,274,762");
  CHECK(with_commas(-1000) == "-1,000");
  CHECK(with_commas(999) == "999");
  CHECK(percent(0.97941) == "97.94 %");
  CHECK(duration(75) == "1 min 15 s");
  CHECK(pad_left("é", 3) == "  é");
  CHECK(nearest("lagre", {"small", "large"}) == "large");
  CHECK(nearest("xyzzy", {"small", "large"}).empty());
}

TEST_CASE("fill_uniform draws what uniform draws, from any position") {
  for (const std::uint64_t start : {0, 1, 3, 4})
    for (const std::size_t count : {0, 1, 2, 5, 11}) {
      Rng one(3, "dropout"), other(3, "dropout");
      one.seek(start);
      other.seek(start);
      std::vector<float> drawn(count);
      one.fill_uniform(drawn);
      for (const float v : drawn) CHECK(v == other.uniform());
      CHECK(one.position() == other.position());
      CHECK(one.uniform() == other.uniform());
    }
}

TEST_CASE("a table aligns its columns and goes on below where it is too wide") {
  const std::vector<Column> columns = {{"stage", {"a", "bcd"}, true},
                                       {"n", {"1", "23"}},
                                       {"é", {"▌", ""}, true},
                                       {"last", {"x", "y"}}};
  CHECK(table(columns) ==
        "stage   n  é  last\n"
        "a       1  ▌     x\n"
        "bcd    23        y\n");
  CHECK(table(columns, 12) ==
        "stage   n  é\n"
        "a       1  ▌\n"
        "bcd    23\n"
        "\n"
        "stage  last\n"
        "a         x\n"
        "bcd       y\n");
  CHECK(table(columns, 1).find("stage   n\n") == 0);  // never without a column of its own
  CHECK_THROWS_AS(table({{"a", {"1"}}, {"b", {}}}), Error);
  CHECK(terminal_width(-1) == 0);
}
