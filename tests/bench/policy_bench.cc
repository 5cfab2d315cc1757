// policy_bench FOLDER [POLICIES ENTITIES]: how long decisions take.
//
// FOLDER holds sets of policies (pol_N_E.cedar), entities (ent_E.json), requests with the decision
// and reasons that a model gives (req_N_E.ndjson) and schema.cedarschema. Every decision is checked
// first. Then each request is timed by itself, with requests in the order of the file so that
// caches are as cold as the set makes them. Beside it the floor: two look-ups of an entity by type
// and id, a test of ancestry and eight comparisons, timed the same way. What the clock costs is in
// both.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <absl/container/flat_hash_map.h>

#include "base/check.h"
#include "base/files.h"
#include "base/text.h"
#include "json/value.h"
#include "policy/authorizer.h"
#include "policy/conform.h"
#include "policy/entity_json.h"
#include "policy/validate.h"

namespace mailwarden::policy {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// In KiB: now, and the most so far.
std::pair<long, long> resident() {
  std::ifstream status("/proc/self/status");
  std::pair<long, long> sizes;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) sizes.first = std::atol(line.c_str() + 6);
    if (line.starts_with("VmHWM:")) sizes.second = std::atol(line.c_str() + 6);
  }
  return sizes;
}

std::string text_of(const std::string& path) {
  auto text = read_whole_file(path);
  if (!text) {
    std::fprintf(stderr, "%s\n", text.error().what.c_str());
    std::exit(1);
  }
  return *std::move(text);
}

struct Case {
  Request request;
  bool is_allowed = false;
  std::vector<std::string> reasons;
};

std::vector<Case> read_cases(const std::string& path, const Schema& schema) {
  std::vector<Case> cases;
  std::istringstream lines(text_of(path));
  for (std::string line; std::getline(lines, line);) {
    const auto json = json::parse(line);
    CHECK(json);
    Case& one = cases.emplace_back();
    one.request.principal = *read_uid((*json)["principal"]);
    one.request.action = *read_uid((*json)["action"]);
    one.request.resource = *read_uid((*json)["resource"]);
    one.request.context =
        *read_context((*json)["context"], *one.request.memory, &schema, one.request.action);
    CHECK(conforms(one.request, schema));
    one.is_allowed = json->text("decision") == "allow";
    for (const json::Value& id : *(*json)["reason"].as_array()) {
      one.reasons.push_back(*id.as_string());
    }
    std::ranges::sort(one.reasons);
  }
  return cases;
}

std::size_t wrong_decisions(const Authorizer& authorizer, const std::vector<Case>& cases) {
  Authorizer::Scratch scratch;
  Answer answer;
  std::size_t wrong = 0;
  for (const Case& one : cases) {
    authorizer.authorize(one.request, scratch, answer);
    std::vector<std::string> reasons;
    for (const auto at : answer.reasons) reasons.push_back(authorizer.policies().policies()[at].id);
    std::ranges::sort(reasons);
    wrong += answer.is_allowed != one.is_allowed || reasons != one.reasons ? 1 : 0;
  }
  return wrong;
}

// Sorted nanoseconds of each, over several rounds.
template <class Act>
std::vector<std::int64_t> time_each(const std::vector<Case>& cases, Act act) {
  std::vector<std::int64_t> times;
  for (int round = -1; round < 10; ++round) {
    for (const Case& one : cases) {
      const auto start = Clock::now();
      act(one);
      const auto end = Clock::now();
      if (round >= 0) times.push_back((end - start).count());
    }
  }
  std::ranges::sort(times);
  return times;
}

std::int64_t quantile(const std::vector<std::int64_t>& sorted, double part) {
  return sorted[static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * part)];
}

class Floor {
 public:
  explicit Floor(const Entities& entities) : entities_(entities) {
    for (std::uint32_t at = 0; at < entities.size(); ++at) {
      const EntityName& name = entities.name(at);
      numbers_.emplace(std::pair(std::string(name.type), std::string(name.id)), at);
    }
  }

