#include "detect/rule_set.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "detect/attribute.h"
#include "detect/link_rules.h"

namespace mailwarden::detect {
namespace {

constexpr std::array<std::string_view, 5> level_names{"informational", "low", "medium", "high",
                                                      "critical"};

std::string entity_kind(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kinds{
      {{"src_endpoint.ip", "address"},
       {"user.name", "account"},
       {"actor.user.name", "account"},
       {"email.from", "account"},
       {"device.hostname", "host"},
       {"resources.name", "resource"},
       {"service.name", "service"},
       {"campaign", "campaign"},
       {"campaign_id", "campaign"},
       {"campaign.id", "campaign"}}};
  for (const auto& [name, kind] : kinds) {
    if (path == name) return std::string(kind);
  }
  return path.ends_with("ip") ? "address" : path.ends_with("user") ? "account" : "resource";
}

// Whom an event names, besides what its detection is about.
std::vector<Entity> others_of(const Event& event, const Entity& about) {
  std::vector<Entity> others;
  const auto add = [&](std::string_view kind, std::string_view name) {
    if (name.empty() || name.size() > Detection::also_bytes_max) return;
    Entity one{std::string(kind), std::string(name)};
    if (one == about || std::ranges::find(others, one) != others.end()) return;
    others.push_back(std::move(one));
  };
  add("account", event.ocsf.user);
  add("account", event.ocsf.actor_user);
  add("account", event.ocsf.email_from);
  add("address", event.ocsf.src_ip);
  add("host", event.ocsf.device);
  for (const std::string_view name : {"campaign", "campaign_id", "campaign.id"}) {
    add("campaign", event.fields.text(name));
  }
  return others;
}

}  // namespace

std::string_view to_string(Level level) {
  return level_names[static_cast<std::size_t>(level)];
}

std::optional<Level> parse_level(std::string_view text) {
  const auto* const found = std::ranges::find(level_names, text);
  if (found == level_names.end()) return std::nullopt;
  return static_cast<Level>(found - level_names.begin());
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
  const auto add_named = [&](const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const auto alias = correlation.aliases.find(name);
      add(alias == correlation.aliases.end() ? name : alias->second.at(rule));
    }
  };
  add_named(correlation.group_by);
  add_named(correlation.fields);
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

Result<RuleSet> RuleSet::make(RuleTexts texts, const RuleSetOptions& options) {
  RuleSet set;
  set.routing_ = options.routing;
  set.engine_ = std::make_shared<Engine>();
  LinkedRules linked = link(std::move(texts), options.placeholders);
  for (Resolved<Rule>& rule : linked.rules) {
    set.engine_->add(rule.document, rule.tests);
    set.rules_.push_back(std::move(rule.document));
  }
  for (Resolved<Filter>& filter : linked.filters) {
    set.filters_.push_back(std::move(filter.document));
  }
  set.correlations_ = std::move(linked.correlations);
  set.refused_ = std::move(linked.refused);
  set.engine_->compile();
  set.find_needs();
  return set;
}

// A silent one serves a correlation alone, which explains itself.
Detection RuleSet::detection_of(RuleNumber number, const Event& event,
                                MatchScratch& scratch) const {
  const Header& header = rules_[number].header;
  Detection detection{
      .rule_id = header.id, .level = header.level, .event = event.id, .time = event.time};
  // rsyslog folds equal lines into "message repeated N times".
  detection.count =
      std::max<std::int64_t>(1, to_integer(event.fields.text("repeat_count")).value_or(1));
  if (!header.entity.empty()) {
    detection.entity = {entity_kind(header.entity), value_of(event, header.entity)};
  }
  if (const auto needs = needs_.find(header.id); needs != needs_.end()) {
    detection.silent = needs->second.silent;
    for (const std::string& name : needs->second.values) {
      detection.values.emplace_back(name, value_of(event, name));
    }
  }
  if (detection.silent) return detection;
  detection.also = others_of(event, detection.entity);
  detection.title = header.title;
  detection.tags = header.tags;
  detection.facts = header.facts;
  detection.rule_file = header.file;
  detection.rule_version = header.version;
  engine_->explain(number, scratch.view, scratch, Detection::because_max, detection.because);
  return detection;
}

std::vector<Detection> RuleSet::match(const Event& event, MatchScratch& scratch) const {
  std::vector<RuleNumber> matched;
  scratch.view.fill(engine_->names(), event);
  engine_->match(scratch.view, routing_, scratch, matched);
  std::vector<Detection> detections;
  detections.reserve(matched.size());
  for (const RuleNumber rule : matched) detections.push_back(detection_of(rule, event, scratch));
  return detections;
}

std::vector<Detection> RuleSet::match(const Event& event) const {
  MatchScratch scratch;
  return match(event, scratch);
}

}  // namespace mailwarden::detect
