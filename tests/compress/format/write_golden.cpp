// Writes tests/golden/v1 from the sample models. Its files are kept as they are: a version 1 that
// writes other bytes for them is not version 1.
#include <filesystem>
#include <iostream>

#include "core/base/file.hpp"
#include "tests/compress/format/sample_models.hpp"

int main(int argc, char** argv) {
  using namespace espalier;
  if (argc != 2) {
    std::cerr << "usage: write-golden FOLDER\n";
    return static_cast<int>(ErrorKind::kUsage);
  }
  for (const auto& [name, model, coding] : format::samples::golden())
    write_file(std::filesystem::path(argv[1]) / name, format::write(model, coding));
}
