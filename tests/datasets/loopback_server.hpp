// A web server on 127.0.0.1 for tests: a fixed answer a path, one connection at a time.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <thread>

#include "core/base/bytes.hpp"

namespace espalier::tests {

class LoopbackServer {
 public:
  struct Answer {
    std::string status = "200 OK";
    Bytes body = {};
    std::size_t withheld_bytes = 0;  // promised by Content-Length, never sent
    std::string location = {};       // for redirects
  };

  // Other paths get 404. Serves until it is destroyed.
  explicit LoopbackServer(std::map<std::string, Answer> answers);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  std::string url() const;                    // http://127.0.0.1:PORT/
  int requests() const { return requests_; }  // that were answered; read it between downloads

 private:
  void serve();
  void answer(int connection);

  std::map<std::string, Answer> answers_;
  int socket_ = -1, port_ = 0;
  std::atomic<int> requests_ = 0;
  std::thread thread_;
};

// A port of 127.0.0.1 on which nothing listens.
int closed_port();

}  // namespace espalier::tests
