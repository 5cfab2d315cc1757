// served_bench FOLDER [POLICIES ENTITIES]: how many decisions a second a program gets that keeps
// its connection.
//
// FOLDER is that of policy_bench. The server, the API, the arbiter and the log of decisions are the
// daemon's; in place of its core a thread takes what the log has, adds the facts as the core does,
// and throws it away. Every answer is checked first. Beside it the floor: the same client, with the
// same requests, before a thread that knows how long each is and sends what the server had
// answered. Rounds of both take turns, short ones, since a machine is not always equally fast; the
// figures are those of the round in the middle, and the ratio is the middle one of those of
// neighbours.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>
#include <sstream>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/decision_log.h"
#include "base/check.h"
#include "base/files.h"
#include "base/text.h"
#include "crypto/entropy.h"
#include "http/access_api.h"
#include "policy/entity_json.h"

namespace mailwarden {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t rounds = 21;
constexpr std::size_t requests_a_round = 5'000;

struct Exchange {
  std::string request;  // HTTP, whole
  std::string answer;   // what the server had answered
  bool is_allowed = false;
};

std::string text_of(const std::string& path) {
  auto text = read_whole_file(path);
  if (!text) {
    std::fprintf(stderr, "%s\n", text.error().what.c_str());
    std::exit(1);
  }
  return *std::move(text);
}

// An arbiter believes no grant that a question brings; what the sets call so has another name here.
std::string renamed(std::string text) {
  constexpr std::string_view name = "grant";
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;) {
    text.replace(at, name.size(), "leave");
  }
  return text;
}

// Questions as AuthZEN has them.
std::vector<Exchange> read_exchanges(const std::string& path) {
  std::vector<Exchange> exchanges;
  std::istringstream lines(renamed(text_of(path)));
  for (std::string line; std::getline(lines, line);) {
    const auto json = json::parse(line);
    CHECK(json);
    const std::string body =
        json::to_text(json::Object{{"subject", (*json)["principal"]},
                                   {"action", json::Object{{"name", (*json)["action"]["id"]}}},
                                   {"resource", (*json)["resource"]},
                                   {"context", (*json)["context"]}});
    exchanges.push_back({.request = "POST /access/v1/evaluation HTTP/1.1\r\nHost: localhost\r\n"
                                    "Content-Type: application/json\r\nContent-Length: " +
                                    std::to_string(body.size()) + "\r\n\r\n" + body,
                         .answer = {},
                         .is_allowed = json->text("decision") == "allow"});
  }
  return exchanges;
}

std::shared_ptr<const policy::DecisionPoint> read_point(const std::string& folder,
                                                        const std::string& policies,
                                                        const std::string& entities) {
  const auto fragment = policy::parse_schema(renamed(text_of(folder + "/schema.cedarschema")));
  CHECK(fragment);
  auto schema = policy::Schema::resolve(*fragment);
  CHECK(schema);
  auto set = std::make_shared<policy::PolicySet>();
  const auto added =
      set->add_text(renamed(text_of(folder + "/pol_" + policies + "_" + entities + ".cedar")));
  CHECK(added);
  CHECK(policy::validate(*set, *schema).passed());
  auto read = policy::read_entities(text_of(folder + "/ent_" + entities + ".json"), &*schema);
  CHECK(read);
  return std::make_shared<policy::DecisionPoint>(
      policy::Loaded{.policies = std::move(set),
                     .schema = std::make_shared<const policy::Schema>(*std::move(schema)),
                     .hash = "of a benchmark",
                     .warnings = {}},
      std::make_shared<const policy::Entities>(*std::move(read)));
}

// --- sockets ---

class Socket {
 public:
  explicit Socket(int number) : number_(number) { CHECK(number >= 0); }
  Socket(Socket&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (number_ >= 0) ::close(number_);
  }

  int number() const { return number_; }
  void send(std::string_view bytes) const {
    CHECK(::send(number_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(bytes.size()));
  }
  // At most `size`; 0 at the end.
  std::size_t receive(char* into, std::size_t size) const {
    const ssize_t got = ::recv(number_, into, size, 0);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }

 private:
  int number_;
};

// A path, or "127.0.0.1:PORT" ("127.0.0.1:0" for a listener).
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int family = AF_UNIX;

