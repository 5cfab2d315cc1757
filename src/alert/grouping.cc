#include "alert/grouping.h"

#include <algorithm>

#include "base/text.h"

namespace mailwarden::alert {
namespace {

Labels picked(const Grouping& grouping, const Labels& labels) {
  Labels some;
  for (const std::string& name : grouping.by) {
    const std::string_view value = value_of(labels, name);
    if (!value.empty()) some.emplace(name, value);
  }
  return some;
}

// Whether something keeps what has these labels quiet; counted in the flush.
bool mute(const GroupContext& context, const Inhibitors& inhibitors, const Labels& labels,
          Flush& flush) {
  const std::vector<std::string> silences = context.silences.silencing(labels, flush.now);
  if (!silences.empty()) {
    flush.silenced_by.insert(silences.begin(), silences.end());
    ++flush.silenced;
    return true;
  }
  if (inhibitors.inhibiting(labels) == 0) return false;
  ++flush.inhibited;
  return true;
}

std::optional<Signal::Told> told_as(const Signal& signal, std::int64_t group) {
  const auto found = signal.told.find(group);
  return found == signal.told.end() ? std::nullopt : std::optional(found->second);
}

bool is_grave_opening(const incident::Change& change, const incident::Incident& incident) {
  return incident.severity == incident::Severity::extreme &&
         (change.kind == "opened" || change.kind == "severity_raised");
}

json::Object news_json(const IncidentNews& news) {
  return {{"changes", news.changes},
          {"labels", to_json(news.labels)},
          {"open", news.is_open},
          {"opened_grave", news.opened_grave},
          {"told", news.told}};
}

}  // namespace

json::Object to_json(const Group& group) {
  json::Object incidents;
  for (const auto& [number, news] : group.incidents) {
    incidents[std::to_string(number)] = news_json(news);
  }
  json::Object object{{"begun", group.begun.us},         {"due", group.due.us},
                      {"flushes", group.flushes},        {"incidents", std::move(incidents)},
                      {"labels", to_json(group.labels)}, {"left_out", group.left_out},
                      {"number", group.number},          {"route", group.route}};
  if (group.notified) object["notified"] = group.notified->us;
  return object;
}

Result<Group> group_from_json(const json::Value& value) {
  Group group{.number = value.integer("number"),
              .route = value.text("route"),
              .labels = labels_from_json(value["labels"]),
              .begun = {value.integer("begun")},
              .due = {value.integer("due")},
              .flushes = value.integer("flushes"),
              .notified = {},
              .incidents = {},
              .left_out = value.integer("left_out")};
  const json::Object* const incidents = value["incidents"].as_object();
  if (group.number <= 0 || group.route.empty() || incidents == nullptr) {
    return fail(Code::corrupt, "a stored group of alerts is damaged");
  }
  if (const std::int64_t* const us = value["notified"].as_integer()) {
    group.notified = Timestamp{*us};
  }
  for (const auto& [name, news] : *incidents) {
    const auto number = to_integer(name);
    if (!number) return fail(Code::corrupt, "a stored group of alerts is damaged");
    group.incidents[*number] = {.labels = labels_from_json(news["labels"]),
                                .changes = news.integer("changes"),
                                .is_open = news["open"] == json::Value(true),
                                .told = news["told"] == json::Value(true),
                                .opened_grave = news["opened_grave"] == json::Value(true)};
  }
  return group;
}

GroupBook::GroupBook(std::vector<Group> groups) {
  for (Group& group : groups) {
    const std::int64_t number = group.number;
    last_number_ = std::max(last_number_, number);
    by_labels_[{group.route, group.labels}] = number;
    due_.insert({group.due, number});
    for (const auto& [incident, news] : group.incidents) groups_of_[incident].insert(number);
    groups_.emplace(number, std::move(group));
  }
}

const Group* GroupBook::find(std::int64_t number) const {
  const auto found = groups_.find(number);
  return found == groups_.end() ? nullptr : &found->second;
}

const std::set<std::int64_t>& GroupBook::members(std::int64_t group) const {
  static const std::set<std::int64_t> none;
  const auto found = members_.find(group);
  return found == members_.end() ? none : found->second;
}

void GroupBook::plan(Group& group, Timestamp due) {
  due_.erase({group.due, group.number});
  group.due = due;
  due_.insert({due, group.number});
  touched_.groups.insert(group.number);
}

Group& GroupBook::group_of(const Route& route, const Labels& labels, Timestamp now) {
  Labels some = picked(*route.terms.grouping, labels);
  const auto found = by_labels_.find({route.id, some});
  if (found != by_labels_.end()) return groups_.at(found->second);
  const std::int64_t number = ++last_number_;
  by_labels_[{route.id, some}] = number;
  Group& group = groups_[number] = {
      .number = number, .route = route.id, .labels = std::move(some), .begun = now};
  plan(group, now + route.terms.grouping->wait);
  return group;
}

void GroupBook::place(const GroupContext& context, const Signal& signal, Timestamp now) {
  for (const Route& route : context.routes.routes()) {
    if (!route.takes(signal.labels)) continue;
    Group& group = group_of(route, signal.labels, now);
    members_[group.number].insert(signal.number);
    // One that has fired for longer than the wait does not wait again.
    const Timestamp due = std::max(now, signal.starts + route.terms.grouping->wait);
    if (group.flushes == 0 && due < group.due) plan(group, due);
  }
}

void GroupBook::take(const GroupContext& context, std::int64_t signal, Timestamp now) {
  if (const Signal* const found = context.signals.find(signal)) place(context, *found, now);
}

void GroupBook::take(const GroupContext& context, const incident::Change& change,
                     const incident::Incident& incident) {
  if (incident::is_over(incident.state)) {
    for (const std::int64_t number : std::exchange(groups_of_[incident.number], {})) {
      const auto held = groups_.at(number).incidents.find(incident.number);
      if (held != groups_.at(number).incidents.end()) held->second.is_open = false;
      touched_.groups.insert(number);
    }
    groups_of_.erase(incident.number);
  }
  for (const Route& route : context.routes.routes()) {
    const bool is_its =
        route.terms.grouping && route.takes(change.kind, incident.severity, &incident.type);
    if (!is_its) continue;
    const Labels labels = labels_of(incident, change.kind);
    Group& group = group_of(route, labels, change.when);
    touched_.groups.insert(group.number);
    const auto known = group.incidents.find(incident.number);
    if (known == group.incidents.end() && group.incidents.size() >= Group::incidents_max) {
      ++group.left_out;
      continue;
    }
    IncidentNews& news = group.incidents[incident.number];
    news.labels = labels;
    ++news.changes;
    news.is_open = !incident::is_over(incident.state);
    news.opened_grave = news.opened_grave || is_grave_opening(change, incident);
    if (news.is_open) groups_of_[incident.number].insert(group.number);
  }
}

void GroupBook::use(const GroupContext& context, Timestamp now) {
  std::vector<std::int64_t> gone;
  for (const auto& [number, group] : groups_) {
    const Route* const route = context.routes.find_route(group.route);
    if (route == nullptr || !route->terms.grouping) gone.push_back(number);
  }
  for (const std::int64_t number : gone) drop(context.signals, number);
  members_.clear();
  for (const auto& [number, signal] : context.signals.all()) {
    if (!signal.is_over(now)) {
      place(context, signal, now);
      continue;
    }
    // Over, and not told to be.
    for (const auto& [group, told] : signal.told) {
      if (told == Signal::Told::firing && groups_.contains(group)) members_[group].insert(number);
    }
  }
}

void GroupBook::mark(Signal& signal, Signal::Told as, std::int64_t group) {
  signal.told[group] = as;
  touched_.signals.insert(signal.number);
}

void GroupBook::gather(const GroupContext& context, const Inhibitors& inhibitors, Flush& flush) {
  for (const std::int64_t number : members(flush.group)) {
    Signal* const signal = context.signals.find(number);
    if (signal == nullptr) continue;
    const auto told = told_as(*signal, flush.group);
    const bool over = signal->is_over(flush.now);
    if (over && told != Signal::Told::firing) continue;
    const bool muted = mute(context, inhibitors, signal->labels, flush);
    if (over) {
      mark(*signal, Signal::Told::resolved, flush.group);
      if (muted) continue;
      flush.resolved.push_back(signal);
      flush.is_told = true;
    } else if (!muted) {
      flush.firing.push_back(signal);
      if (told == Signal::Told::firing) continue;
      mark(*signal, Signal::Told::firing, flush.group);
      flush.is_told = true;
    } else if (!told || told == Signal::Told::resolved) {
      mark(*signal, Signal::Told::muted, flush.group);
      flush.muted.push_back(signal);
    }
  }
}

void GroupBook::gather(const GroupContext& context, const Inhibitors& inhibitors, Group& group,
                       bool repeats, Flush& flush) {
  std::vector<std::pair<std::int64_t, IncidentNews>> muted;
  for (auto& [number, news] : group.incidents) {
    const bool is_news = news.changes > 0;
    if (!is_news && !(repeats && news.is_open && news.told)) continue;
    const bool is_muted = mute(context, inhibitors, news.labels, flush);
    if (is_muted && is_news) muted.emplace_back(number, news);
    if (!is_muted) {
      flush.incidents.emplace_back(number, news);
      flush.is_told = true;
      news.told = true;
    }
    news.changes = 0;
    news.opened_grave = false;
  }
  std::erase_if(group.incidents, [](const auto& one) { return !one.second.is_open; });
  flush.left_out = std::exchange(group.left_out, 0);
  if (flush.left_out != 0) flush.is_told = true;
  if (!flush.is_told) flush.incidents = std::move(muted);
}

std::optional<Notice> GroupBook::tell(const GroupContext& context, const Inhibitors& inhibitors,
                                      const Route& route, Group& group, Timestamp now) {
  Flush flush{.group = group.number,
              .route = route.id,
              .labels = group.labels,
              .begun = group.begun,
              .now = now,
              .number = group.flushes + 1};
  const bool repeats = group.notified && now - *group.notified >= route.terms.grouping->repeat;
  gather(context, inhibitors, flush);
  gather(context, inhibitors, group, repeats, flush);
  if (repeats && !flush.firing.empty()) flush.is_told = true;
  if (!flush.is_told && flush.muted.empty() && flush.incidents.empty()) return std::nullopt;
  group.flushes = flush.number;
  if (flush.is_told) group.notified = now;
  return to_notice(flush, context.routes, route, context.origin);
}

// Those that are over and need not be told to be.
void GroupBook::let_go(SignalBook& signals, std::int64_t group, Timestamp now) {
  const auto found = members_.find(group);
  if (found == members_.end()) return;
  std::erase_if(found->second, [&](std::int64_t number) {
    Signal* const signal = signals.find(number);
    if (signal == nullptr) return true;
    if (!signal->is_over(now) || told_as(*signal, group) == Signal::Told::firing) return false;
    if (signal->told.erase(group) != 0) touched_.signals.insert(number);
    return true;
  });
  if (found->second.empty()) members_.erase(found);
}

void GroupBook::drop(SignalBook& signals, std::int64_t number) {
  const Group& group = groups_.at(number);
  for (const auto& [incident, news] : group.incidents) {
    const auto held = groups_of_.find(incident);
    if (held == groups_of_.end()) continue;
    held->second.erase(number);
    if (held->second.empty()) groups_of_.erase(held);
  }
  for (const std::int64_t member : members(number)) {
    Signal* const signal = signals.find(member);
    if (signal != nullptr && signal->told.erase(number) != 0) touched_.signals.insert(member);
  }
  members_.erase(number);
  due_.erase({group.due, number});
  by_labels_.erase({group.route, group.labels});
  groups_.erase(number);
  touched_.groups.erase(number);
  touched_.gone.insert(number);
}

std::vector<Notice> GroupBook::flush(const GroupContext& context, Timestamp now) {
  std::vector<Notice> notices;
  if (due_.empty() || due_.begin()->first > now) return notices;
  const Inhibitors inhibitors(context.routes.terms().inhibitions, context.signals, now);
  while (!due_.empty() && due_.begin()->first <= now) {
    Group& group = groups_.at(due_.begin()->second);
    const Route* const route = context.routes.find_route(group.route);
    if (route == nullptr || !route->terms.grouping) {
      drop(context.signals, group.number);
      continue;
    }
    const bool holds = !route->terms.hours || route->terms.hours->hold(now);
    auto notice = holds ? tell(context, inhibitors, *route, group, now) : std::nullopt;
    if (notice) notices.push_back(*std::move(notice));
    let_go(context.signals, group.number, now);
    if (!members_.contains(group.number) && group.incidents.empty()) {
      drop(context.signals, group.number);
    } else {
      plan(group, now + route->terms.grouping->interval);
    }
  }
  return notices;
}

}  // namespace mailwarden::alert
