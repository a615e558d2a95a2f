// The server's own code; *_test.cpp, so that it is built with the tests that use it.
#include "tests/datasets/loopback_server.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace espalier::tests {
namespace {

// A socket bound to a free port of 127.0.0.1.
std::pair<int, int> bound_socket() {
  ::setenv("no_proxy", "127.0.0.1", 1);  // curl is not to ask a proxy for it
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(fd >= 0);
  REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return {fd, ntohs(address.sin_port)};
}

void send_all(int fd, const void* data, std::size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::send(fd, from, size, MSG_NOSIGNAL);
    if (n <= 0) return;  // the other side went away: its matter
    from += n, size -= static_cast<std::size_t>(n);
  }
}

}  // namespace

LoopbackServer::LoopbackServer(std::map<std::string, Answer> answers)
    : answers_(std::move(answers)) {
  std::tie(socket_, port_) = bound_socket();
  REQUIRE(::listen(socket_, 8) == 0);
  thread_ = std::thread([this] { serve(); });
}

LoopbackServer::~LoopbackServer() {
  ::shutdown(socket_, SHUT_RDWR);  // accept() returns
  thread_.join();
  ::close(socket_);
}

std::string LoopbackServer::url() const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/";
}

void LoopbackServer::serve() {
  for (;;) {
    const int connection = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    answer(connection);
    ::close(connection);
  }
}

void LoopbackServer::answer(int connection) {
  std::string request;
  char chunk[1024];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t n = ::recv(connection, chunk, sizeof chunk, 0);
    if (n <= 0) return;
    request.append(chunk, static_cast<std::size_t>(n));
  }
  const std::size_t start = request.find(' ') + 1;
  const auto found = answers_.find(request.substr(start, request.find(' ', start) - start));
  const Answer reply = found == answers_.end() ? Answer{.status = "404 Not Found"} : found->second;
  std::string head = "HTTP/1.1 " + reply.status + "\r\nConnection: close\r\nContent-Length: " +
                     std::to_string(reply.body.size() + reply.withheld_bytes) + "\r\n";
  if (!reply.location.empty()) head += "Location: " + reply.location + "\r\n";
  head += "\r\n";
  ++requests_;
  send_all(connection, head.data(), head.size());
  send_all(connection, reply.body.data(), reply.body.size());
}

int closed_port() {
  const auto [fd, port] = bound_socket();
  ::close(fd);
  return port;
}

}  // namespace espalier::tests
