#include "alert/silence.h"

#include <algorithm>

#include "base/text.h"

namespace mailwarden::alert {
namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::string_view severity_label = "severity";
constexpr std::string_view gravest = "3";
constexpr std::string_view incident_label = "incident";

Result<void> check(const Silence& silence, Timestamp now) {
  const auto wrong = [](std::string what) { return fail(Code::invalid, std::move(what)); };
  if (silence.matchers.empty()) return wrong("a silence has at least one matcher");
  if (silence.matchers.size() > SilenceLimits::matchers_max) {
    return wrong("a silence has at most " + std::to_string(SilenceLimits::matchers_max) +
                 " matchers");
  }
  const bool all_empty = std::ranges::all_of(
      silence.matchers, [](const LabelMatcher& one) { return one.matches(std::string_view()); });
  if (all_empty) return wrong("a silence needs a matcher that does not match an empty label");
  if (trim(silence.author).empty()) return wrong("a silence needs its author ('createdBy')");
  if (trim(silence.comment).empty()) return wrong("a silence needs a reason ('comment')");
  if (silence.author.size() > SilenceLimits::author_bytes_max ||
      silence.comment.size() > SilenceLimits::comment_bytes_max || !is_utf8(silence.author) ||
      !is_utf8(silence.comment)) {
    return wrong("author and comment must be UTF-8 of at most " +
                 std::to_string(SilenceLimits::author_bytes_max) + " and " +
                 std::to_string(SilenceLimits::comment_bytes_max) + " bytes");
  }
  if (silence.ends <= silence.starts) return wrong("a silence must end after it starts");
  if (silence.ends <= now) return wrong("a silence cannot end in the past");
  return {};
}

// Times alone may be changed, and not those that have passed.
bool may_become(const Silence& before, const Silence& after, Timestamp now) {
  if (before.matchers != after.matchers || before.over || before.ends <= now) return false;
  if (before.starts <= now) return before.starts.us / second == after.starts.us / second;
  return after.starts >= now;
}

bool silences(const Silence& silence, const Labels& labels) {
  if (!match_all(silence.matchers, labels)) return false;
  const bool is_grave =
      labels.contains(incident_label) && value_of(labels, severity_label) == gravest;
  return !is_grave || std::ranges::any_of(silence.matchers, [](const LabelMatcher& one) {
    return one.name() == severity_label && one.kind() == LabelMatcher::Kind::equal &&
           one.value() == gravest;
  });
}

}  // namespace

std::string_view state_of(const Silence& silence, Timestamp now) {
  if (silence.over || silence.ends <= now) return "expired";
  return silence.starts <= now ? "active" : "pending";
}

Result<Silence> read_silence(const json::Value& posted) {
  const json::Array* const matchers = posted["matchers"].as_array();
  if (matchers == nullptr) return fail(Code::invalid, "'matchers' must be an array");
  Silence silence{.id = posted.text("id"),
                  .author = posted.text("createdBy"),
                  .comment = posted.text("comment")};
  if (matchers->size() > SilenceLimits::matchers_max) {
    return fail(Code::invalid, "a silence has at most " +
                                   std::to_string(SilenceLimits::matchers_max) + " matchers");
  }
  for (const json::Value& one : *matchers) {
    auto matcher = matcher_from_json(one);
    if (!matcher) return std::unexpected(matcher.error());
    silence.matchers.push_back(*std::move(matcher));
  }
  const auto starts = parse_rfc3339(posted.text("startsAt"));
  if (!starts) return fail("startsAt", starts.error());
  const auto ends = parse_rfc3339(posted.text("endsAt"));
  if (!ends) return fail("endsAt", ends.error());
  silence.starts = *starts;
  silence.ends = *ends;
  return silence;
}

json::Object to_json(const Silence& silence) {
  json::Array matchers;
  for (const LabelMatcher& one : silence.matchers) matchers.emplace_back(to_json(one));
  return {{"comment", silence.comment},
          {"createdBy", silence.author},
          {"endsAt", to_rfc3339(silence.ends)},
          {"id", silence.id},
          {"matchers", std::move(matchers)},
          {"over", silence.over},
          {"startsAt", to_rfc3339(silence.starts)},
          {"updatedAt", to_rfc3339(silence.updated)}};
}

