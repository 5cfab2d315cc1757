#include "alert/storm.h"

#include <algorithm>

namespace mailwarden::alert {
namespace {

constexpr std::string_view storm_type = "mailwarden.storm";

std::string incidents_words(const Storm& storm) {
  if (storm.incidents.empty()) return "";
  const bool full = storm.incidents.size() >= Storm::incidents_max;
  return (full ? " at least " : " ") + std::to_string(storm.incidents.size()) +
         (storm.incidents.size() == 1 ? " incident," : " incidents,");
}

std::string subject_of(const Storm& storm) {
  std::string subject = std::to_string(storm.notices) + " more notices in " +
                        mailwarden::to_words(storm.ends - storm.begun) + ":" +
                        incidents_words(storm);
  if (storm.gravest >= 0) subject += " the gravest " + storm.gravest_subject + ";";
  return subject + " the first " + storm.first_subject + "; the last " + storm.last_subject;
}

}  // namespace

json::Object to_json(const Storm& storm) {
  json::Array incidents;
  for (const std::int64_t number : storm.incidents) incidents.emplace_back(number);
  return {{"begun", storm.begun.us},
          {"ends", storm.ends.us},
          {"first_subject", storm.first_subject},
          {"gravest", storm.gravest},
          {"gravest_subject", storm.gravest_subject},
          {"incidents", std::move(incidents)},
          {"last", storm.last.us},
          {"last_subject", storm.last_subject},
          {"notices", storm.notices},
          {"number", storm.number},
          {"receiver", storm.receiver},
          {"route", storm.route}};
}

Result<Storm> storm_from_json(const json::Value& value) {
  const json::Array* const incidents = value["incidents"].as_array();
  Storm storm{.number = value.integer("number"),
              .route = value.text("route"),
              .receiver = value.text("receiver"),
              .begun = {value.integer("begun")},
              .ends = {value.integer("ends")},
              .notices = value.integer("notices"),
              .incidents = {},
              .gravest = value.integer("gravest"),
              .gravest_subject = value.text("gravest_subject"),
              .first_subject = value.text("first_subject"),
              .last = {value.integer("last")},
              .last_subject = value.text("last_subject")};
  if (storm.number <= 0 || storm.receiver.empty() || incidents == nullptr) {
    return fail(Code::corrupt, "a stored storm of alerts is damaged");
  }
  for (const json::Value& one : *incidents) {
    if (one.as_integer() != nullptr) storm.incidents.insert(*one.as_integer());
  }
  return storm;
}

Alert summary(const Storm& storm, const std::string& origin, Timestamp now) {
  const std::string cause =
      "storm-" + std::to_string(storm.number) + "-" + std::to_string(storm.begun.us);
  Alert alert{.key = key_of(origin, cause, storm.receiver),
              .receiver = storm.receiver,
              .incident = 0,
              .time = now,
              .subject = subject_of(storm),
              .event = {},
              .route = storm.route};
  json::Object data = to_json(storm);
  data["begun"] = to_rfc3339(storm.begun);
  data["ends"] = to_rfc3339(storm.ends);
  data["last"] = to_rfc3339(storm.last);
  data["text"] = alert.subject + "\n";
  alert.event = {{"data", std::move(data)}, {"datacontenttype", "application/json"},
                 {"id", alert.key},         {"source", "mailwarden/" + origin},
                 {"specversion", "1.0"},    {"subject", "storm/" + std::to_string(storm.number)},
                 {"time", to_rfc3339(now)}, {"type", storm_type}};
  return alert;
}

StormBook::StormBook(std::vector<Storm> storms) {
  for (Storm& storm : storms) {
    last_number_ = std::max(last_number_, storm.number);
    by_way_[{storm.route, storm.receiver}] = storm.number;
    storms_.emplace(storm.number, std::move(storm));
  }
}

const Storm* StormBook::find(std::int64_t number) const {
  const auto found = storms_.find(number);
  return found == storms_.end() ? nullptr : &found->second;
}

Storm& StormBook::begin(const Way& way, const StormLimit& limit, Timestamp now) {
  const std::int64_t number = ++last_number_;
  by_way_[way] = number;
  return storms_[number] = {.number = number,
                            .route = way.first,
                            .receiver = way.second,
                            .begun = now,
                            .ends = now + limit.per};
}

bool StormBook::holds_back(const Alert& alert, std::int64_t severity, const StormLimit& limit,
                           Timestamp now) {
  const Way way{alert.route, alert.receiver};
  const auto storming = by_way_.find(way);
  if (storming == by_way_.end()) {
    if (limit.notices == 0) return false;
    const auto most = static_cast<double>(limit.notices);
    auto [found, is_new] = buckets_.try_emplace(way, Bucket{.left = most, .at = now});
    Bucket& bucket = found->second;
    const double passed = static_cast<double>(std::max(Duration(0), now - bucket.at).count());
    bucket.left =
        std::min(most, bucket.left + most * passed / static_cast<double>(limit.per.count()));
    bucket.at = now;
    if (bucket.left >= 1) {
      bucket.left -= 1;
      return false;
    }
  }
  Storm& storm = storming == by_way_.end() ? begin(way, limit, now) : storms_.at(storming->second);
  touched_.storms.insert(storm.number);
  if (storm.notices++ == 0) storm.first_subject = alert.subject;
  if (alert.incident != 0 && storm.incidents.size() < Storm::incidents_max) {
    storm.incidents.insert(alert.incident);
  }
  if (alert.incident != 0 && severity > storm.gravest) {
    storm.gravest = severity;
    storm.gravest_subject = alert.subject;
  }
  storm.last = now;
  storm.last_subject = alert.subject;
  return true;
}

// Behind a storm nothing passes at first, so that one that goes on is one summary each time.
std::vector<Alert> StormBook::tick(const std::string& origin, Timestamp now) {
  std::vector<Alert> summaries;
  std::erase_if(storms_, [&](const auto& one) {
    const Storm& storm = one.second;
    // A clock that was set back must not keep a summary from leaving.
    if (now < storm.ends && now >= storm.begun) return false;
    summaries.push_back(summary(storm, origin, now));
    const Way way{storm.route, storm.receiver};
    by_way_.erase(way);
    buckets_[way] = {.left = 0, .at = now};
    touched_.storms.erase(storm.number);
    touched_.gone.insert(storm.number);
    return true;
  });
  return summaries;
}

}  // namespace mailwarden::alert
