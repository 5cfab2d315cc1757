#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "ingest/decode/draft.h"
#include "ingest/decode/scan.h"
#include "json/flatten.h"
#include "json/value.h"

namespace mailwarden::ingest {
namespace {

// "*x*", "*x", "x*" or "x"; a single * holds for every value.
bool holds(std::string_view pattern, std::string_view value) {
  const bool open_end = pattern.size() > 1 && pattern.ends_with('*');
  if (open_end) pattern.remove_suffix(1);
  const bool open_begin = pattern.starts_with('*');
  if (open_begin) pattern.remove_prefix(1);
  if (open_begin && open_end) return value.find(pattern) != value.npos;
  if (open_begin) return value.ends_with(pattern);
  if (open_end) return value.starts_with(pattern);
  return value == pattern;
}

bool holds(const JsonMapping::Condition& condition, const Fields& fields) {
  bool there = false;
  bool fits = false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field field = fields[i];
    if (field.name != condition.path || field.kind == FieldKind::null) continue;
    there = true;
    fits = fits || std::ranges::any_of(condition.patterns, [&](const std::string& pattern) {
             return holds(pattern, field.value);
           });
  }
  const auto asks = [&](std::string_view what) {
    return std::ranges::find(condition.patterns, what) != condition.patterns.end();
  };
  return fits || (there && asks("?")) || (!there && asks("!"));
}

bool all_hold(const std::vector<JsonMapping::Condition>& conditions, const Fields& fields) {
  return std::ranges::all_of(conditions, [&](const auto& one) { return holds(one, fields); });
}

// Numbers are kept in the one form that our JSON gives them, so that an event reads back as it was.
void add_number(Fields& fields, std::string_view path, std::string_view text) {
  if (const auto integer = to_integer(text)) {
    fields.add(path, *integer);
    return;
  }
  // What no 64 bits and no double hold exactly stays a text with all its digits.
  const auto number = to_number(text);
  const bool digits_only = text.find_first_of(".eE") == text.npos;
  if (!number || digits_only || !std::isfinite(*number)) {
    fields.add(path, text);
  } else {
    fields.add(path, json::to_text(json::Value(*number)), FieldKind::number);
  }
}

void add_leaf(Fields& fields, const json::Leaf& leaf) {
  switch (leaf.kind) {
    case json::LeafKind::string:
      fields.add(leaf.path, leaf.text);
      break;
    case json::LeafKind::number:
      add_number(fields, leaf.path, leaf.text);
      break;
    case json::LeafKind::boolean:
      fields.add(leaf.path, leaf.text, FieldKind::boolean);
      break;
    case json::LeafKind::null:
      fields.add(leaf.path, "", FieldKind::null);
      break;
  }
}

// Every leaf as a field. The parser keeps nothing between calls but its buffers, which are worth
// keeping: they are as large as the largest record.
std::string flatten(Draft& draft) {
  thread_local json::Flattener flattener;
  const auto flat = flattener.flatten(draft.text);
  if (!flat) return flat.error().what;
  for (const json::Leaf& leaf : *flat) add_leaf(draft.event.fields, leaf);
  return {};
}

// Lists of {name, value} as fields of their own, as far as the name stands before its value.
void add_pairs(const JsonMapping& mapping, Fields& fields) {
  if (mapping.pairs.empty()) return;
  struct Found {
    std::string name;
    std::string value;
    FieldKind kind;
  };
  std::vector<Found> found;
  for (const JsonMapping::Pairs& pairs : mapping.pairs) {
    std::string name;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const Field field = fields[i];
      if (field.name == pairs.name) {
        name = pairs.prefix + std::string(field.value);
      } else if (!name.empty() &&
                 std::ranges::find(pairs.values, field.name) != pairs.values.end()) {
        found.push_back({.name = name, .value = std::string(field.value), .kind = field.kind});
      }
    }
  }
  for (const Found& one : found) fields.add(one.name, one.value, one.kind);
}

void add_names(const JsonMapping& mapping, Fields& fields) {
  for (const auto& [name, paths] : mapping.names) {
    const auto path = std::ranges::find_if(
        paths, [&fields](const std::string& one) { return fields.find(one).has_value(); });
    if (path == paths.end() || *path == name) continue;
    std::vector<std::pair<std::string, FieldKind>> values;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const Field field = fields[i];
      if (field.name == *path) values.emplace_back(field.value, field.kind);
    }
    for (const auto& [value, kind] : values) fields.add(name, value, kind);
  }
}

void add_attributes(const std::vector<JsonMapping::Attribute>& attributes, Event& event) {
  for (const JsonMapping::Attribute& attribute : attributes) {
    for (const std::string& path : attribute.paths) {
      const std::string_view value = event.fields.text(path);
      if (value.empty()) continue;
      event.ocsf.*attribute.place = value;
      break;
    }
  }
}

