#include "detect/rule_set.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/text.h"
#include "detect/gate.h"

namespace mailwarden::detect {
namespace {

constexpr std::array<std::string_view, 18> auth_services{
    "sshd",    "sudo",    "su",       "pam",      "login",          "useradd",
    "userdel", "usermod", "groupadd", "groupdel", "groupmod",       "gpasswd",
    "passwd",  "chage",   "chfn",     "chsh",     "systemd-logind", "polkitd"};

bool serves(const Logsource& event, std::string_view wanted) {
  if (wanted.empty() || event.service == wanted) return true;
  if (event.product != "linux") return false;
  if (wanted == "auth")
    return std::ranges::find(auth_services, event.service) != auth_services.end();
  return wanted == "syslog" && event.service != "auditd";
}

bool applies(const Logsource& rule, const Logsource& event) {
  return (rule.product.empty() || rule.product == event.product) &&
         (rule.category.empty() || rule.category == event.category) && serves(event, rule.service);
}

std::string entity_kind(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kinds{
      {{"src_endpoint.ip", "address"},
       {"user.name", "account"},
       {"actor.user.name", "account"},
       {"email.from", "account"},
       {"device.hostname", "host"},
       {"resources.name", "resource"},
       {"service.name", "service"}}};
  for (const auto& [name, kind] : kinds) {
    if (path == name) return std::string(kind);
  }
  return path.ends_with("ip") ? "address" : path.ends_with("user") ? "account" : "resource";
}

// Nearly all comparisons of names are in vain, and the ends tell most of them apart.
bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && !a.empty() && a.front() == b.front() && a.back() == b.back() &&
         a == b;
}

// Calls `each` for every value of the field until it answers true; whether it did.
template <class Each>
bool any_value(const Event& event, std::string_view field, Attribute attribute, Each each) {
  bool found = false;
  for (std::size_t i = 0; i < event.fields.size(); ++i) {
    const Field value = event.fields[i];
    if (!same_name(value.name, field)) continue;
    found = true;
    if (each(value)) return true;
  }
  if (found || attribute == Attribute::none) return false;
  AttributeBuffer buffer;
  const std::string_view text = attribute_of(event, attribute, buffer);
  return !text.empty() && each(Field{.name = field, .value = text});
}

template <class Each>
bool any_value(const Event& event, const FieldTest& test, Each each) {
  return any_value(event, test.field, test.attribute, each);
}

bool present(const Event& event, const FieldTest& test) {
  return any_value(event, test, [](const Field& value) { return value.kind != FieldKind::null; });
}

bool any_keyword(const Event& event, const Matcher& matcher) {
  for (std::size_t i = 0; i < event.fields.size(); ++i) {
    if (matches(matcher, event.fields[i])) return true;
  }
  return matches(matcher, Field{.name = {}, .value = event.raw});
}

bool holds(const Event& event, const FieldTest& test, const Matcher& matcher) {
  if (test.field.empty()) return any_keyword(event, matcher);
  if (std::holds_alternative<Null>(matcher)) return !present(event, test);
  if (const auto* presence = std::get_if<Presence>(&matcher)) {
    const bool there = any_value(event, test, [](const Field&) { return true; });
    return there == presence->wanted;
  }
  if (const auto* other = std::get_if<OtherField>(&matcher)) {
    return any_value(event, test, [&](const Field& value) {
      return any_value(event, other->name, other->attribute, [&](const Field& twin) {
        return equal_ignoring_case(value.value, twin.value);
      });
    });
  }
  return any_value(event, test, [&](const Field& value) { return matches(matcher, value); });
}

bool holds(const Event& event, const FieldTest& test) {
  auto one = [&](const Matcher& matcher) { return holds(event, test, matcher); };
  return test.all ? std::ranges::all_of(test.values, one) : std::ranges::any_of(test.values, one);
}

bool holds(const Event& event, const std::vector<FieldTest>& tests) {
  return std::ranges::all_of(tests, [&](const FieldTest& test) { return holds(event, test); });
}

bool holds(const Event& event, const Selection& selection) {
  return std::ranges::any_of(selection.alternatives,
                             [&](const auto& tests) { return holds(event, tests); });
}

bool holds(const Event& event, const Rule& rule, const Condition& condition) {
  auto part = [&](const Condition& inner) { return holds(event, rule, inner); };
  switch (condition.kind) {
    case Condition::Kind::selection:
      return holds(event, rule.selections[condition.selection]);
    case Condition::Kind::all_of:
      return std::ranges::all_of(condition.parts, part);
    case Condition::Kind::any_of:
      return std::ranges::any_of(condition.parts, part);
    case Condition::Kind::none_of:
      return std::ranges::none_of(condition.parts, part);
  }
  return false;
}

// The selections that the condition wants to hold, for the explanation.
void collect(const Condition& condition, bool wanted, std::set<std::size_t>& selections) {
  if (condition.kind == Condition::Kind::selection) {
    if (wanted) selections.insert(condition.selection);
    return;
  }
  const bool inside = condition.kind == Condition::Kind::none_of ? !wanted : wanted;
  for (const Condition& part : condition.parts) collect(part, inside, selections);
}

void explain(const Event& event, const Selection& selection, std::vector<Because>& because) {
  constexpr std::size_t value_bytes_max = 512;
  for (const auto& tests : selection.alternatives) {
    if (!holds(event, tests)) continue;
    for (const FieldTest& test : tests) {
      if (because.size() >= Detection::because_max) return;
      std::string value;
      for (const Matcher& matcher : test.values) {
        if (test.field.empty()) {
          if (any_keyword(event, matcher)) value = event.raw;
        } else {
          any_value(event, test, [&](const Field& one) {
            const bool shown = matches(matcher, one) || std::holds_alternative<OtherField>(matcher);
            if (shown) value = one.value;
            return shown;
          });
        }
        if (!value.empty()) break;
      }
      value = to_utf8(std::string_view(value).substr(0, value_bytes_max));
      because.push_back({selection.name, test.field, std::move(value)});
    }
    return;
  }
}

// A silent one serves a correlation alone, which explains itself.
Detection detect(const Event& event, const Rule& rule, bool silent) {
  Detection detection{.rule_id = rule.header.id,
                      .level = rule.header.level,
                      .event = event.id,
                      .time = event.time,
                      .silent = silent};
  // rsyslog folds equal lines into "message repeated N times".
  detection.count =
      std::max<std::int64_t>(1, to_integer(event.fields.text("repeat_count")).value_or(1));
  if (!rule.header.entity.empty()) {
    detection.entity = {entity_kind(rule.header.entity), value_of(event, rule.header.entity)};
  }
  if (silent) return detection;
  detection.title = rule.header.title;
  detection.tags = rule.header.tags;
  detection.facts = rule.header.facts;
  std::set<std::size_t> selections;
  collect(rule.condition, true, selections);
  for (const std::size_t selection : selections) {
    explain(event, rule.selections[selection], detection.because);
  }
  return detection;
}

}  // namespace

