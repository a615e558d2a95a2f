// Files from the network, by the program curl: it knows proxies, certificates and redirects.
#pragma once

#include <functional>
#include <string>

#include "core/base/bytes.hpp"

namespace espalier::datasets {

struct DownloadOptions {
  int connect_timeout_seconds = 5;  // name look-up, connection and TLS together
  int stall_timeout_seconds = 20;   // below 1000 bytes a second for so long: give up
  std::size_t limit_bytes = 64u << 20;
  std::function<void(std::size_t bytes)> progress = {};  // bytes so far
};

// The bytes at an http:// or https:// address. No shell is involved. Errors, naming the address:
// kIo when curl is not installed, the server cannot be reached, answers with an error or breaks
// off; kCorrupt when there are more than limit_bytes; kInterrupted by Ctrl-C.
Bytes download(const std::string& url, const DownloadOptions& options = {});

}  // namespace espalier::datasets