Result<Silence> silence_from_json(const json::Value& value) {
  auto silence = read_silence(value);
  const auto updated = parse_rfc3339(value.text("updatedAt"));
  if (!silence || !updated || silence->id.empty()) {
    return fail(Code::corrupt, "a stored silence is damaged");
  }
  silence->updated = *updated;
  silence->over = value["over"] == json::Value(true);
  return silence;
}

SilenceBook::SilenceBook(std::vector<Silence> silences) {
  for (Silence& silence : silences) put(std::move(silence));
}

Silence& SilenceBook::put(Silence silence) {
  const std::string id = silence.id;
  Silence& held = silences_[id];
  waking_.erase({held.ends, id});
  held = std::move(silence);
  (held.over ? over_ : waking_).insert({held.ends, id});
  return held;
}

SilenceBook::Change SilenceBook::end(Silence& silence, Timestamp now) {
  Silence ended = silence;
  ended.starts = std::min(ended.starts, now);
  ended.ends = std::min(ended.ends, now);
  ended.updated = now;
  ended.over = true;
  return {.id = put(std::move(ended)).id, .what = "expired"};
}

Result<SilenceBook::Set> SilenceBook::set(Silence silence, const std::string& fresh_id,
                                          Timestamp now) {
  const auto found = silences_.find(silence.id);
  if (!silence.id.empty() && found == silences_.end()) {
    return fail(Code::not_found, "there is no silence " + printable(silence.id.substr(0, 64)));
  }
  const bool changes = found != silences_.end() && may_become(found->second, silence, now);
  if (!changes) silence.starts = std::max(silence.starts, now);
  if (auto good = check(silence, now); !good) return std::unexpected(good.error());
  silence.updated = now;
  silence.over = false;
  if (changes) {
    Set done{.id = silence.id, .changes = {{.id = silence.id, .what = "changed"}}};
    put(std::move(silence));
    return done;
  }
  const bool ends_one = found != silences_.end() && !found->second.over;
  if (silences_.size() >= SilenceLimits::silences_max) {
    return fail(Code::full, std::to_string(SilenceLimits::silences_max) +
                                " silences are held already, and no more");
  }
  Set done{.id = fresh_id, .changes = {}};
  if (ends_one) done.changes.push_back(end(found->second, now));
  silence.id = fresh_id;
  put(std::move(silence));
  done.changes.push_back({.id = fresh_id, .what = "made"});
  return done;
}

Result<SilenceBook::Change> SilenceBook::expire(const std::string& id, Timestamp now) {
  const auto found = silences_.find(id);
  if (found == silences_.end()) {
    return fail(Code::not_found, "there is no silence " + printable(id.substr(0, 64)));
  }
  if (found->second.over || found->second.ends <= now) {
    return fail(Code::conflict, "the silence " + id + " is over already");
  }
  return end(found->second, now);
}

std::vector<SilenceBook::Change> SilenceBook::tick(Timestamp now) {
  std::vector<Change> changes;
  while (!waking_.empty() && waking_.begin()->first <= now) {
    changes.push_back(end(silences_.at(waking_.begin()->second), now));
  }
  return changes;
}

std::vector<std::string> SilenceBook::forget_old(Timestamp now) {
  std::vector<std::string> old;
  while (!over_.empty() && over_.begin()->first + keep_silences <= now) {
    old.push_back(over_.begin()->second);
    silences_.erase(old.back());
    over_.erase(over_.begin());
  }
  return old;
}

std::vector<std::string> SilenceBook::silencing(const Labels& labels, Timestamp now) const {
  std::vector<std::string> ids;
  for (const auto& [ends, id] : waking_) {
    const Silence& silence = silences_.find(id)->second;
    if (silence.starts <= now && silence.ends > now && silences(silence, labels)) ids.push_back(id);
  }
  std::ranges::sort(ids);
  return ids;
}

const Silence* SilenceBook::find(std::string_view id) const {
  const auto found = silences_.find(id);
  return found == silences_.end() ? nullptr : &found->second;
}

}  // namespace mailwarden::alert
