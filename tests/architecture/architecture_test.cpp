// The house's two rules: the top level holds exactly its entries, and a room includes only the
// rooms that the table permits (each also sees what its permitted rooms see).
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;
namespace {

const fs::path kRoot = ESPALIER_SOURCE_DIR;

const std::map<std::string, std::vector<std::string>> kMayInclude = {
    {"core/base", {}},
    {"core/tensor", {"core/base"}},
    {"core/archive", {"core/tensor"}},
    {"core/onednn", {"core/tensor"}},
    {"core/kernels", {"core/tensor", "core/onednn"}},
    {"core/autograd", {"core/tensor"}},
    {"core/ops", {"core/autograd", "core/kernels"}},
    {"layers", {"core/ops", "core/archive"}},
    {"datasets", {"core/base", "core/tensor"}},
    {"optim", {"core/ops", "core/archive", "layers"}},
    {"optim/training", {"optim", "datasets", "core/archive"}},
    {"compress/prune", {"layers", "optim/training"}},
    {"compress/quantize", {"layers", "optim/training"}},
    {"compress/cluster", {"layers", "optim/training"}},
    {"compress/rate", {"compress/quantize"}},
    {"compress/format", {"core/base"}},
    {"compress/pack",
     {"compress/format", "compress/prune", "compress/quantize", "compress/cluster",
      "compress/rate"}},
    {"compress/runtime", {"core/tensor", "core/onednn", "core/kernels", "compress/format"}},
    // Needs integers, not how they were trained.
    {"compress/descent", {"compress/runtime"}},
    {"compress/export", {"compress/format"}},
    {"compress/recipe",
     {"compress/prune", "compress/quantize", "compress/cluster", "compress/rate", "compress/pack"}},
    {"apps/common", {"core/onednn", "datasets", "compress/format"}},
    // What runs a model knows nothing of training.
    {"apps/espalier", {"apps/common", "compress/runtime", "compress/export", "datasets"}},
    {"apps/tutorial", {"apps/common", "compress/pack", "compress/runtime"}},
    {"apps/smallest", {"apps/common", "compress/pack", "compress/descent"}},
    {"apps/compress", {"apps/common", "apps/smallest", "compress/recipe"}},
    {"apps/train", {"apps/common", "apps/smallest", "compress/recipe"}},
    {"apps/verify", {"apps/common", "apps/smallest", "compress/runtime"}},
    {"apps/sensitivity", {"apps/common", "apps/smallest"}},
    {"apps/records", {"apps/common", "apps/smallest"}},
    {"apps/toolbox", {"apps/common", "apps/smallest"}},
    {"apps/examples", {"compress/pack", "compress/runtime"}},
    {"apps/examples/project", {}},  // a user's: it knows the installed headers
    {"apps/bench", {"apps/common", "apps/smallest", "compress/runtime", "compress/export"}},
};

// Libraries, by how their headers begin, and who may include them.
const std::map<std::string, std::set<std::string>> kLibraries = {
    {"oneapi/", {"core/onednn"}},
    {"dnnl", {"core/onednn"}},
    {"nlohmann/",
     {"core/archive", "layers", "apps/common", "apps/espalier", "apps/tutorial", "apps/records",
      "apps/compress", "apps/toolbox", "apps/train", "apps/bench", "apps/verify"}},
    {"zlib.h", {"datasets", "compress/pack", "apps/bench"}},
    {"openssl/", {"datasets"}},
    {"stb_", {"datasets"}},
    {"jpeglib.h", {"datasets"}},
    {"jerror.h", {"datasets"}},
    {"CLI/",
     {"apps/common", "apps/espalier", "apps/compress", "apps/toolbox", "apps/train", "apps/verify",
      "apps/sensitivity", "apps/tutorial", "apps/records", "apps/bench"}},
    {"immintrin.h", {"core/kernels", "compress/runtime"}},
    {"espalier/", {"apps/examples/project"}},
    {"zstd.h", {"apps/bench"}},
    {"lzma.h", {"apps/bench"}},
    {"brotli/", {"apps/bench"}},
};

// The standard library's headers have no folder and no extension; of the system these are used.
bool is_system(const std::string& header) {
  static const std::set<std::string> kPosix = {"fcntl.h", "poll.h", "signal.h", "spawn.h",
                                               "unistd.h"};
  return header.find_first_of("/.") == std::string::npos || header.starts_with("sys/") ||
         kPosix.contains(header);
}

// The longest room that begins `path`; "" for files outside of every room (tests).
std::string room_of(const std::string& path) {
  std::string best;
  for (const auto& [room, _] : kMayInclude)
    if (path.starts_with(room + "/") && room.size() > best.size()) best = room;
  return best;
}

std::set<std::string> sees(const std::string& room) {
  std::set<std::string> all = {room};
  for (const auto& next : kMayInclude.at(room)) all.merge(sees(next));
  return all;
}

std::vector<fs::path> sources(const std::vector<std::string>& folders = {
                                  "core", "layers", "optim", "compress", "datasets", "apps"}) {
  std::vector<fs::path> found;
  for (const auto& top : folders)
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / top))
      if (entry.path().extension() == ".cpp" || entry.path().extension() == ".hpp")
        found.push_back(entry.path());
  return found;
}