void apply(const JsonMapping::Case& one, Event& event) {
  const JsonMapping::Constants& set = one.set;
  if (set.class_uid) event.ocsf.class_uid = *set.class_uid;
  if (set.activity_id) event.ocsf.activity_id = *set.activity_id;
  if (set.status) event.ocsf.status = *set.status;
  if (set.is_mfa) event.ocsf.is_mfa = *set.is_mfa;
  if (set.product) event.logsource.product = *set.product;
  if (set.category) event.logsource.category = *set.category;
  if (set.service) event.logsource.service = *set.service;
  add_attributes(one.attributes, event);
  for (const auto& [name, value] : one.fields) event.fields.add(name, value);
}

std::optional<Timestamp> from_rfc3339(std::string_view text, const Zone& zone) {
  if (const auto at = parse_rfc3339(text)) return *at;
  if (const auto local = parse_rfc3339(std::string(text) + "Z")) return zone.to_utc(*local);
  return std::nullopt;
}

// A count since 1970 of units that are `per_second` to a second, perhaps with a fraction.
std::optional<Timestamp> from_epoch(std::string_view text, std::int64_t per_second) {
  constexpr std::int64_t us_per_second = 1'000'000;
  if (const auto whole = to_integer(text)) {
    const std::int64_t factor = std::max<std::int64_t>(us_per_second / per_second, 1);
    const std::int64_t divisor = std::max<std::int64_t>(per_second / us_per_second, 1);
    if (*whole / divisor > Timestamp::latest.us / factor ||
        *whole / divisor < Timestamp::earliest.us / factor) {
      return std::nullopt;
    }
    return Timestamp{*whole / divisor * factor};
  }
  const auto number = to_number(text);
  if (!number || !std::isfinite(*number)) return std::nullopt;
  const double us = *number / static_cast<double>(per_second) * us_per_second;
  if (us >= static_cast<double>(Timestamp::latest.us) ||
      us < static_cast<double>(Timestamp::earliest.us)) {
    return std::nullopt;
  }
  return Timestamp{static_cast<std::int64_t>(std::floor(us))};
}

std::optional<Timestamp> to_time(const JsonMapping& mapping, std::string_view text,
                                 const Zone& zone) {
  switch (mapping.time_format) {
    case TimeFormat::rfc3339:
      return from_rfc3339(text, zone);
    case TimeFormat::epoch_seconds:
      return from_epoch(text, 1);
    case TimeFormat::epoch_milliseconds:
      return from_epoch(text, 1'000);
    case TimeFormat::epoch_microseconds:
      return from_epoch(text, 1'000'000);
    case TimeFormat::epoch_nanoseconds:
      return from_epoch(text, 1'000'000'000);
  }
  return std::nullopt;
}

std::string set_time(const JsonMapping& mapping, Draft& draft) {
  std::string_view written;
  for (const std::string& path : mapping.time_paths) {
    written = draft.event.fields.text(path);
    if (written.empty()) continue;
    if (const auto at = to_time(mapping, written, draft.settings.zone)) {
      draft.event.time = *at;
      return {};
    }
    break;
  }
  if (mapping.time_otherwise_received) return {};
  if (written.empty()) return "no time at '" + mapping.time_paths.front() + "'";
  return "'" + printable(written.substr(0, 40)) + "' is not a time of the form that mapping " +
         mapping.name + " names";
}

std::string map(const JsonMapping& mapping, Draft& draft) {
  Event& event = draft.event;
  if (std::string why = set_time(mapping, draft); !why.empty()) return why;
  event.decoder = mapping.name;
  event.logsource = mapping.logsource;
  add_pairs(mapping, event.fields);
  add_names(mapping, event.fields);
  add_attributes(mapping.attributes, event);
  for (const JsonMapping::Case& one : mapping.cases) {
    if (all_hold(one.when, event.fields)) apply(one, event);
  }
  return {};
}

std::string read_with(Draft& draft, const JsonMapping& mapping) {
  if (std::string why = flatten(draft); !why.empty()) return why;
  return map(mapping, draft);
}

bool recognises(const JsonMapping& mapping, const Fields& fields) {
  return !mapping.recognise.empty() && all_hold(mapping.recognise, fields);
}

}  // namespace

std::string read_google_workspace(Draft& draft) {
  return read_with(draft, google_workspace_mapping());
}

std::string read_gcp_audit(Draft& draft) {
  return read_with(draft, gcp_audit_mapping());
}

std::string read_github_audit(Draft& draft) {
  return read_with(draft, github_audit_mapping());
}

std::string read_okta(Draft& draft) {
  return read_with(draft, okta_mapping());
}

// With a mapping of the source's own it is taken; else the one of ours that recognises the object;
// else there are fields and nothing more, at the time of reading.
std::string read_json(Draft& draft) {
  if (draft.settings.mapping) return read_with(draft, *draft.settings.mapping);
  if (std::string why = flatten(draft); !why.empty()) return why;
  for (const JsonMapping* mapping : {&gcp_audit_mapping(), &google_workspace_mapping(),
                                     &okta_mapping(), &github_audit_mapping()}) {
    if (recognises(*mapping, draft.event.fields)) return map(*mapping, draft);
  }
  draft.event.decoder = "json";
  return {};
}

}  // namespace mailwarden::ingest
