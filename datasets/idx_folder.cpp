#include "datasets/idx_folder.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/file.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/new_folder.hpp"
#include "core/base/open_file.hpp"
#include "datasets/class_names.hpp"
#include "datasets/file_images.hpp"
#include "datasets/gzip.hpp"
#include "datasets/idx.hpp"
#include "datasets/in_memory.hpp"
#include "datasets/luma.hpp"
#include "datasets/resize.hpp"

namespace espalier::datasets {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxLabelFileBytes = 1u << 20;
constexpr const char* kParts[] = {"train", "t10k"};

// The file's path, plain or .gz; nullopt if there is neither.
std::optional<fs::path> find(const fs::path& folder, const std::string& name) {
  std::error_code ignored;
  for (const char* suffix : {"", ".gz"})
    if (fs::path path = folder / (name + suffix); fs::exists(path, ignored)) return path;
  return std::nullopt;
}

struct Arrays {
  Shape shape;                           // of the images, [N H W C]
  Tensor images;                         // uint8; undefined where they stay
  std::shared_ptr<const OpenFile> file;  // in this file,
  std::uint64_t offset = 0;              // from here on
  Tensor labels;                         // uint8 [N]
  fs::path images_file, labels_file;
};

// A file that can stay where it is: too large for memory, and not gzipped. Null otherwise.
std::shared_ptr<const OpenFile> staying(const fs::path& path, const IdxFolderOptions& options) {
  auto file = std::make_shared<const OpenFile>(path);
  Bytes start(2);
  if (file->size_bytes() <= std::max<std::uint64_t>(options.memory_bytes, start.size()))
    return nullptr;
  file->read(0, start);
  return is_gzip(start) ? nullptr : file;
}

Arrays load(const fs::path& folder, const std::string& part, const IdxFolderOptions& options) {
  const auto grey = find(folder, part + "-images-idx3-ubyte"),
             color = find(folder, part + "-images-idx4-ubyte"),
             labels = find(folder, part + "-labels-idx1-ubyte");
  require(
      grey || color, ErrorKind::kIo, (folder / (part + "-images-idx3-ubyte")).string(),
      "is missing, plain and as .gz (and -idx4-, for colour), though other IDX files are there");
  require(!grey || !color, grey ? grey->string() : "", "and ", color ? color->string() : "",
          " are both there; move one away");
  require(labels.has_value(), ErrorKind::kIo, (folder / (part + "-labels-idx1-ubyte")).string(),
          "is missing, plain and as .gz, though other IDX files are there");
  const fs::path images = grey ? *grey : *color;
  const int rank = grey ? 3 : 4;
  Arrays arrays{.shape = {},
                .images = {},
                .file = staying(images, options),
                .labels = load_idx(*labels, 1),
                .images_file = images,
                .labels_file = *labels};
  if (arrays.file) {
    const IdxPlace place = find_idx(*arrays.file, rank);
    arrays.shape = place.shape, arrays.offset = place.offset;
  } else {
    arrays.images = load_idx(images, rank);
    arrays.shape = arrays.images.shape();
  }
  const Shape s = arrays.shape;
  if (grey) arrays.shape = {s[0], s[1], s[2], 1};
  if (grey && arrays.images.defined()) arrays.images = arrays.images.reshaped(arrays.shape);
  require(grey || s[3] == 1 || s[3] == 3, ErrorKind::kCorrupt, images.string(), "has ", s[-1],
          " channels, wanted 1 or 3");
  return arrays;
}

Tensor grey_of(const Tensor& image) {
  Tensor out = Tensor::uninitialized({image.shape()[0], image.shape()[1], 1}, DType::kUint8);
  const std::uint8_t* rgb = image.data<std::uint8_t>();
  for (std::uint8_t& v : out.mutable_values<std::uint8_t>()) {
    v = luma(rgb[0], rgb[1], rgb[2]);
    rgb += 3;
  }
  return out;
}

// Whether images [N H W C] are made grey or resized.
bool changes(const Shape& s, const IdxFolderOptions& options) {
  return (options.grey && s[3] == 3) || (options.size && *options.size != ImageSize{s[1], s[2]});
}

Tensor prepared(Tensor image, const IdxFolderOptions& options) {
  if (options.grey && image.shape()[2] == 3) image = grey_of(image);
  const auto size = options.size.value_or(ImageSize{image.shape()[0], image.shape()[1]});
  return resize_bytes(image, size.height, size.width);
}

// [N H W C], each image prepared.
Tensor all_prepared(const Tensor& images, const IdxFolderOptions& options) {
  const Shape s = images.shape();
  const ImageSize size = options.size.value_or(ImageSize{s[1], s[2]});
  const std::int64_t channels = options.grey ? 1 : s[3], each = s[1] * s[2] * s[3];
  const auto bytes = static_cast<std::uint64_t>(s[0] * size.height * size.width * channels);
  require(bytes <= kMaxIdxBytes, "size", "the resized images would take ", bytes,
          " bytes, at most ", kMaxIdxBytes, " are possible; choose a smaller size");
  Tensor out = Tensor::uninitialized({s[0], size.height, size.width, channels}, DType::kUint8);
  std::uint8_t* to = out.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < s[0]; ++i) {
    const Tensor image = Tensor::from<std::uint8_t>(
        {s[1], s[2], s[3]},
        images.values<std::uint8_t>().subspan(static_cast<std::size_t>(i * each),
                                              static_cast<std::size_t>(each)));
    to = std::ranges::copy(prepared(image, options).values<std::uint8_t>(), to).out;
  }
  return out;
}

