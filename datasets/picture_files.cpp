#include "datasets/picture_files.hpp"

#include "core/base/interrupt.hpp"
#include "core/base/text.hpp"
#include "datasets/resize.hpp"

namespace espalier::datasets {
namespace {

namespace fs = std::filesystem;

// Of a file's error, without its name in front.
std::string reason_of(const Error& error, const fs::path& file) {
  const std::string message = error.what(), name = file.string() + ": ";
  return message.starts_with(name) ? message.substr(name.size()) : message;
}

std::string shown(const Shape& s) {
  return std::to_string(s[1]) + " x " + std::to_string(s[0]);
}

}  // namespace

PictureFiles::PictureFiles(const std::vector<PictureFile>& files, int classes,
                           const ImageFolderOptions& options, Reading& reading)
    : classes_(classes), color_(options.color), resized_(options.size || options.first_size) {
  const auto channels = static_cast<std::int64_t>(color_);
  auto& [size, cache_bytes, skipped, sizes] = reading;
  const std::size_t skipped_before = skipped.size();
  if (size) shape_ = {size->height, size->width, channels};
  bool room = true;
  fs::path first;
  for (std::size_t i = 0; i < files.size(); ++i) {
    check_interrupt("image folder");
    if (options.progress) options.progress(static_cast<std::int64_t>(i), std::ssize(files));
    const PictureFile& file = files[i];
    Tensor image;
    try {
      // A pipe or device in the place of a picture would not end.
      std::error_code ignored;
      require(fs::is_regular_file(file.path, ignored), ErrorKind::kIo, file.path.string(),
              "is no file");
      image = load_image(file.path, color_);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCorrupt && error.kind() != ErrorKind::kIo) throw;
      skipped.push_back({file.path, reason_of(error, file.path)});
      continue;
    }
    if (!size) {
      size = ImageSize{image.shape()[0], image.shape()[1]};
      shape_ = image.shape();
      first = file.path;
    }
    ++sizes[{image.shape()[0], image.shape()[1]}];
    if (resized_) image = resize_bytes(image, shape_[0], shape_[1]);
    require(image.shape() == shape_, file.path.string(), "is ", shown(image.shape()),
            " pixels, the first picture", first.empty() ? "" : " (" + first.string() + ")", " is ",
            shown(shape_), "; say a size that all are resized to, HEIGHTxWIDTH (--size)");
    room = room && image.bytes() <= cache_bytes;
    if (room) {
      cache_bytes -= image.bytes();
      cache_.push_back(image);
    }
    files_.push_back(file);
  }
  const std::size_t unreadable = skipped.size() - skipped_before;
  if (static_cast<double>(unreadable) <= options.max_unreadable * static_cast<double>(files.size()))
    return;
  constexpr std::size_t kShown = 10;
  std::vector<std::string> named;
  for (std::size_t i = skipped_before; i < skipped.size() && named.size() < kShown; ++i)
    named.push_back(skipped[i].file.string() + " (" + skipped[i].reason + ")");
  if (unreadable > kShown) named.push_back("and " + std::to_string(unreadable - kShown) + " more");
  fail(ErrorKind::kCorrupt, skipped[skipped_before].file.parent_path().parent_path().string(),
       unreadable, " of ", files.size(), " files cannot be read as pictures, more than ",
       percent(options.max_unreadable, 0), "; repair or remove them: ", join(named, ", "));
}

Example PictureFiles::get(std::int64_t i) const {
  check_index(i, size());
  const auto at = static_cast<std::size_t>(i);
  const PictureFile& file = files_[at];
  if (at < cache_.size()) return {to_float(cache_[at]), file.label};
  Tensor image = load_image(file.path, color_);
  if (resized_) image = resize_bytes(image, shape_[0], shape_[1]);
  require(image.shape() == shape_, ErrorKind::kCorrupt, file.path.string(), "is now ",
          shown(image.shape()), " pixels, it was ", shown(shape_), " when the folder was opened");
  return {to_float(image), file.label};
}

std::vector<int> PictureFiles::labels() const {
  std::vector<int> all;
  for (const PictureFile& file : files_) all.push_back(file.label);
  return all;
}

}  // namespace espalier::datasets
