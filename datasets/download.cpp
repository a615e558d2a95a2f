#include "datasets/download.hpp"

#include "core/base/error.hpp"
#include "core/base/process.hpp"

namespace espalier::datasets {

Bytes download(const std::string& url, const DownloadOptions& options) {
  require(url.starts_with("http://") || url.starts_with("https://"), url,
          "is no address; it begins with http:// or https://");
  Bytes bytes;
  const auto take = [&](std::string_view piece) {
    require(bytes.size() + piece.size() <= options.limit_bytes, ErrorKind::kCorrupt, url,
            "sends more than ", options.limit_bytes, " bytes");
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    if (options.progress) options.progress(bytes.size());
  };
  // --disable stands first: the user's .curlrc stays out of it.
  ProcessResult curl =
      run_process({"curl", "--disable", "--fail", "--silent", "--show-error", "--location",
                   "--proto", "=http,https", "--connect-timeout",
                   std::to_string(options.connect_timeout_seconds), "--speed-limit", "1000",
                   "--speed-time", std::to_string(options.stall_timeout_seconds), "--", url},
                  {.capture_error = true,
                   .remedy = "install it, for example with 'apt-get install curl'",
                   .on_output = take});
  while (curl.error.ends_with('\n')) curl.error.pop_back();
  require(curl.ok(), ErrorKind::kIo, url, "cannot be downloaded: ",
          curl.error.empty() ? "curl ended with " + curl.how_it_ended() : curl.error);
  return bytes;
}

}  // namespace espalier::datasets