  std::uint64_t ask(const Case& one) const {
    const auto principal =
        numbers_.find(View(one.request.principal.type, one.request.principal.id));
    const auto resource = numbers_.find(View(one.request.resource.type, one.request.resource.id));
    if (principal == numbers_.end() || resource == numbers_.end()) return 0;
    std::uint64_t sum = entities_.is_below(principal->second, resource->second) ? 1 : 0;
    for (std::uint64_t i = 0; i < 8; ++i) sum += principal->second > resource->second + i ? 1 : 0;
    return sum;
  }

 private:
  using View = std::pair<std::string_view, std::string_view>;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const View& key) const { return hash_of(key.first, key.second); }
    std::size_t operator()(const std::pair<std::string, std::string>& key) const {
      return hash_of(key.first, key.second);
    }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.first == b.first && a.second == b.second;
    }
  };

  const Entities& entities_;
  absl::flat_hash_map<std::pair<std::string, std::string>, std::uint32_t, Hash, Equal> numbers_;
};

void measure(const std::string& folder, const std::string& policies, const std::string& entities) {
  const std::string set = policies + "_" + entities;
  const auto fragment = parse_schema(text_of(folder + "/schema.cedarschema"));
  CHECK(fragment);
  const auto schema = Schema::resolve(*fragment);
  CHECK(schema);
  const std::string source = text_of(folder + "/pol_" + set + ".cedar");
  auto start = Clock::now();
  auto parsed = std::make_shared<PolicySet>();
  if (auto done = parsed->add_text(source); !done) {
    std::fprintf(stderr, "%s\n", done.error().what.c_str());
    std::exit(1);
  }
  const double parsing = milliseconds_since(start);
  start = Clock::now();
  CHECK(validate(*parsed, *schema).passed());
  const double validating = milliseconds_since(start);
  std::string json = text_of(folder + "/ent_" + entities + ".json");
  start = Clock::now();
  auto read = read_entities(json, &*schema);
  CHECK(read);
  const double reading = milliseconds_since(start);
  json = std::string();
  start = Clock::now();
  const Authorizer authorizer(parsed, std::make_shared<const Entities>(*std::move(read)));
  const double linking = milliseconds_since(start);
  const auto [now, most] = resident();
  const auto cases = read_cases(folder + "/req_" + set + ".ndjson", *schema);
  const std::size_t wrong = wrong_decisions(authorizer, cases);
  Authorizer::Scratch scratch;
  Answer answer;
  std::uint64_t sum = 0;
  const auto times = time_each(cases, [&](const Case& one) {
    authorizer.authorize(one.request, scratch, answer);
    sum += answer.reasons.size();
  });
  const Floor floor(authorizer.entities());
  const auto floors = time_each(cases, [&](const Case& one) { sum += floor.ask(one); });
  const auto clocks = time_each(cases, [&](const Case&) { ++sum; });
  std::printf(
      "%8s %9s %7lld %7lld %7lld %7lld %6lld %6.2f %8.1f %8.1f %8.1f %6.1f %7ld %7ld %5zu\n",
      policies.c_str(), entities.c_str(), static_cast<long long>(quantile(times, 0.5)),
      static_cast<long long>(quantile(times, 0.99)), static_cast<long long>(quantile(floors, 0.5)),
      static_cast<long long>(quantile(floors, 0.99)), static_cast<long long>(quantile(clocks, 0.5)),
      static_cast<double>(quantile(times, 0.5)) / static_cast<double>(quantile(floors, 0.5)),
      parsing, validating, reading, linking, now / 1024, most / 1024, wrong);
  CHECK(sum > 0);
}

}  // namespace
}  // namespace mailwarden::policy

int main(int count, char** arguments) {
  using mailwarden::policy::measure;
  if (count != 2 && count != 4) {
    std::fputs("usage: policy_bench FOLDER [POLICIES ENTITIES]\n", stderr);
    return 2;
  }
  std::printf("%8s %9s %7s %7s %7s %7s %6s %6s %8s %8s %8s %6s %7s %7s %5s\n", "policies",
              "entities", "p50 ns", "p99 ns", "floor50", "floor99", "clock", "ratio", "parse ms",
              "valid ms", "read ms", "link", "MiB", "peak", "wrong");
  if (count == 4) {
    measure(arguments[1], arguments[2], arguments[3]);
    return 0;
  }
  for (const char* policies : {"10", "1000", "10000"}) {
    for (const char* entities : {"1000", "100000"}) measure(arguments[1], policies, entities);
  }
  return 0;
}
