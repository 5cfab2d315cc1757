#include "report/figures.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/timestamp.h"

namespace mailwarden::report {
namespace {

constexpr std::string_view daemon = "mailwarden";

// Figures being worked out.
struct FigureWork {
  const RowReader& read;
  std::int64_t rows_max;
  json::Object figures;
};

// An entry's record with its number, as reports list it.
json::Object listed(const json::Value& row) {
  const json::Object* const record = row["record"].as_object();
  json::Object one = record == nullptr ? json::Object() : *record;
  one["entry"] = row["entry"];
  return one;
}

// The same where a row of another table said it before: without what entries add.
json::Object listed_act(const json::Value& row) {
  json::Object one = listed(row);
  one["when"] = row["record"]["time"];
  one.erase("kind");
  one.erase("time");
  return one;
}

// What the ledger's batches tell of events.
struct Batch {
  Timestamp earliest;
  std::int64_t events = 0;
};
struct Watched {
  std::int64_t events = 0;
  Timestamp earliest = Timestamp::latest;
  Timestamp latest = Timestamp::earliest;

  void add(const Watched& other) {
    events += other.events;
    earliest = std::min(earliest, other.earliest);
    latest = std::max(latest, other.latest);
  }
};

// Wide enough that no more than so many bars are drawn.
Duration span_for(const Watched& all) {
  using namespace std::chrono;
  constexpr std::int64_t bars = 60;
  for (const Duration span :
       {Duration(minutes(1)), Duration(minutes(10)), Duration(hours(1)), Duration(hours(6)),
        Duration(days(1)), Duration(days(7)), Duration(days(30)), Duration(days(365))}) {
    if (all.events == 0 || (all.latest - all.earliest) / span <= bars) return span;
  }
  return days(3650);
}

json::Object activity(const Watched& all, const std::vector<Batch>& batches) {
  const Duration span = span_for(all);
  std::map<std::int64_t, std::int64_t> counts;
  for (const Batch& batch : batches) {
    counts[(batch.earliest - Timestamp::earliest) / span] += batch.events;
  }
  json::Array spans;
  for (const auto& [number, events] : counts) {
    spans.push_back(json::Object{{"begin", to_rfc3339(Timestamp::earliest + span * number)},
                                 {"events", events}});
  }
  return {{"span", mailwarden::to_words(span)}, {"spans", std::move(spans)}};
}

Result<void> add_events(FigureWork& work) {
  std::map<std::string, Watched> sources;
  std::vector<Batch> batches;
  Watched all;
  const auto done = work.read("events", [&](const json::Value& row) {
    const json::Value& record = row["record"];
    const auto earliest = parse_rfc3339(record.text("earliest"));
    const auto latest = parse_rfc3339(record.text("latest"));
    if (!earliest || !latest) return;
    const Watched watched{record.integer("count"), *earliest, *latest};
    sources[record.text("source")].add(watched);
    all.add(watched);
    batches.push_back({*earliest, watched.events});
  });
  if (!done) return done;
  json::Array list;
  for (const auto& [name, source] : sources) {
    list.push_back(json::Object{{"earliest", to_rfc3339(source.earliest)},
                                {"events", source.events},
                                {"latest", to_rfc3339(source.latest)},
                                {"source", name}});
  }
  work.figures["sources"] = std::move(list);
  work.figures["events"] = all.events;
  work.figures["activity"] = activity(all, batches);
  return {};
}

// How often each rule held, most first.
Result<void> add_detections(FigureWork& work) {
  struct Rule {
    std::string title;
    std::int64_t detections = 0;
  };
  std::map<std::string, Rule> rules;
  const auto done = work.read("detections", [&](const json::Value& row) {
    if (row["record"].is_null()) return;
    Rule& rule = rules[row["record"].text("rule")];
    rule.title = row["record"].text("title");
    ++rule.detections;
  });
  if (!done) return done;
  std::vector<std::pair<std::string, Rule>> ordered(rules.begin(), rules.end());
  std::ranges::stable_sort(ordered, std::ranges::greater{},
                           [](const auto& one) { return one.second.detections; });
  json::Array list;
  for (const auto& [id, rule] : ordered) {
    list.push_back(
        json::Object{{"detections", rule.detections}, {"rule", id}, {"title", rule.title}});
  }
  work.figures["detections"] = std::move(list);
  return {};
}

// At most rows_max of a kind; how many more there are stands in "left_out".
void limit(json::Array& list, const std::string& kind, FigureWork& work) {
  const auto most = static_cast<std::size_t>(work.rows_max);
  if (list.size() <= most) return;
  json::Value& left_out = work.figures.try_emplace("left_out", json::Object()).first->second;
  (*left_out.as_object())[kind] = list.size() - most;
  list.resize(most);
}

// Who was told of what, and what playbooks did.
Result<void> add_responses(FigureWork& work) {
  json::Array told;
  if (auto done = work.read("alerts",
                            [&](const json::Value& row) {
                              json::Object one = *row.as_object();
                              if (row.text("trouble").empty()) one.erase("trouble");
                              if (row["settled"].is_null()) one.erase("settled");
                              told.emplace_back(std::move(one));
                            });
      !done) {
    return done;
  }
  json::Array steps;
  if (auto done =
          work.read("steps", [&](const json::Value& row) { steps.emplace_back(listed_act(row)); });
      !done) {
    return done;
  }
  limit(told, "alerts", work);
  limit(steps, "steps", work);
  work.figures["alerts"] = std::move(told);
  work.figures["steps"] = std::move(steps);
  return {};
}

Result<void> add_incidents(FigureWork& work) {
  std::map<std::int64_t, json::Array> changes;
  json::Array acts;
  if (auto done =
          work.read("changes",
                    [&](const json::Value& row) {
                      json::Object one = listed_act(row);
                      if (row["record"].text("who") != daemon) acts.emplace_back(one);
                      changes[row["record"].integer("incident")].emplace_back(std::move(one));
                    });
      !done) {
    return done;
  }
  limit(acts, "acts", work);
  json::Array incidents;
  std::array<std::int64_t, 4> counted{};
  if (auto done =
          work.read("incidents",
                    [&](const json::Value& row) {
                      const json::Object* const body = row["incident"].as_object();
                      json::Object one = body == nullptr ? json::Object() : *body;
                      one["changes"] = std::move(changes[row.integer("number")]);
                      const std::int64_t severity = row["incident"].integer("severity");
                      ++counted[static_cast<std::size_t>(std::clamp<std::int64_t>(severity, 0, 3))];
                      incidents.emplace_back(std::move(one));
                    });
      !done) {
    return done;
  }
  limit(incidents, "incidents", work);
  work.figures["acts"] = std::move(acts);
  work.figures["incidents"] = std::move(incidents);
  work.figures["incidents_by_severity"] = json::Array(counted.begin(), counted.end());
  return {};
}

// Entries of kinds that an auditor asks for one by one.
Result<void> add_entries(FigureWork& work) {
  for (const char* const name : {"gaps", "policies", "removals"}) {
    json::Array list;
    const auto done =
        work.read(name, [&](const json::Value& row) { list.emplace_back(listed(row)); });
    if (!done) return done;
    limit(list, name, work);
    work.figures[name] = std::move(list);
  }
  return {};
}

}  // namespace

Result<json::Object> audit_figures(const RowReader& read, std::int64_t rows_max) {
  FigureWork work{.read = read, .rows_max = rows_max, .figures = {}};
  for (const auto add : {add_events, add_detections, add_incidents, add_responses, add_entries}) {
    if (auto done = add(work); !done) return std::unexpected(done.error());
  }
  return std::move(work.figures);
}

Result<json::Object> retention_figures(const RowReader& read,
                                       std::span<const privacy::RetentionPolicy> policies) {
  json::Array stored;
  auto done = read("stored", [&](const json::Value& row) {
    const auto policy = std::ranges::find_if(policies, [&](const auto& some) {
      return privacy::takes(some.sources, row.text("source"));
    });
    const bool taken = policy != policies.end();
    const auto oldest = parse_rfc3339(row.text("oldest_batch"));
    stored.push_back(
        json::Object{{"category", taken ? policy->category : ""},
                     {"earliest", row["earliest"]},
                     {"events", row["events"]},
                     {"latest", row["latest"]},
                     {"next_due", taken && oldest ? to_rfc3339(*oldest + policy->keep) : ""},
                     {"source", row["source"]}});
  });
  if (!done) return std::unexpected(done.error());
  json::Array removed;
  done = read("removals", [&](const json::Value& row) {
    const json::Value& record = row["record"];
    removed.push_back(json::Object{{"category", record["category"]},
                                   {"earliest", record["earliest"]},
                                   {"entry", row["entry"]},
                                   {"events", record["events"]},
                                   {"latest", record["latest"]},
                                   {"source", record["source"]},
                                   {"when", record["time"]}});
  });
  if (!done) return std::unexpected(done.error());
  std::ranges::reverse(removed);  // the newest first
  return json::Object{{"removed", std::move(removed)}, {"stored", std::move(stored)}};
}

}  // namespace mailwarden::report