std::string_view to_string(Level level) {
  constexpr std::array<std::string_view, 5> names{"informational", "low", "medium", "high",
                                                  "critical"};
  return names[static_cast<std::size_t>(level)];
}

std::string value_of(const Event& event, std::string_view name) {
  if (const auto field = event.fields.find(name)) return std::string(field->value);
  AttributeBuffer buffer;
  return std::string(attribute_of(event, attribute_named(name), buffer));
}

void RuleSet::take_needs(const Correlation& correlation, const std::string& rule) {
  Needs& needs = needs_[rule];
  needs.silent = needs.silent || !correlation.generate;
  auto add = [&needs](const std::string& value) {
    if (!value.empty() && std::ranges::find(needs.values, value) == needs.values.end()) {
      needs.values.push_back(value);
    }
  };
  for (const std::string& name : correlation.group_by) {
    const auto alias = correlation.aliases.find(name);
    if (alias == correlation.aliases.end()) {
      add(name);
    } else if (const auto field = alias->second.find(rule); field != alias->second.end()) {
      add(field->second);
    }
  }
  add(correlation.header.entity);
  // What a correlation over this one needs, the rules below it must bring.
  if (const auto above = needs_.find(correlation.header.id); above != needs_.end()) {
    for (const std::string& value : above->second.values) add(value);
  }
}

// A correlation stands behind those it names, so going backwards meets the outermost first.
void RuleSet::find_needs() {
  for (auto correlation = correlations_.rbegin(); correlation != correlations_.rend();
       ++correlation) {
    for (const std::string& rule : correlation->rules) take_needs(*correlation, rule);
  }
}

namespace {

// What rules ask of each other: ids that are theirs alone, names that mean one rule, and
// correlations that rest on rules which are there.
class Linker {
 public:
  Linker(std::vector<Rule>& rules, std::vector<Correlation>& correlations)
      : rules_(rules), correlations_(correlations) {
    for (const Rule& rule : rules_) claim(rule.header);
    for (const Correlation& correlation : correlations_) claim(correlation.header);
    for (Correlation& correlation : correlations_) resolve(correlation);
    if (mistakes_.empty()) order();
  }

  const std::string& mistakes() const { return mistakes_; }

 private:
  void mistake(const Header& header, const std::string& what) {
    mistakes_ += (mistakes_.empty() ? "" : "\n") + header.file + ", line " +
                 std::to_string(header.line) + ": " + what;
  }

