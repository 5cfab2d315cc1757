#include "detect/correlator.h"

#include <algorithm>

#include "crypto/sha256.h"
#include "detect/correlation_text.h"

namespace mailwarden::detect {
namespace {

// How many groups a detection looks at for those whose time is over, which is more than it makes.
constexpr std::size_t sweep_step = 2;
// How many detections pass at least before a group is looked at again.
constexpr std::int64_t sweep_interval = 4096;
constexpr std::int64_t stream_interval = 4096;
// What a group costs beside its entries and its node: a place in a table that is half empty, one in
// groups_, and what the allocator keeps.
constexpr std::size_t group_overhead = 64;
constexpr std::size_t cache_line = 64;

std::string_view value_named(const Detection& detection, std::string_view name) {
  for (const auto& [known, value] : detection.values) {
    if (known == name) return value;
  }
  return {};
}

template <class Place>
std::string_view value_at(const Detection& detection, const Place& place) {
  const auto& values = detection.values;
  if (place.hint < values.size() && values[place.hint].first == place.name) {
    return values[place.hint].second;
  }
  return value_named(detection, place.name);
}

// The values one behind the other, each with its length, so that no two lists look the same. False
// where one is absent or empty.
template <class Places>
bool join_values(const Detection& detection, const Places& places, std::string& into) {
  into.clear();
  for (const auto& place : places) {
    const std::string_view value = value_at(detection, place);
    if (value.empty()) return false;
    for (std::size_t rest = value.size();; rest >>= 7) {
      into += static_cast<char>(rest < 128 ? rest : (rest & 127) | 128);
      if (rest < 128) break;
    }
    into += value;
  }
  // The last byte tells a text from a hash.
  if (into.size() <= Correlator::key_bytes_max) {
    into += 't';
  } else {
    into = crypto::to_hex(crypto::sha256(into)) + 'h';
  }
  return true;
}

std::string entity_kind(const Detection& base, std::string_view path) {
  if (path == "src_endpoint.ip") return "address";
  if (path == "user.name" || path == "actor.user.name" || path == "email.from") return "account";
  if (path == "device.hostname") return "host";
  if (path == "campaign" || path == "campaign_id" || path == "campaign.id") return "campaign";
  return base.entity.kind.empty() ? "resource" : base.entity.kind;
}

// Of what all events of a group have in common; "" where it is no account, address, host or
// campaign.
std::string shared_kind(std::string_view path) {
  const std::string kind = entity_kind({}, path);
  return kind == "resource" ? "" : kind;
}

std::size_t size_of(const std::variant<CountedGroup, OrderedGroup>& state) {
  return std::visit([](const auto& group) { return group.size(); }, state);
}

Timestamp newest_of(const std::variant<CountedGroup, OrderedGroup>& state) {
  return std::visit([](const auto& group) { return group.newest(); }, state);
}

}  // namespace

Correlator::Correlator(const RuleSet& rules, const CorrelatorOptions& options)
    : options_(options), hash_(KeyedHash::drawn()), uses_(0, hash_) {
  take_rules(rules);
}

std::vector<Correlator::FieldPlace> Correlator::places_of(const std::vector<std::string>& names,
                                                          const Correlation& correlation,
                                                          const std::string& rule,
                                                          const RuleSet& rules) {
  std::vector<FieldPlace> places;
  const auto needs = rules.needs_.find(rule);
  for (const std::string& name : names) {
    const auto alias = correlation.aliases.find(name);
    FieldPlace place{alias == correlation.aliases.end() ? name : alias->second.at(rule)};
    if (needs != rules.needs_.end()) {
      const auto& values = needs->second.values;
      place.hint = static_cast<std::size_t>(std::ranges::find(values, place.name) - values.begin());
    }
    places.push_back(std::move(place));
  }
  return places;
}

void Correlator::take_rules(const RuleSet& rules) {
  windows_.clear();
  uses_.clear();
  for (const Correlation& correlation : rules.correlations()) {
    const auto needs = rules.needs_.find(correlation.header.id);
    const MeasureLimits limits{options_.lateness, options_.late_windows_max};
    for (std::size_t i = 0; i < correlation.rules.size(); ++i) {
      const std::string& rule = correlation.rules[i];
      uses_[rule].push_back({.window = windows_.size(),
                             .rule = static_cast<std::uint32_t>(i),
                             .key = places_of(correlation.group_by, correlation, rule, rules),
                             .fields = places_of(correlation.fields, correlation, rule, rules)});
    }
    windows_.push_back({.correlation = correlation,
                        .measure = Measure(correlation, limits),
                        .silent = needs != rules.needs_.end() && needs->second.silent,
                        .signature = signature_of(correlation)});
  }
}

void Correlator::rebind(const RuleSet& rules) {
  std::vector<Window> old = std::move(windows_);
  take_rules(rules);
  for (Window& gone : old) {
    const auto same = std::ranges::find_if(windows_, [&](const Window& window) {
      return window.correlation.header.id == gone.correlation.header.id &&
             window.signature == gone.signature;
    });
    if (same == windows_.end()) continue;
    gone.groups.for_each(
        [&](Group& group) { group.window = static_cast<std::size_t>(same - windows_.begin()); });
    same->groups = std::exchange(gone.groups, {});
  }
  for (const Window& gone : old) {
    gone.groups.for_each([&](const Group& group) { free_place(group); });
  }
}

std::vector<Detection> Correlator::advance(const Detection& detection) {
  prepare({&detection, 1});
  return advance_prepared(detection);
}

std::vector<Detection> Correlator::advance_prepared(const Detection& detection) {
  std::vector<Detection> fired;
  take_time(detection);
  for (; prepared_next_ < prepared_end_; ++prepared_next_) {
    const Prepared& one = prepared_[prepared_next_];
    if (one.detection != &detection) break;
    take(advance_window(*one.use, one.key, one.hash, detection), one.use->window, fired);
  }
  sweep();
  return fired;
}

void Correlator::prepare(std::span<const Detection> waiting) {
  prepared_next_ = 0;
  prepared_end_ = 0;
  for (const Detection& detection : waiting) {
    const auto uses = uses_.find(detection.rule_id);
    if (uses == uses_.end()) continue;
    for (const Use& use : uses->second) {
      if (prepared_.size() == prepared_end_) prepared_.emplace_back();
      Prepared& one = prepared_[prepared_end_];
      if (!join_values(detection, use.key, one.key)) continue;
      one.detection = &detection;
      one.use = &use;
      one.hash = hash_(one.key);
      ++prepared_end_;
    }
  }
  if (prepared_end_ > 1) bring_near(std::span(prepared_).first(prepared_end_));
}

// Each round asks memory for what the next one reads, for all of them before any is waited for.
void Correlator::bring_near(std::span<Prepared> prepared) const {
  for (const Prepared& one : prepared) windows_[one.use->window].groups.ask(one.hash);
  for (Prepared& one : prepared) {
    one.likely = windows_[one.use->window].groups.likely(one.hash);
    if (one.likely == nullptr) continue;
    const char* const bytes = reinterpret_cast<const char*>(one.likely);
    for (std::size_t i = 0; i < sizeof(Group); i += cache_line) __builtin_prefetch(bytes + i);
  }
  const auto each_counted = [&](auto see) {
    for (const Prepared& one : prepared) {
      if (one.likely == nullptr) continue;
      const auto* counted = std::get_if<CountedGroup>(&one.likely->state);
      if (counted != nullptr) see(*one.likely, *counted);
    }
  };
  each_counted([&](const Group& group, const CountedGroup& counted) {
    __builtin_prefetch(&groups_[group.place], 1);
    counted.bring_near();
  });
  each_counted([](const Group&, const CountedGroup& counted) { counted.bring_nearer(); });
}

void Correlator::take_time(const Detection& detection) {
  Stream& stream = streams_.try_emplace(detection.event.stream, detection.time, 0).first->second;
  stream.newest = std::max(stream.newest, detection.time);
  stream.seen = ++arrivals_;
  newest_ = std::max(newest_, detection.time);
  if (arrivals_ % stream_interval != 0) return;
  std::erase_if(streams_, [&](const auto& one) {
    return one.second.seen + options_.stream_idle_max < arrivals_;
  });
}

// What a window fires counts for the windows behind it, if it fires: a window stands behind those
// whose detections it takes.
void Correlator::take(std::optional<Detection> one, std::size_t window,
                      std::vector<Detection>& fired) {
  if (!one) return;
  fired.push_back(*one);
  const auto uses = uses_.find(one->rule_id);
  if (uses == uses_.end()) return;
  for (const Use& use : uses->second) {
    if (use.window <= window || !join_values(*one, use.key, key_)) continue;
    take(advance_window(use, key_, hash_(key_), *one), use.window, fired);
  }
}

std::optional<Detection> Correlator::advance_window(const Use& use, std::string_view key,
                                                    std::size_t hash, const Detection& detection) {
  const Window& window = windows_[use.window];
  // A correlation's detection counts once, however many events it rests on.
  const bool repeats = window.measure.repeats() && detection.events.empty();
  Arrival arrival{.time = detection.time,
                  .event = detection.event,
                  .count = repeats ? static_cast<std::uint32_t>(
                                         std::clamp<std::int64_t>(detection.count, 1, count_max))
                                   : 1,
                  .rule = use.rule};
  if (window.measure.distinct()) {
    if (use.fields.empty()) {
      value_.assign(reinterpret_cast<const char*>(&use.rule), sizeof use.rule);
    } else if (!join_values(detection, use.fields, value_)) {
      return std::nullopt;
    }
    arrival.value = value_;
  } else if (!use.fields.empty()) {
    const auto amount = amount_of(value_at(detection, use.fields.front()));
    if (!amount) return std::nullopt;
    arrival.amount = *amount;
  }
  Group& group = group_of(use.window, key, hash);
  const auto completed = add(window, group, arrival);
  Timestamp& dies = groups_[group.place].dies;
  dies = std::max(dies, detection.time + life_of(window));
  if (!completed) {
    account(group);
    keep_limits(group);
    return std::nullopt;
  }
  Detection fired = fire(window, detection, *completed);
  remove_group(group);
  return fired;
}

std::optional<Completed> Correlator::add(const Window& window, Group& group,
                                         const Arrival& arrival) {
  if (auto* counted = std::get_if<CountedGroup>(&group.state)) {
    return counted->add(window.measure, arrival, dropped_);
  }
  return std::get<OrderedGroup>(group.state).add(window.measure, arrival);
}

Detection Correlator::fire(const Window& window, const Detection& last,
                           const Completed& completed) const {
  const Correlation& correlation = window.correlation;
  Detection detection{.rule_id = correlation.header.id,
                      .title = correlation.header.title,
                      .rule_file = correlation.header.file,
                      .rule_version = correlation.header.version,
                      .level = correlation.header.level,
                      .tags = correlation.header.tags,
                      .event = last.event,
                      .time = std::max(last.time, completed.newest),
                      .count = completed.count,
                      .facts = correlation.header.facts,
                      .values = last.values,
                      .silent = window.silent};
  const std::vector<EventId>& events = completed.events;
  const std::size_t told = std::min(events.size(), Detection::events_max);
  detection.events.assign(events.end() - static_cast<std::ptrdiff_t>(told), events.end());
  if (!correlation.header.entity.empty()) {
    detection.entity = {entity_kind(last, correlation.header.entity),
                        std::string(value_named(last, correlation.header.entity))};
  }
  for (const std::string& name : correlation.group_by) {
    const auto alias = correlation.aliases.find(name);
    const auto field =
        alias == correlation.aliases.end() ? std::nullopt : field_for(alias->second, last.rule_id);
    const std::string value(value_named(last, field.value_or(name)));
    detection.because.push_back({"group-by", name, value});
    const Entity common{shared_kind(field.value_or(name)), value};
    const bool is_new = common != detection.entity &&
                        std::ranges::find(detection.also, common) == detection.also.end();
    const bool is_named =
        !common.kind.empty() && !value.empty() && value.size() <= Detection::also_bytes_max;
    if (is_new && is_named) detection.also.push_back(common);
  }
  detection.because.push_back(
      {"correlation", "count",
       std::to_string(detection.count) + " within " + to_words(correlation.timespan)});
  if (!completed.measured.empty()) {
    detection.because.push_back({"correlation", field_text(correlation), completed.measured});
  }
  return detection;
}

Correlator::Group& Correlator::group_of(std::size_t window, std::string_view key,
                                        std::size_t hash) {
  Groups& known = windows_[window].groups;
  if (Group* const found = known.find(hash, key)) return *found;
  std::size_t place = groups_.size();
  if (free_.empty()) {
    groups_.emplace_back();
  } else {
    place = free_.back();
    free_.pop_back();
  }
  const Measure& measure = windows_[window].measure;
  Group& group = known.insert({.hash = hash,
                               .text = {key.begin(), key.end()},
                               .window = window,
                               .place = place,
                               .state = measure.ordered() ? State(OrderedGroup(measure.steps()))
                                                          : State(CountedGroup(hash_))});
  groups_[place] = {&group, Timestamp{std::numeric_limits<std::int64_t>::min()}};
  ++live_;
  return group;
}

// The group's memory is added up anew.
void Correlator::account(Group& group) {
  const std::size_t before = group.bytes;
  group.bytes = sizeof(Group) + group_overhead + group.text.size() +
                std::visit([](const auto& state) { return state.bytes(); }, group.state);
  bytes_ += group.bytes - before;
}

void Correlator::free_place(const Group& group) {
  bytes_ -= group.bytes;
  groups_[group.place] = {};
  free_.push_back(group.place);
  --live_;
}

void Correlator::remove_group(const Group& group) {
  free_place(group);
  windows_[group.window].groups.erase(group);
}

void Correlator::keep_limits(Group& group) {
  while (size_of(group.state) > options_.entries_max) {
    if (auto* counted = std::get_if<CountedGroup>(&group.state)) {
      counted->drop_oldest(windows_[group.window].measure);
    } else {
      std::get<OrderedGroup>(group.state).drop_oldest();
    }
    ++dropped_;
    account(group);
  }
  if (live_ > options_.groups_max || bytes_ > options_.bytes_max) drop_oldest_groups();
}

// Some at once, so that whoever makes ever new groups does not make each of them cost a search
// through all.
void Correlator::drop_oldest_groups() {
  struct Old {
    Timestamp newest;
    std::size_t place;

    auto operator<=>(const Old&) const = default;
  };
  std::vector<Old> all;
  all.reserve(live_);
  for (std::size_t place = 0; place < groups_.size(); ++place) {
    const Group* const group = groups_[place].group;
    if (group != nullptr) all.push_back({newest_of(group->state), place});
  }
  std::ranges::make_heap(all, std::greater());
  const std::size_t groups = options_.groups_max - options_.groups_max / 64;
  const std::size_t bytes = options_.bytes_max - options_.bytes_max / 64;
  while (!all.empty() && (live_ > groups || bytes_ > bytes)) {
    std::ranges::pop_heap(all, std::greater());
    const std::size_t place = all.back().place;
    all.pop_back();
    const Group& group = *groups_[place].group;
    dropped_ += static_cast<std::int64_t>(size_of(group.state));
    remove_group(group);
  }
}

Duration Correlator::life_of(const Window& window) const {
  return window.measure.timespan() + 2 * options_.lateness;
}

// Looks at a few groups each time, in turn, and lets go of those whose time is over.
void Correlator::sweep() {
  for (std::size_t i = 0; i < sweep_step && !groups_.empty(); ++i) {
    if (swept_ >= groups_.size()) {
      if (arrivals_ < round_ + sweep_interval) return;
      round_ = arrivals_;
      swept_ = 0;
    }
    const auto [group, dies] = groups_[swept_++];
    // Most are told to be alive without a look at the group, which lies elsewhere in memory.
    if (group != nullptr && dies < newest_ && is_dead(*group)) remove_group(*group);
  }
}

// An entry is dead when its own stream has gone past any time that could still join it, with as
// much again as a late event may have.
bool Correlator::is_dead(const Group& group) const {
  const Duration life = life_of(windows_[group.window]);
  const auto dead = [&](const Entry& entry) {
    const auto stream = streams_.find(entry.event.stream);
    return stream == streams_.end() || stream->second.newest > entry.at.time + life;
  };
  return std::visit([&](const auto& state) { return state.all_from_newest(dead); }, group.state);
}

}  // namespace mailwarden::detect