  explicit Address(const std::string& text) {
    if (text.starts_with('/')) {
      auto* const local = reinterpret_cast<sockaddr_un*>(&storage);
      local->sun_family = AF_UNIX;
      CHECK(text.size() < sizeof local->sun_path);
      std::memcpy(local->sun_path, text.c_str(), text.size() + 1);
      size = sizeof *local;
      return;
    }
    auto* const ip = reinterpret_cast<sockaddr_in*>(&storage);
    family = ip->sin_family = AF_INET;
    ip->sin_port = htons(static_cast<std::uint16_t>(*to_integer(text.substr(text.find(':') + 1))));
    ip->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size = sizeof *ip;
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

void send_at_once(const Socket& socket, int family) {
  const int on = 1;
  if (family == AF_INET) {
    ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
}

Socket connect_to(const std::string& text) {
  const Address address(text);
  Socket socket(::socket(address.family, SOCK_STREAM, 0));
  CHECK(::connect(socket.number(), address.get(), address.size) == 0);
  send_at_once(socket, address.family);
  return socket;
}

// --- client and floor ---

// Sends one request and reads until its answer is whole, as its Content-Length says.
class Client {
 public:
  explicit Client(const std::string& address) : socket_(connect_to(address)) {}

  std::string_view ask(std::string_view request) {
    socket_.send(request);
    std::size_t filled = 0;
    std::size_t wanted = 0;
    while (wanted == 0 || filled < wanted) {
      const std::size_t got = socket_.receive(buffer_.data() + filled, buffer_.size() - filled);
      CHECK(got > 0);
      filled += got;
      if (wanted == 0) wanted = length_of({buffer_.data(), filled});
    }
    return {buffer_.data(), filled};
  }

 private:
  static std::size_t length_of(std::string_view answer) {
    constexpr std::string_view field = "Content-Length: ";
    const std::size_t end = answer.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    const std::size_t begin = answer.find(field) + field.size();
    return end + 4 + static_cast<std::size_t>(std::atol(answer.data() + begin));
  }

  Socket socket_;
  std::array<char, 16 * 1024> buffer_;
};

// Knows what comes and what to answer; a thread for each connection.
class Floor {
 public:
  Floor(const std::string& address, const std::vector<Exchange>& exchanges)
      : listener_(::socket(Address(address).family, SOCK_STREAM, 0)), exchanges_(exchanges) {
    const Address at(address);
    CHECK(::bind(listener_.number(), at.get(), at.size) == 0);
    CHECK(::listen(listener_.number(), 16) == 0);
    address_ = address;
    if (at.family == AF_INET) {
      sockaddr_in bound{};
      socklen_t size = sizeof bound;
      ::getsockname(listener_.number(), reinterpret_cast<sockaddr*>(&bound), &size);
      address_ = "127.0.0.1:" + std::to_string(ntohs(bound.sin_port));
    }
  }

  const std::string& address() const { return address_; }
  // Takes the connection that was just made, whose requests begin with number `first`.
  void serve(std::size_t first) {
    Socket taken(::accept(listener_.number(), nullptr, nullptr));
    send_at_once(taken, Address(address_).family);
    threads_.emplace_back([this, first, socket = std::move(taken)] {
      std::array<char, 16 * 1024> buffer;
      for (std::size_t i = first;; ++i) {
        const Exchange& one = exchanges_[i % exchanges_.size()];
        for (std::size_t filled = 0; filled < one.request.size();) {
          const std::size_t got = socket.receive(buffer.data(), buffer.size());
          if (got == 0) return;
          filled += got;
        }
        socket.send(one.answer);
      }
    });
  }
  void join() { threads_.clear(); }

 private:
  Socket listener_;
  const std::vector<Exchange>& exchanges_;
  std::string address_;
  std::vector<std::jthread> threads_;
};

struct Round {
  double rate = 0;                  // a second
  std::vector<std::int64_t> times;  // of each, in nanoseconds
};

struct Lane {
  const char* transport;
  std::string address;
  std::size_t connections;
};

// Every connection asks from another place on, one question after the other.
Round run_round(const Lane& lane, const std::vector<Exchange>& exchanges, Floor* floor) {
  const std::size_t each = requests_a_round / lane.connections;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::vector<std::int64_t>> times(lane.connections);
  const auto first = [&](std::size_t at) { return at * exchanges.size() / lane.connections; };
  for (std::size_t at = 0; at < lane.connections; ++at) {
    clients.push_back(std::make_unique<Client>(floor ? floor->address() : lane.address));
    if (floor != nullptr) floor->serve(first(at));
    times[at].reserve(each);
  }
  const auto begin = Steady::now();
  std::vector<std::jthread> threads;
  for (std::size_t at = 0; at < lane.connections; ++at) {
    threads.emplace_back([&, at] {
      auto start = Steady::now();
      for (std::size_t i = 0; i < each; ++i) {
        clients[at]->ask(exchanges[(first(at) + i) % exchanges.size()].request);
        const auto end = Steady::now();
        times[at].push_back((end - start).count());
        start = end;
      }
    });
  }
  threads.clear();
  const double seconds = std::chrono::duration<double>(Steady::now() - begin).count();
  clients.clear();
  if (floor != nullptr) floor->join();
  Round round{.rate = static_cast<double>(each * lane.connections) / seconds};
  for (const auto& part : times) round.times.insert(round.times.end(), part.begin(), part.end());
  std::ranges::sort(round.times);
  return round;
}

const Round& middle(std::vector<Round>& of) {
  std::ranges::sort(of, {}, &Round::rate);
  return of[of.size() / 2];
}

double microseconds(const Round& round, double part) {
  const auto at = static_cast<std::size_t>(static_cast<double>(round.times.size() - 1) * part);
  return static_cast<double>(round.times[at]) / 1000;
}

void measure(const Lane& lane, const std::vector<Exchange>& exchanges, const std::string& folder) {
  const bool is_local = lane.address.starts_with('/');
  Floor floor(is_local ? folder + "/floor" : "127.0.0.1:0", exchanges);
  std::vector<Round> served;
  std::vector<Round> floors;
  std::vector<double> ratios;
  for (std::size_t i = 0; i < rounds; ++i) {
    floors.push_back(run_round(lane, exchanges, &floor));
    served.push_back(run_round(lane, exchanges, nullptr));
    ratios.push_back(served.back().rate / floors.back().rate);
  }
  std::ranges::sort(ratios);
  if (is_local) ::unlink(floor.address().c_str());
  const Round& ours = middle(served);
  const Round& least = middle(floors);
  std::printf("%10s %11zu %9.0f %7.1f %7.1f %9.0f %7.1f %7.1f %6.2f\n", lane.transport,
              lane.connections, ours.rate, microseconds(ours, 0.5), microseconds(ours, 0.99),
              least.rate, microseconds(least, 0.5), microseconds(least, 0.99),
              ratios[ratios.size() / 2]);
}

// --- the daemon's part ---

// Takes what the log has as often as the daemon's core does, makes it whole, and keeps none of it.
class Keeper {
 public:
  ~Keeper() { thread_ = {}; }

  app::DecisionLog& log() { return log_; }
  std::size_t kept() const { return kept_; }

 private:
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      wait_.wait_for(lock, stop, std::chrono::milliseconds(250), [] { return false; });
      for (auto& undertaken : log_.take()) {
        access::add_facts(undertaken->record, *undertaken->in_force);
        undertaken.reset();
        ++kept_;
      }
      log_.settle(true);
    }
  }

  app::DecisionLog log_{[] {}};
  std::mutex mutex_;
  std::condition_variable_any wait_;
  std::atomic<std::size_t> kept_ = 0;
  std::jthread thread_{[this](const std::stop_token& stop) { run(stop); }};
};

std::size_t fetch_answers(const std::string& address, std::vector<Exchange>& exchanges) {
  Client client(address);
  std::size_t wrong = 0;
  for (Exchange& one : exchanges) {
    one.answer = client.ask(one.request);
    const bool is_allowed = one.answer.find("\"decision\":true") != std::string::npos;
    wrong += !one.answer.starts_with("HTTP/1.1 200") || is_allowed != one.is_allowed ? 1 : 0;
  }
  return wrong;
}

void measure_set(const std::string& data, const std::string& policies,
                 const std::string& entities) {
  const SystemClock clock;
  crypto::SystemEntropy entropy;
  const auto none = access::GrantView::make({}, {}, Duration(0));
  Keeper keeper;
  access::Arbiter arbiter(
      {.clock = clock,
       .entropy = entropy,
       .verify = {},
       .grants = [&none] { return none; },
       .keep = [&](std::unique_ptr<access::Undertaken> undertaken,
                   bool durable) { return keeper.log().keep(std::move(undertaken), durable); }});
  arbiter.use({.point = read_point(data, policies, entities), .origins = nullptr});
  const http::AccessApi api(arbiter, std::string());
  std::string folder = std::filesystem::temp_directory_path() / "served_bench-XXXXXX";
  CHECK(::mkdtemp(folder.data()) != nullptr);
  auto server = net::HttpServer::start(
      {.listen = {"127.0.0.1:0"}, .socket = folder + "/served", .threads = 8},
      [&](const net::Request& r) { return api.answer(r); });
  CHECK(server);
  auto exchanges = read_exchanges(data + "/req_" + policies + "_" + entities + ".ndjson");
  const std::size_t wrong = fetch_answers(folder + "/served", exchanges);
  std::printf("%s policies, %s entities; %zu of %zu answers wrong\n", policies.c_str(),
              entities.c_str(), wrong, exchanges.size());
  const auto measure_all = [&](const char* title) {
    std::printf("%s\n", title);
    for (const std::size_t connections : {1, 4}) {
      measure({"UNIX", folder + "/served", connections}, exchanges, folder);
      measure({"TCP", (*server)->addresses().front(), connections}, exchanges, folder);
    }
  };
  measure_all("half of them denials, each explained meanwhile");
  std::erase_if(exchanges, [](const Exchange& one) { return !one.is_allowed; });
  measure_all("none of them denials");
  (*server)->stop();
  std::printf("%zu decisions kept, %lld missed\n\n", keeper.kept(),
              static_cast<long long>(keeper.log().missed()));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace mailwarden

int main(int count, char** arguments) {
  using mailwarden::measure_set;
  if (count != 2 && count != 4) {
    std::fputs("usage: served_bench FOLDER [POLICIES ENTITIES]\n", stderr);
    return 2;
  }
  std::printf("%10s %11s %9s %7s %7s %9s %7s %7s %6s\n", "socket", "connections", "a second",
              "p50 us", "p99 us", "floor", "p50 us", "p99 us", "ratio");
  if (count == 4) {
    measure_set(arguments[1], arguments[2], arguments[3]);
    return 0;
  }
  for (const char* policies : {"10", "1000", "10000"}) {
    for (const char* entities : {"1000", "100000"}) measure_set(arguments[1], policies, entities);
  }
  return 0;
}