  void claim(const Header& header) {
    if (!ids_.emplace(header.id, header.id).second) {
      mistake(header, "the id '" + header.id + "' is taken by another rule");
    }
    if (header.name.empty() || header.name == header.id) return;
    if (!ids_.emplace(header.name, header.id).second) {
      mistake(header, "the name '" + header.name + "' is taken by another rule");
    }
  }

  // Puts ids for names; aliases may use the name that `rules` used.
  void resolve(Correlation& correlation) {
    for (std::string& rule : correlation.rules) {
      const auto known = ids_.find(rule);
      if (known == ids_.end()) {
        mistake(correlation.header, "there is no rule '" + rule + "'");
        continue;
      }
      for (auto& [alias, fields] : correlation.aliases) {
        if (auto field = fields.extract(rule)) {
          field.key() = known->second;
          fields.insert(std::move(field));
        }
      }
      rule = known->second;
    }
  }

  // Puts each correlation behind those it names; what is left over turns in a circle.
  void order() {
    std::set<std::string> placed;
    for (const Rule& rule : rules_) placed.insert(rule.header.id);
    auto rest = correlations_.begin();
    while (rest != correlations_.end()) {
      const auto ready = std::find_if(rest, correlations_.end(), [&](const Correlation& one) {
        return std::ranges::all_of(one.rules,
                                   [&](const auto& rule) { return placed.contains(rule); });
      });
      if (ready == correlations_.end()) {
        return mistake(rest->header,
                       "the correlation '" + rest->header.title + "' rests on itself");
      }
      placed.insert(ready->header.id);
      std::iter_swap(rest++, ready);
    }
  }

  std::vector<Rule>& rules_;
  std::vector<Correlation>& correlations_;
  std::map<std::string, std::string> ids_;  // id or name, to id
  std::string mistakes_;
};

}  // namespace

Result<RuleSet> RuleSet::make(RuleTexts texts) {
  RuleSet set;
  set.rules_ = std::move(texts.rules);
  set.correlations_ = std::move(texts.correlations);
  const Linker linker(set.rules_, set.correlations_);
  if (!linker.mistakes().empty()) return fail(Code::invalid, linker.mistakes());
  for (std::size_t i = 0; i < set.rules_.size(); ++i) set.add_to_group(i);
  set.find_needs();
  return set;
}

void RuleSet::add_to_group(std::size_t rule) {
  const Logsource& source = rules_[rule].logsource;
  auto group = std::ranges::find(groups_, source, &Group::logsource);
  if (group == groups_.end()) group = groups_.insert(group, Group{source, {}, {}});
  const auto gate = gate_of(rules_[rule]);
  if (!gate) {
    group->always.push_back(rule);
    return;
  }
  auto gated = std::ranges::find_if(
      group->gated, [&](const Gated& one) { return one.field.field == gate->field; });
  if (gated == group->gated.end()) {
    gated = group->gated.insert(gated, Gated{.field = {.field = gate->field}, .rules = {}});
  }
  for (const std::string& value : gate->values) gated->rules[value].push_back(rule);
}

// The rules that may hold, in their order.
std::vector<std::size_t> RuleSet::candidates(const Group& group, const Event& event) {
  std::vector<std::size_t> found = group.always;
  for (const Gated& gated : group.gated) {
    any_value(event, gated.field, [&](const Field& value) {
      std::array<char, Gate::value_bytes_max> lowered;
      if (value.value.size() > lowered.size()) return false;
      std::ranges::transform(value.value, lowered.begin(), [](char c) { return to_lower(c); });
      const auto rules = gated.rules.find(std::string_view(lowered.data(), value.value.size()));
      if (rules != gated.rules.end()) {
        found.insert(found.end(), rules->second.begin(), rules->second.end());
      }
      return false;
    });
  }
  std::ranges::sort(found);
  const auto twice = std::ranges::unique(found);
  found.erase(twice.begin(), twice.end());
  return found;
}

std::vector<Detection> RuleSet::match(const Event& event) const {
  std::vector<Detection> detections;
  for (const Group& group : groups_) {
    if (!applies(group.logsource, event.logsource)) continue;
    for (const std::size_t index : candidates(group, event)) {
      const Rule& rule = rules_[index];
      if (!holds(event, rule, rule.condition)) continue;
      const auto needs = needs_.find(rule.header.id);
      const bool needed = needs != needs_.end();
      Detection detection = detect(event, rule, needed && needs->second.silent);
      if (needed) {
        for (const std::string& name : needs->second.values) {
          detection.values.emplace_back(name, value_of(event, name));
        }
      }
      detections.push_back(std::move(detection));
    }
  }
  return detections;
}

}  // namespace mailwarden::detect
