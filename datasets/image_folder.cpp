#include "datasets/image_folder.hpp"

#include <algorithm>
#include <system_error>

#include "core/base/text.hpp"
#include "datasets/class_names.hpp"
#include "datasets/picture_files.hpp"
#include "datasets/subset.hpp"

namespace espalier::datasets {
namespace {

namespace fs = std::filesystem;

struct Entries {
  std::vector<fs::path> folders, others;  // each ascending by the bytes of its name
};

Entries entries_of(const fs::path& folder) {
  Entries found;
  std::error_code failure;
  for (fs::directory_iterator at(folder, failure), end; !failure && at != end;
       at.increment(failure)) {
    if (at->path().filename().string().starts_with(".")) continue;
    std::error_code ignored;  // a link to nowhere is no folder
    (at->is_directory(ignored) ? found.folders : found.others).push_back(at->path());
  }
  require(!failure, ErrorKind::kIo, folder.string(), "cannot be read: ", failure.message());
  for (auto* paths : {&found.folders, &found.others})
    std::ranges::sort(*paths, {}, [](const fs::path& p) { return p.filename().string(); });
  return found;
}

constexpr const char* kLayout =
    "; a folder of images holds one folder a class, or train/ and test/ that do";

std::vector<std::string> class_names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path& path : entries_of(folder).folders) names.push_back(path.filename().string());
  require(names.size() >= 2, folder.string(), "holds ", names.size(),
          names.size() == 1 ? " folder (" + names[0] + ")" : " folders", ", wanted at least two",
          kLayout);
  for (const std::string& name : names)
    require(printable(name) == name, folder.string(), "the class '", printable(name),
            "' has control characters or bytes that are no UTF-8 in its name; rename the folder");
  require(names.size() <= kMaxClasses, folder.string(), "holds ", names.size(),
          " folders, at most ", kMaxClasses, " classes are possible");
  return names;
}

// The files of each class in turn. A class may have no folder where `partial`.
std::vector<PictureFile> files_of(const fs::path& folder, const std::vector<std::string>& names,
                                  bool partial) {
  std::vector<PictureFile> files;
  for (std::size_t c = 0; c < names.size(); ++c) {
    const fs::path of_class = folder / names[c];
    if (partial && !fs::exists(of_class)) continue;
    const Entries entries = entries_of(of_class);
    require(entries.folders.empty(), of_class.string(),
            "is the folder of a class, but holds the folder ",
            entries.folders.empty() ? "" : entries.folders[0].filename().string(), kLayout);
    require(!entries.others.empty(), of_class.string(),
            "holds no picture; fill it, or remove the class");
    for (const fs::path& file : entries.others) files.push_back({file, static_cast<int>(c)});
  }
  return files;
}

void check_every_class(const PictureFiles& files, const std::vector<std::string>& names,
                       const fs::path& folder) {
  std::vector<bool> seen(names.size());
  for (const int label : files.labels()) seen[static_cast<std::size_t>(label)] = true;
  const auto none = std::ranges::find(seen, false);
  require(none == seen.end(), ErrorKind::kCorrupt,
          (folder / names[static_cast<std::size_t>(none - seen.begin()) % names.size()]).string(),
          "holds no picture that can be read; repair it, or remove the class");
}

std::vector<SizeCount> by_frequency(const std::map<ImageSize, std::int64_t>& sizes) {
  std::vector<SizeCount> all;
  for (const auto& [size, count] : sizes) all.push_back({size, count});
  std::ranges::stable_sort(all, std::ranges::greater(), &SizeCount::count);
  return all;
}

}  // namespace

ImageFolderData load_image_folder(const fs::path& folder, const ImageFolderOptions& options) {
  std::error_code ignored;
  require(fs::is_directory(folder, ignored), ErrorKind::kIo, folder.string(),
          fs::exists(folder, ignored) ? "is no folder" : "there is no such folder");
  if (const auto& size = options.size)
    require(size->height >= 1 && size->width >= 1 && size->height <= kMaxImageSide &&
                size->width <= kMaxImageSide,
            "size", "wants sides of 1 to ", kMaxImageSide, ", got ", size->height, " x ",
            size->width);
  const bool train = fs::is_directory(folder / "train", ignored),
             test = fs::is_directory(folder / "test", ignored);
  require(train == test, folder.string(), "holds ", train ? "train" : "test", "/ without ",
          train ? "test" : "train", "/", kLayout);
  ImageFolderData result;
  result.has_parts = train;
  Reading reading{
      .size = options.size, .cache_bytes = options.cache_bytes, .skipped = {}, .sizes = {}};
  const auto part = [&](const fs::path& of, bool partial) {
    auto files =
        std::make_shared<PictureFiles>(files_of(of, result.labels, partial),
                                       static_cast<int>(result.labels.size()), options, reading);
    if (!partial) check_every_class(*files, result.labels, of);
    result.skipped = reading.skipped;
    result.sizes = by_frequency(reading.sizes);
    return files;
  };
  if (!train) {
    result.labels = class_names(folder);
    const auto all = part(folder, false);
    auto [for_train, for_test] = stratified_split(all->labels(), all->classes(), options.split);
    result.data = {std::make_shared<Subset>(all, std::move(for_train)),
                   std::make_shared<Subset>(all, std::move(for_test))};
    return result;
  }
  const Entries entries = entries_of(folder);
  for (const fs::path& other : entries.folders)
    require(other.filename() == "train" || other.filename() == "test", other.string(),
            "lies beside train/ and test/, and would not be used; move it away");
  result.labels = class_names(folder / "train");
  for (const fs::path& path : entries_of(folder / "test").folders)
    require(std::ranges::binary_search(result.labels, path.filename().string()), path.string(),
            "is a class that train/ does not have");
  const auto for_train = part(folder / "train", false), for_test = part(folder / "test", true);
  require(for_test->size() > 0, (folder / "test").string(), "holds no picture", kLayout);
  Rng rng(options.split.seed, "split.order");
  result.data = {shuffled(for_train, rng), for_test};
  return result;
}

}  // namespace espalier::datasets
