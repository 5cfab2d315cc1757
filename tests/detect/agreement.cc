#include "tests/detect/agreement.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "detect/rule_set.h"
#include "event/event_json.h"
#include "tests/detect/oracle.h"

namespace mailwarden::detect {
namespace {

using Ids = std::set<std::string>;

std::string joined(const Ids& ids) {
  std::string text;
  for (const std::string& id : ids) text += (text.empty() ? "" : ", ") + id;
  return "{" + text + "}";
}

std::string fields_of(const Event& event) {
  std::string text;
  for (std::size_t i = 0; i < event.fields.size(); ++i) {
    const Field field = event.fields[i];
    text += "  " + printable(field.name) + " = " + printable(field.value) + " (kind " +
            std::to_string(static_cast<int>(field.kind)) + ")\n";
  }
  return "log source: " + event.logsource.product + "/" + event.logsource.category + "/" +
         event.logsource.service + "\nraw: " + printable(event.raw) +
         "\nuser: " + printable(event.ocsf.user) +
         " class: " + std::to_string(event.ocsf.class_uid) + "\n" + text;
}

std::string refusals(const RuleSet& rules, const oracle::Reading& oracle) {
  std::string text;
  for (const Refusal& one : rules.refused()) text += "matcher: " + one.sentence() + "\n";
  for (const oracle::Refused& one : oracle.refused) text += "oracle: " + one.what + "\n";
  return text;
}

Agreement compare_routed(const random_rules::Case& made, Routing routing) {
  Agreement agreement;
  const auto set =
      RuleSet::make(parse_rules(made.rules, "random.yml"),
                    {.placeholders = random_rules::placeholders(), .routing = routing});
  if (!set) {
    agreement.difference = set.error().what + "\n" + made.rules;
    return agreement;
  }
  const RuleSet& rules = *set;
  const oracle::Options options{.placeholders = random_rules::placeholders(),
                                .open_routing = routing == Routing::open};
  const auto oracle = oracle::read(made.rules, options);
  if (!oracle) {
    if (rules.refused().empty()) agreement.difference = "only the oracle read no YAML";
    return agreement;
  }
  Ids ours;
  for (const Rule& rule : rules.rules()) ours.insert(rule.header.id);
  Ids theirs;
  for (const oracle::Rule& rule : oracle->rules) theirs.insert(rule.id());
  if (ours != theirs) {
    agreement.difference = "the matcher reads " + joined(ours) + ", the oracle " + joined(theirs) +
                           "\n" + refusals(rules, *oracle) + made.rules;
    return agreement;
  }
  std::vector<Ids> expected;
  for (const Event& event : made.events) {
    Ids& ids = expected.emplace_back();
    for (const oracle::Rule& rule : oracle->rules) {
      if (rule.holds(event, options)) ids.insert(rule.id());
    }
    agreement.pairs += static_cast<std::int64_t>(oracle->rules.size());
    agreement.held += static_cast<std::int64_t>(ids.size());
  }
  // What comes again is matched out of memory: from the third time on, wholly.
  MatchScratch scratch;
  for (int time = 1; time <= 3; ++time) {
    for (std::size_t i = 0; i < made.events.size(); ++i) {
      Ids found;
      for (const Detection& one : rules.match(made.events[i], scratch)) found.insert(one.rule_id);
      if (found == expected[i]) continue;
      agreement.difference = "the matcher finds " + joined(found) + ", the oracle " +
                             joined(expected[i]) + ", the event coming the " +
                             std::to_string(time) + ". time\n" + fields_of(made.events[i]) +
                             made.rules;
      return agreement;
    }
  }
  return agreement;
}

}  // namespace

Agreement compare(random_rules::Choices& choices) {
  const random_rules::Case made = random_rules::make_case(choices);
  Agreement strict = compare_routed(made, Routing::strict);
  if (!strict.difference.empty()) return strict;
  Agreement open = compare_routed(made, Routing::open);
  open.pairs += strict.pairs;
  open.held += strict.held;
  return open;
}

}  // namespace mailwarden::detect