std::shared_ptr<const Dataset> dataset_of(const Arrays& a, int classes,
                                          const IdxFolderOptions& options) {
  const bool change = changes(a.shape, options);
  if (!a.file)
    return std::make_shared<InMemory>(change ? all_prepared(a.images, options) : a.images, a.labels,
                                      classes, a.labels_file.string());
  FileImages::Options staying{.file = a.file,
                              .offset = a.offset,
                              .stored = a.shape,
                              .labels = a.labels,
                              .classes = classes,
                              .labels_name = a.labels_file.string()};
  if (change) staying.prepare = [options](const Tensor& image) { return prepared(image, options); };
  return std::make_shared<FileImages>(std::move(staying));
}

std::vector<std::string> load_labels(const fs::path& file) {
  std::vector<std::string> labels;
  if (!fs::exists(file)) return labels;
  const Bytes bytes = read_file(file, kMaxLabelFileBytes);
  std::string line;
  const auto add = [&] {
    if (line.ends_with('\r')) line.pop_back();
    require(!line.empty(), ErrorKind::kCorrupt, file.string(), "line ", labels.size() + 1,
            " is empty, wanted the name of class ", labels.size());
    require(line.size() <= kMaxLabelBytes, ErrorKind::kCorrupt, file.string(), "line ",
            labels.size() + 1, " has ", line.size(), " bytes, a class's name at most ",
            kMaxLabelBytes);
    require(std::ranges::find(labels, line) == labels.end(), ErrorKind::kCorrupt, file.string(),
            "line ", labels.size() + 1, " names a class again: ", line);
    labels.push_back(line);
    line.clear();
  };
  for (const std::uint8_t byte : bytes) {
    if (byte == '\n')
      add();
    else
      line += static_cast<char>(byte);
  }
  if (!line.empty()) add();
  require(!labels.empty() && labels.size() <= 256, ErrorKind::kCorrupt, file.string(), "has ",
          labels.size(), " lines, wanted 1 to 256: one a class");
  return labels;
}

// [N H W] or [N H W C], and [N], both of uint8.
void write_part(NewFolder& folder, const std::string& part, const Dataset& data) {
  const Shape s = data.image_shape();
  Tensor labels = Tensor::uninitialized({data.size()}, DType::kUint8);
  Tensor images = Tensor::uninitialized({data.size(), s[0], s[1], s[2]}, DType::kUint8);
  std::uint8_t* to = images.mutable_data<std::uint8_t>();
  for (std::int64_t i = 0; i < data.size(); ++i) {
    check_interrupt("IDX");
    const Example example = data.get(i);
    for (const float v : example.image.values())
      *to++ = static_cast<std::uint8_t>(std::lround(std::clamp(v, 0.0f, 1.0f) * 255.0f));
    labels.mutable_data<std::uint8_t>()[i] = static_cast<std::uint8_t>(example.label);
  }
  if (s[2] == 1) images = images.reshaped({data.size(), s[0], s[1]});
  const std::string rank = s[2] == 1 ? "3" : "4";
  folder.write(part + "-images-idx" + rank + "-ubyte.gz", gzip(encode_idx(images)));
  folder.write(part + "-labels-idx1-ubyte.gz", gzip(encode_idx(labels)));
}

}  // namespace

bool is_idx_folder(const fs::path& folder) {
  return std::ranges::any_of(kParts, [&](const std::string& part) {
    return find(folder, part + "-images-idx3-ubyte") || find(folder, part + "-images-idx4-ubyte") ||
           find(folder, part + "-labels-idx1-ubyte");
  });
}

IdxFolderData load_idx_folder(const fs::path& folder, const IdxFolderOptions& options) {
  const Arrays train = load(folder, kParts[0], options), test = load(folder, kParts[1], options);
  IdxFolderData result{{}, load_labels(folder / "labels.txt")};
  int classes = static_cast<int>(result.labels.size());
  if (classes == 0)
    for (const Tensor* labels : {&train.labels, &test.labels})
      classes = std::max(classes, 1 + std::ranges::max(labels->values<std::uint8_t>()));
  result.data = {dataset_of(train, classes, options), dataset_of(test, classes, options)};
  const Shape a = result.data.train->image_shape(), b = result.data.test->image_shape();
  require(a == b, ErrorKind::kCorrupt, test.images_file.string(), "has images of ", b,
          ", those of ", train.images_file.string(), " are ", a);
  return result;
}

void write_idx_folder(const fs::path& folder, const TrainTest& data,
                      const std::vector<std::string>& labels) {
  const Shape s = data.train->image_shape();
  require(s[2] == 1 || s[2] == 3, "IDX", "wants images of 1 or 3 channels, got ", s);
  require(data.train->classes() <= 256, "IDX", "holds at most 256 classes, got ",
          data.train->classes());
  for (const auto* part : {data.train.get(), data.test.get()})
    require(part->size() * s.elements() <= static_cast<std::int64_t>(kMaxIdxBytes), "IDX",
            part->size(), " images of ", s, " take more than ", kMaxIdxBytes,
            " bytes; choose a smaller size");
  std::string names;
  for (const std::string& label : labels) {
    require(label.find_first_of("\r\n") == std::string::npos && !label.empty(), "IDX",
            "the class '", label,
            "' has a line break in its name, or none; labels.txt cannot hold it");
    names += label + "\n";
  }
  NewFolder made(folder);
  write_part(made, kParts[0], *data.train);
  write_part(made, kParts[1], *data.test);
  if (!labels.empty())
    made.write("labels.txt", {reinterpret_cast<const std::uint8_t*>(names.data()), names.size()});
  made.finish();
}

}  // namespace espalier::datasets
