// MNIST from the network to a folder, verified; the library's only function that goes online.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "datasets/mnist.hpp"

namespace espalier::datasets {

inline constexpr const char* kMnistUrl = "https://storage.googleapis.com/cvdf-datasets/mnist/";

struct RemoteFile {
  std::string name;        // as stored, gzipped
  std::int64_t bytes = 0;  // about, of the download: for progress
  std::string sha256;      // of the unpacked file, 64 hexadecimal digits
};
const std::vector<RemoteFile>& mnist_files();  // the four

struct FetchMnistOptions {
  std::string url = kMnistUrl;  // the folder that holds the files
  std::filesystem::path to;     // created if it is missing
  bool quiet = false;           // else: progress on standard error
  std::vector<RemoteFile> files = mnist_files();
};

// Downloads the files that are not yet there with the right contents, verifies all, then writes
// each atomically: a folder is complete or as it was, but for a crash between two renames. Returns
// how many were downloaded. Errors, naming file or address: kIo (network, disk), kCorrupt (other
// contents than MNIST's).
int fetch_mnist(const FetchMnistOptions& options);

// For programs: load_mnist(data), and where that finds nothing, one try to fetch to mnist_cache().
// nullopt when that fails too (at most 5 seconds if the network is silent), which one line on
// standard error explains, or when the variable ESPALIER_NO_DOWNLOAD is set to anything but 0.
// Errors: as load_mnist; kInterrupted by Ctrl-C.
std::optional<MnistData> find_or_fetch_mnist(
    std::optional<std::filesystem::path> data = std::nullopt);

}  // namespace espalier::datasets
