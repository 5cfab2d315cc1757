// How fast rules are matched, beside the floors that no matcher of this kind can be under.
//
// usage: detect_bench RULES LANE...
//
// RULES is a folder of Sigma rules, a LANE a file of JSON lines with product, category and service.
// For each lane, on one core: the JSON reader alone; the reader and one scan of every value for the
// literals by which rules are looked up, without regard to field or log source and with nothing
// confirmed; reading and matching as if no value came again; reading and matching; and the whole of
// `mailwarden detect`, output and all. Then the scan and the matching on two threads.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <hs/hs.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"
#include "detect/json_events.h"
#include "detect/match_stream.h"
#include "detect/rule_set.h"
#include "json/flatten.h"

namespace {

using namespace mailwarden;
using Clock = std::chrono::steady_clock;

constexpr int runs = 3;  // the fastest counts

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double fastest(const std::function<void()>& work) {
  double best = 1e9;
  for (int i = 0; i < runs; ++i) {
    const auto begin = Clock::now();
    work();
    best = std::min(best, seconds_since(begin));
  }
  return best;
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

struct Lane {
  std::string name;
  std::string path;
  std::string text;
  std::vector<std::string_view> events;
};

Lane read_lane(const std::string& path) {
  Lane lane{.name = path.substr(path.rfind('/') + 1), .path = path};
  std::ifstream file(path, std::ios::binary);
  std::ostringstream all;
  all << file.rdbuf();
  lane.text = all.str();
  const std::size_t bytes = lane.text.size();
  lane.text.append(json::Flattener::padding, ' ');
  const std::string_view text(lane.text.data(), bytes);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) lane.events.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lane;
}

using Events = std::span<const std::string_view>;

std::size_t parse(Events events) {
  json::Flattener flattener({.names_may_repeat = true});
  std::size_t leaves = 0;
  for (const std::string_view event : events) {
    if (const auto flat = flattener.flatten_padded(event)) leaves += flat->size();
  }
  return leaves;
}

class Floor {
 public:
  explicit Floor(const std::vector<std::string>& literals) {
    std::vector<const char*> texts;
    std::vector<std::size_t> lengths;
    std::vector<unsigned> ids;
    for (const std::string& literal : literals) {
      texts.push_back(literal.data());
      lengths.push_back(literal.size());
      ids.push_back(static_cast<unsigned>(ids.size()));
    }
    const std::vector<unsigned> flags(literals.size(), HS_FLAG_CASELESS);
    hs_compile_error* wrong = nullptr;
    CHECK(hs_compile_lit_multi(texts.data(), flags.data(), ids.data(), lengths.data(),
                               static_cast<unsigned>(literals.size()), HS_MODE_BLOCK, nullptr,
                               &database_, &wrong) == HS_SUCCESS);
  }
  Floor(const Floor&) = delete;
  Floor& operator=(const Floor&) = delete;
  ~Floor() { hs_free_database(database_); }

  std::size_t scan(Events events) const {
    hs_scratch* scratch = nullptr;
    CHECK(hs_alloc_scratch(database_, &scratch) == HS_SUCCESS);
    json::Flattener flattener({.names_may_repeat = true});
    std::size_t hits = 0;
    const auto count = [](unsigned, unsigned long long, unsigned long long, unsigned, void* of) {
      ++*static_cast<std::size_t*>(of);
      return 0;
    };
    for (const std::string_view event : events) {
      const auto flat = flattener.flatten_padded(event);
      if (!flat) continue;
      for (const json::Leaf& leaf : *flat) {
        if (leaf.kind != json::LeafKind::string) continue;
        hs_scan(database_, leaf.text.data(), static_cast<unsigned>(leaf.text.size()), 0, scratch,
                count, &hits);
      }
    }
    hs_free_scratch(scratch);
    return hits;
  }

 private:
  hs_database* database_ = nullptr;
};

std::size_t match(const detect::Engine& engine, Events events, detect::MatchScratch& scratch) {
  detect::JsonEvents reader;
  std::vector<detect::RuleNumber> matched;
  std::size_t matches = 0;
  for (const std::string_view event : events) {
    if (!reader.read(event, engine.names(), scratch.view)) continue;
    engine.match(scratch.view, detect::Routing::strict, scratch, matched);
    matches += matched.size();
  }
  return matches;
}

std::size_t match(const detect::Engine& engine, Events events) {
  detect::MatchScratch scratch;
  return match(engine, events, scratch);
}

double on_two(Events events, const std::function<void(Events)>& work) {
  return fastest([&] {
    const std::jthread other([&] { work(events.first(events.size() / 2)); });
    work(events.subspan(events.size() / 2));
  });
}

double whole(const Lane& lane, const detect::RuleSet& rules) {
  return fastest([&] {
    const int file = ::open(lane.path.c_str(), O_RDONLY | O_CLOEXEC);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    const detect::MatchSinks sinks{
        .write =
            [&](std::string_view text) { return ::write(nowhere, text.data(), text.size()) >= 0; },
        .complain = [](std::string_view) {}};
    CHECK(detect::match_stream(file, rules, {}, sinks));
    ::close(nowhere);
    ::close(file);
  });
}

void measure(const Lane& lane, const detect::RuleSet& rules, const Floor& floor) {
  const detect::Engine& engine = rules.engine();
  const Events events = lane.events;
  const auto count = static_cast<double>(events.size());
  auto each = [count](double seconds) { return seconds / count * 1e6; };
  std::size_t matches = 0;
  const double parsed = each(fastest([&] { parse(events); }));
  const double scanned = each(fastest([&] { floor.scan(events); }));
  const double matched = each(fastest([&] { matches = match(engine, events); }));
  const double unknown = each(fastest([&] {
    auto scratch = detect::MatchScratch::forgetful();
    CHECK(match(engine, events, scratch) == matches);
  }));
  const double all = each(whole(lane, rules));
  const double scanned_two = each(on_two(events, [&](Events part) { floor.scan(part); }));
  const double matched_two = each(on_two(events, [&](Events part) { match(engine, part); }));
  std::printf("%-30s %8.0f %7.2f %7.2f %7.2f %7.2f %7.2f %7.2f %10.0f %10.0f %7.2f\n",
              lane.name.c_str(), static_cast<double>(lane.text.size()) / count,
              static_cast<double>(matches) / count, parsed, scanned, unknown, matched, all,
              1e6 / matched, 1e6 / all, matched / scanned);
  std::printf("%-30s two threads: scan %.2f us, gain %.2f; match %.2f us, gain %.2f\n", "",
              scanned_two, scanned / scanned_two, matched_two, matched / matched_two);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: detect_bench RULES LANE...\n");
    return 2;
  }
  const auto begin = Clock::now();
  auto texts = detect::load_rules({argv[1]});
  CHECK(texts);
  const double read = seconds_since(begin);
  const auto rules = detect::RuleSet::make(*std::move(texts));
  CHECK(rules);
  std::printf("%zu rules loaded in %.2f s (%.2f s of it reading), %zu refused; peak %.0f MB\n",
              rules->rules().size(), seconds_since(begin), read, rules->refused().size(),
              peak_megabytes());
  const auto literals = rules->engine().literals();
  const Floor floor(literals);
  std::printf("floor: %zu literals\n\n", literals.size());
  std::printf("%-30s %8s %7s %7s %7s %7s %7s %7s %10s %10s %7s\n", "lane", "bytes", "matches",
              "parse", "scan", "unknown", "match", "detect", "match/s", "detect/s", "ratio");
  for (int i = 2; i < argc; ++i) measure(read_lane(argv[i]), *rules, floor);
  return 0;
}
