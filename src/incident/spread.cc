#include "incident/spread.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <tuple>

#include "event/event_json.h"
#include "incident/incident_json.h"
#include "ingest/event_query.h"

namespace mailwarden::incident {
namespace {

constexpr int logon = 1;  // activity_id

class Walk {
 public:
  Walk(db::Database& database, const SpreadOptions& options)
      : database_(database), options_(options) {}

  void begin(const detect::Entity& entity) { reach(entity, 0); }

  Result<Spread> run() {
    while (!waiting_.empty()) {
      const SpreadNode node = waiting_.front();
      waiting_.pop_front();
      if (node.depth >= options_.depth) continue;
      if (auto done = look(node); !done) return std::unexpected(done.error());
    }
    return finish();
  }

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string>;

  void reach(const detect::Entity& entity, std::int64_t depth) {
    const bool known_kind =
        entity.kind == "account" || entity.kind == "address" || entity.kind == "host";
    if (!known_kind || entity.name.empty() || known_.contains(entity)) return;
    if (nodes_.size() >= options_.nodes_max) {
      cut_.insert("no more than " + std::to_string(options_.nodes_max) +
                  " accounts, addresses and hosts are followed");
      return;
    }
    known_.insert(entity);
    nodes_.push_back({.entity = entity, .depth = depth});
    waiting_.push_back(nodes_.back());
  }

  Result<void> look(const SpreadNode& node) {
    ingest::EventQuery query{
        .from = options_.from, .until = options_.until, .limit = ingest::EventQuery::limit_max};
    // Where a log has no address it names the host that somebody came from.
    (node.entity.kind == "account" ? query.account : query.address) = node.entity.name;
    while (true) {
      const auto page = ingest::query_events(database_, query);
      if (!page) return std::unexpected(page.error());
      for (const ingest::EventRow& row : *page) {
        if (++looked_at_ > options_.events_max) {
          cut_.insert("no more than " + std::to_string(options_.events_max) +
                      " events are looked at");
          return {};
        }
        const auto event = parse_event(row.record);
        // What cannot be read back is somebody's erased name, and leads nowhere.
        if (event) take(*event, node.depth);
      }
      if (std::ssize(*page) < query.limit) return {};
      query.before = page->back().number;
    }
  }

  void take(const Event& event, std::int64_t depth) {
    const Ocsf& told = event.ocsf;
    if (told.class_uid != ocsf_class::authentication || told.activity_id != logon) return;
    const std::string& account = told.user.empty() ? told.actor_user : told.user;
    if (account.empty() || !seen_.insert(event.id).second) return;
    const std::string& host = told.dst.empty() ? told.device : told.dst;
    const Key key{account, told.src_ip, host, told.service};
    if (!paths_.contains(key) && paths_.size() >= options_.paths_max) {
      cut_.insert("no more than " + std::to_string(options_.paths_max) + " ways are shown");
      return;
    }
    SpreadPath& path = paths_
                           .try_emplace(key, SpreadPath{.account = account,
                                                        .address = told.src_ip,
                                                        .host = host,
                                                        .service = told.service,
                                                        .first = event.time,
                                                        .last = event.time})
                           .first->second;
    path.first = std::min(path.first, event.time);
    path.last = std::max(path.last, event.time);
    if (told.status != Outcome::success) {
      ++path.failed;
      return;
    }
    ++path.succeeded;
    path.without_second_factor = path.without_second_factor || told.is_mfa == false;
    reach({"account", account}, depth + 1);
    reach({"address", told.src_ip}, depth + 1);
    reach({"host", host}, depth + 1);
  }

  Spread finish() {
    Spread spread{.nodes = std::move(nodes_), .paths = {}, .cut = {}};
    for (auto& [key, path] : paths_) spread.paths.push_back(std::move(path));
    std::ranges::stable_sort(spread.paths, {}, &SpreadPath::first);
    for (const std::string& one : cut_) spread.cut += (spread.cut.empty() ? "" : "; ") + one;
    return spread;
  }

  db::Database& database_;
  const SpreadOptions& options_;
  std::deque<SpreadNode> waiting_;
  std::vector<SpreadNode> nodes_;
  std::set<detect::Entity> known_;
  std::set<EventId> seen_;
  std::map<Key, SpreadPath> paths_;
  std::set<std::string> cut_;
  std::int64_t looked_at_ = 0;
};

json::Object to_json(const SpreadPath& path) {
  return {{"account", path.account},
          {"address", path.address},
          {"failed", path.failed},
          {"first", to_rfc3339(path.first)},
          {"host", path.host},
          {"last", to_rfc3339(path.last)},
          {"service", path.service},
          {"succeeded", path.succeeded},
          {"without_second_factor", path.without_second_factor}};
}

}  // namespace

SpreadOptions around(const Incident& incident) {
  return {.from = incident.first_event - std::chrono::hours(24),
          .until = incident.last_event + std::chrono::hours(24)};
}

Result<Spread> spread(db::Database& database, const Incident& incident,
                      const SpreadOptions& options) {
  Walk walk(database, options);
  walk.begin(incident.entity);
  for (const detect::Entity& other : incident.others) walk.begin(other);
  return walk.run();
}

json::Object to_json(const Spread& spread) {
  json::Array nodes;
  std::map<std::int64_t, std::map<std::string, std::int64_t>> breadth;
  for (const SpreadNode& node : spread.nodes) {
    json::Object object = entity_json(node.entity);
    object["depth"] = node.depth;
    nodes.emplace_back(std::move(object));
    ++breadth[node.depth][node.entity.kind];
  }
  json::Array depths;
  for (const auto& [depth, kinds] : breadth) {
    json::Object object{{"depth", depth}};
    for (const auto& [kind, count] : kinds) object[kind] = count;
    depths.emplace_back(std::move(object));
  }
  json::Array paths;
  for (const SpreadPath& path : spread.paths) paths.emplace_back(to_json(path));
  return {{"breadth", std::move(depths)},
          {"cut", spread.cut},
          {"nodes", std::move(nodes)},
          {"paths", std::move(paths)}};
}

}  // namespace mailwarden::incident
