// Connections of the server.
//
// What     A connection is served from its first request to its end. A thread that has answered
//          one waits a moment for the next request there, as long as half of the threads are left
//          for everything else: who asks one thing after the other is then served without a round
//          through the scheduler. For a fraction of that moment it does not even sleep, as long as
//          half of the processors are left.
// Owns     Each connection itself.
// Threads  Those that run the io_context; a connection is at one of them at a time.
// Errors   None; what is no request is answered so.
// Limits   Those of HttpServerOptions.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include "base/result.h"
#include "net/http_server.h"

namespace boost::asio {
class io_context;
namespace ssl {
class context;
}
}  // namespace boost::asio

namespace mailwarden::net {

using CertificatesPointer = std::shared_ptr<boost::asio::ssl::context>;

// What all connections of a server share.
struct Shared {
  HttpServerOptions options;
  Handler handler;
  std::atomic<std::size_t> connections = 0;
  std::atomic<bool> stopping = false;

  // Requests that are being answered, which a stop waits for.
  std::mutex mutex;
  std::condition_variable idle;
  std::size_t busy = 0;
  std::atomic<std::size_t> lingering = 0;  // threads that wait at a connection
  std::atomic<std::size_t> spinning = 0;   // of them, those that do not sleep
  CertificatesPointer certificates;        // what new connections are served with

  CertificatesPointer current_certificates() {
    const std::lock_guard lock(mutex);
    return certificates;
  }
  Result<void> load_certificates();
  void begin_answer() {
    const std::lock_guard lock(mutex);
    ++busy;
  }
  void end_answer() {
    const std::lock_guard lock(mutex);
    if (--busy == 0) idle.notify_all();
  }
};

// Take over the connected socket. Of AF_UNIX, the other end is on this machine.
struct Accepted {
  int socket = -1;
  int family = 0;
};
void serve_plain(boost::asio::io_context& context, const Accepted& accepted, Shared& shared);
void serve_secure(boost::asio::io_context& context, const Accepted& accepted, Shared& shared);

}  // namespace mailwarden::net
