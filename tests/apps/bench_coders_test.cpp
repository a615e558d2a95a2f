#include <doctest/doctest.h>

#include "tests/apps/program.hpp"

using namespace espalier;
using namespace espalier::tests;

TEST_CASE("bench-coders: peers, ingredients and speed of a file's levels") {
  const std::string golden = ESPALIER_SOURCE_DIR "/tests/golden/v1/";
  const auto table =
      run_program("espalier-bench-coders --ingredients --speed " + golden + "lenet5.esp");
  INFO(table.output);
  CHECK(table.exit_code == 0);
  for (const char* part : {"zlib -9", "CSR + Huffman", "static rANS", "order-0 entropy", "ours",
                           "the neighbours' signs", "careful", "whole file, c99/esp_decode.c"})
    CHECK_MESSAGE(contains(table.output, part), part);
  CHECK(run_program("espalier-bench-coders " + golden + "network_32.esp").exit_code == 2);
  CHECK(run_program("espalier-bench-coders /nonexistent_folder.esp").exit_code == 4);
}