// The preprocessor's lines without their blanks: `#include"a.hpp"`.
std::vector<std::string> directives(const fs::path& file) {
  std::vector<std::string> found;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::erase_if(line, [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
    if (line.starts_with("#")) found.push_back(line);
  }
  return found;
}

struct Include {
  std::string path;
  bool quoted;
};

std::vector<Include> includes(const fs::path& file) {
  std::vector<Include> found;
  for (const auto& line : directives(file))
    if (line.starts_with("#include")) {
      const auto open = line.find_first_of("<\"");
      REQUIRE_MESSAGE(open != std::string::npos, file.string() << ": " << line);
      found.push_back({line.substr(open + 1, line.find_first_of(">\"", open + 1) - open - 1),
                       line[open] == '"'});
    }
  return found;
}

}  // namespace

TEST_CASE("the top level holds exactly the entries of the house") {
  const std::set<std::string> wanted = {
      "core",  "layers",         "optim",     "compress", "datasets",         "apps",
      "tests", "CMakeLists.txt", "README.md", "LICENSE",  "CMakePresets.json"};
  for (const auto& name : wanted) CHECK_MESSAGE(fs::exists(kRoot / name), name);
  for (const auto& entry : fs::directory_iterator(kRoot)) {
    const std::string name = entry.path().filename().string();
    const bool own_folder =
        name.starts_with("build") || name == "espalier-out";  // git ignores these
    CHECK_MESSAGE((wanted.contains(name) || name.starts_with(".") || own_folder), name);
  }
}

TEST_CASE("every include follows the table") {
  REQUIRE(sources().size() > 10);
  for (const auto& file : sources()) {
    const std::string path = fs::relative(file, kRoot).string(), room = room_of(path);
    CHECK_MESSAGE(!room.empty(), path << " lies in no room of the table");
    if (room.empty()) continue;
    const auto visible = sees(room);
    for (const auto& [include, quoted] : includes(file)) {
      const std::string target = room_of(include);
      const bool ours = fs::exists(kRoot / include);
      const auto library = std::ranges::find_if(
          kLibraries, [&](const auto& l) { return include.starts_with(l.first); });
      if (library != kLibraries.end())
        CHECK_MESSAGE(library->second.contains(room), path << " includes " << include);
      else
        CHECK_MESSAGE((ours || is_system(include)),
                      path << " includes " << include << ", which is in no table");
      CHECK_MESSAGE(ours == quoted, path << " includes " << include
                                         << ": ours are quoted and named from the top level");
      if (ours)
        CHECK_MESSAGE((!target.empty() && visible.contains(target)),
                      path << " includes " << include);
    }
  }
}

TEST_CASE("tests reach oneDNN through core/onednn, too") {
  REQUIRE(sources({"tests"}).size() > 10);
  for (const auto& file : sources({"tests"}))
    for (const auto& [include, _] : includes(file))
      CHECK_MESSAGE((include.find("dnnl") == std::string::npos || fs::exists(kRoot / include)),
                    file.string() << " includes " << include);
}

TEST_CASE("headers declare something, and leave no macro behind") {
  for (const auto& file : sources()) {
    if (file.extension() != ".hpp") continue;
    const auto lines = directives(file);
    CHECK_MESSAGE(std::ranges::count(lines, "#pragmaonce") == 1, file.string());
    // An attribute that not all compilers know can only be a macro.
    const bool attribute = file.filename() == "clones.hpp" || file.filename() == "avx512.hpp";
    for (const auto& line : lines)
      CHECK_MESSAGE((attribute || !line.starts_with("#define")), file.string());
    // An umbrella header is nothing but includes and comments.
    std::ifstream in(file);
    bool declares = false;
    for (std::string line; std::getline(in, line);)
      declares |= !line.empty() && !line.starts_with("#") && !line.starts_with("//");
    CHECK_MESSAGE(declares, file.string() << " only includes others");
  }
}

TEST_CASE("a source file holds one idea: at most 400 lines") {
  for (const auto& file : sources()) {
    std::ifstream in(file);
    const auto lines = std::count(std::istreambuf_iterator<char>(in), {}, '\n');
    CHECK_MESSAGE(lines <= 400, file.string() << " has " << lines << " lines");
  }
}
