#include "datasets/fetch_mnist.hpp"

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "core/base/file.hpp"
#include "core/base/progress.hpp"
#include "core/base/text.hpp"
#include "datasets/download.hpp"
#include "datasets/gzip.hpp"
#include "datasets/sha256.hpp"

namespace fs = std::filesystem;
namespace espalier::datasets {
namespace {

constexpr std::size_t kMaxUnpackedBytes = 64u << 20;  // the largest of the four has 47 MB

void verify(const Bytes& packed, const RemoteFile& file, const std::string& where) {
  require(is_gzip(packed), ErrorKind::kCorrupt, where,
          "is not gzipped; is this an error page? Try another --url");
  const std::string sum = sha256(gunzip(packed, where, kMaxUnpackedBytes));
  require(sum == file.sha256, ErrorKind::kCorrupt, where, "has the SHA-256 ", sum,
          " when unpacked, not ", file.sha256, "; try another --url");
}

bool is_there(const fs::path& path, const RemoteFile& file) {
  try {
    verify(read_file(path, kMaxUnpackedBytes), file, path.string());
    return true;
  } catch (const Error&) {
    return false;  // missing or other contents: the download replaces it
  }
}

}  // namespace

const std::vector<RemoteFile>& mnist_files() {
  static const std::vector<RemoteFile> files = {
      {"train-images-idx3-ubyte.gz", 9912422,
       "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
      {"train-labels-idx1-ubyte.gz", 28881,
       "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
      {"t10k-images-idx3-ubyte.gz", 1648877,
       "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
      {"t10k-labels-idx1-ubyte.gz", 4542,
       "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
  };
  return files;
}

int fetch_mnist(const FetchMnistOptions& options) {
  std::error_code failure;
  fs::create_directories(options.to, failure);
  require(!failure, ErrorKind::kIo, options.to.string(),
          "cannot create the folder: ", failure.message(), "; choose another with --to");
  const std::string base = options.url + (options.url.ends_with('/') ? "" : "/");
  std::int64_t total = 0, done = 0;
  for (const auto& file : options.files) total += file.bytes;
  Progress progress("MNIST", total, "bytes", options.quiet);
  std::vector<std::pair<fs::path, Bytes>> fresh;
  for (const auto& file : options.files) {
    const fs::path path = options.to / file.name;
    if (!is_there(path, file)) {
      const auto advance = [&](std::size_t bytes) {
        progress.update(done + static_cast<std::int64_t>(bytes), file.name);
      };
      Bytes packed = download(base + file.name, {.progress = advance});
      verify(packed, file, base + file.name);
      fresh.emplace_back(path, std::move(packed));
    }
    done += file.bytes;
  }
  progress.finish();
  for (const auto& [path, bytes] : fresh) {
    write_file(path, bytes);
    if (!options.quiet)
      std::cerr << path.string() << ": " << with_commas(static_cast<std::int64_t>(bytes.size()))
                << " bytes, SHA-256 as expected\n";
  }
  return static_cast<int>(fresh.size());
}

std::optional<MnistData> find_or_fetch_mnist(std::optional<fs::path> data) {
  if (auto found = load_mnist(data)) return found;
  const char* off = std::getenv("ESPALIER_NO_DOWNLOAD");
  if (off && *off && std::string_view(off) != "0") return std::nullopt;
  try {
    const auto cache = mnist_cache();
    require(cache.has_value(), ErrorKind::kIo, "HOME", "is not set, so there is no cache for it");
    fetch_mnist({.to = *cache});
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInterrupted) throw;
    std::cerr << "MNIST could not be downloaded: " << error.what() << '\n';
    return std::nullopt;  // the caller has other digits, and says so
  }
  return load_mnist();
}

}  // namespace espalier::datasets
