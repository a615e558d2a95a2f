// Writes tests/golden/v1 to v3 from the sample models. Their files are kept as they are: a version
// that writes other bytes for them is another version.
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
  const std::filesystem::path folder = argv[1];
  for (const auto& [name, model, coding] : format::samples::golden())
    write_file(folder / "v1" / name, format::write(model, coding));
  for (const auto& [name, model, coding] : format::samples::golden_v2())
    write_file(folder / "v2" / name, format::write(model, coding));
  for (const auto& [name, model, coding] : format::samples::golden_v3())
    write_file(folder / "v3" / name, format::write(model, coding));
}
