#include "tests/detect/oracle.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "json/yaml.h"

namespace mailwarden::oracle {

struct Filter {
  std::size_t document = 0;
  std::vector<std::string> rules;  // ids and names
  bool every = false;
  Logsource logsource;
  Detection detection;
  yaml::Node where;
};

namespace {

// The programs that write into Linux's auth.log.
const std::set<std::string, std::less<>> auth_services{
    "sshd",    "sudo",    "su",       "pam",      "login",          "useradd",
    "userdel", "usermod", "groupadd", "groupdel", "groupmod",       "gpasswd",
    "passwd",  "chage",   "chfn",     "chsh",     "systemd-logind", "polkitd"};

bool equal_part(const std::string& wanted, const std::string& told, bool open) {
  return wanted.empty() || equal_ignoring_case(wanted, told) || (open && told.empty());
}

// Whether the line of such an event also stands in the file that service `wanted` names.
bool stands_in_file(const std::string& wanted, const Logsource& told) {
  if (!equal_ignoring_case(told.product, "linux")) return false;
  if (equal_ignoring_case(wanted, "auth")) return auth_services.contains(to_lower(told.service));
  return equal_ignoring_case(wanted, "syslog") && !equal_ignoring_case(told.service, "auditd");
}

Result<Logsource> read_logsource(const yaml::Node& document, bool needed) {
  Logsource logsource;
  const yaml::Node* const node = document.find("logsource");
  if (node == nullptr && !needed) return logsource;
  if (node == nullptr || !node->is_map()) return refuse(document, "expected a 'logsource', a map");
  for (const auto& [name, part] : std::initializer_list<std::pair<const char*, std::string*>>{
           {"product", &logsource.product},
           {"category", &logsource.category},
           {"service", &logsource.service}}) {
    const yaml::Node* const value = node->find(name);
    if (value == nullptr) continue;
    if (!value->is_scalar() || value->scalar.empty()) {
      return refuse(*value, "'" + std::string(name) + "' is a word");
    }
    *part = value->scalar;
  }
  const bool states = !(logsource.product + logsource.category + logsource.service).empty();
  if (needed && !states) return refuse(*node, "'logsource' states nothing");
  return logsource;
}

// The selections and the condition of a `detection` or a `filter`, whose `rules` are no selection.
Result<Detection> read_detection(const yaml::Node& map, bool filter, const Options& options) {
  if (!map.is_map()) return refuse(map, "expected a map of selections and a condition");
  Detection detection;
  for (const auto& [name, value] : map.entries) {
    if (name.scalar == "condition" || (filter && name.scalar == "rules")) continue;
    if (name.scalar == "timeframe") return refuse(name, "'timeframe' is of an older Sigma");
    auto selection = read_selection(value, options.placeholders);
    if (!selection) return std::unexpected(selection.error());
    detection.selections[name.scalar] = *std::move(selection);
  }
  const yaml::Node* const condition = map.find("condition");
  if (condition == nullptr) return refuse(map, "expected a 'condition'");
  auto test = read_condition(*condition, detection.selections);
  if (!test) return std::unexpected(test.error());
  detection.condition = *std::move(test);
  return detection;
}

bool contradicts(const std::string& a, const std::string& b) {
  return !a.empty() && !b.empty() && !equal_ignoring_case(a, b);
}

bool contradicts(const Logsource& a, const Logsource& b) {
  return contradicts(a.product, b.product) || contradicts(a.category, b.category) ||
         contradicts(a.service, b.service);
}

Result<void> read_filter_rules(const yaml::Node& filter, Filter& into) {
  const yaml::Node* const rules = filter.find("rules");
  if (rules == nullptr) return refuse(filter, "expected 'rules', a list of ids and names");
  if (rules->is_scalar()) {
    into.every = equal_ignoring_case(rules->scalar, "any");
    if (!into.every) into.rules.push_back(rules->scalar);
    return {};
  }
  if (!rules->is_sequence() || rules->items.empty()) {
    return refuse(*rules, "expected a list of ids and names");
  }
  for (const yaml::Node& rule : rules->items) {
    if (!rule.is_scalar()) return refuse(rule, "expected an id or a name");
    into.rules.push_back(rule.scalar);
  }
  return {};
}

}  // namespace

bool routes(const Logsource& wanted, const Logsource& told, bool open) {
  Logsource known = told;
  if (open && known.product.empty()) {
    known.product = wanted.product.empty() ? "linux" : wanted.product;
  }
  return equal_part(wanted.product, told.product, open) &&
         equal_part(wanted.category, told.category, open) &&
         (equal_part(wanted.service, told.service, open) || stands_in_file(wanted.service, known));
}

bool Rule::holds(const Event& event, const Options& options) const {
  if (!routes(logsource_, event.logsource, options.open_routing)) return false;
  return detection_.condition(event) &&
         std::ranges::none_of(filters_,
                              [&](const Detection& filter) { return filter.condition(event); });
}

Why Rule::why(const Event& event, const Options& options) const {
  Why why{.routed = routes(logsource_, event.logsource, options.open_routing),
          .condition = detection_.condition(event),
          .selections = {},
          .filters = {}};
  for (const auto& [name, test] : detection_.selections) why.selections[name] = test(event);
  for (const Detection& filter : filters_) why.filters.push_back(filter.condition(event));
  return why;
}

class DocumentReader {
 public:
  explicit DocumentReader(const Options& options) : options_(options) {}

  Reading read(const std::vector<yaml::Node>& documents) {
    for (std::size_t i = 0; i < documents.size(); ++i) {
      if (documents[i].is_null()) continue;
      const auto done = read_document(documents[i], i);
      if (!done) reading_.refused.push_back({i, done.error().what});
    }
    for (const Filter& filter : filters_) {
      const auto done = apply(filter);
      if (!done) reading_.refused.push_back({filter.document, done.error().what});
    }
    std::ranges::sort(reading_.refused, {}, &Refused::document);
    return std::move(reading_);
  }

 private:
  Result<void> read_document(const yaml::Node& document, std::size_t index) {
    if (!document.is_map()) return refuse(document, "a document is a map");
    if (document.find("action") != nullptr) {
      return refuse(document, "'action' is of an older Sigma");
    }
    std::string id;
    std::string name;
    for (const auto& [key, into] : std::initializer_list<std::pair<const char*, std::string*>>{
             {"id", &id}, {"name", &name}}) {
      const yaml::Node* const value = document.find(key);
      if (value == nullptr) continue;
      if (!value->is_scalar()) return refuse(*value, "'" + std::string(key) + "' is a word");
      *into = value->scalar;
      if (claimed_.contains(*into)) return refuse(*value, "'" + *into + "' is claimed already");
    }
    const yaml::Node* const title = document.find("title");
    if (title == nullptr || !title->is_scalar()) return refuse(document, "expected a 'title'");
    if (document.find("correlation") == nullptr) {
      const auto read = document.find("filter") != nullptr ? read_filter(document, index)
                                                           : read_rule(document, index, id, name);
      if (!read) return read;
    }
    if (!id.empty()) claimed_.insert(id);
    if (!name.empty()) claimed_.insert(name);
    return {};
  }

  Result<void> read_rule(const yaml::Node& document, std::size_t index, const std::string& id,
                         const std::string& name) {
    const auto logsource = read_logsource(document, true);
    if (!logsource) return std::unexpected(logsource.error());
    const yaml::Node* const map = document.find("detection");
    if (map == nullptr) return refuse(document, "expected a 'detection'");
    auto detection = read_detection(*map, false, options_);
    if (!detection) return std::unexpected(detection.error());
    Rule rule;
    rule.id_ = id;
    rule.name_ = name;
    rule.document_ = index;
    rule.logsource_ = *logsource;
    rule.detection_ = *std::move(detection);
    reading_.rules.push_back(std::move(rule));
    return {};
  }

  Result<void> read_filter(const yaml::Node& document, std::size_t index) {
    Filter filter;
    filter.document = index;
    filter.where = document;
    const auto logsource = read_logsource(document, false);
    if (!logsource) return std::unexpected(logsource.error());
    filter.logsource = *logsource;
    const yaml::Node& map = *document.find("filter");
    auto detection = read_detection(map, true, options_);
    if (!detection) return std::unexpected(detection.error());
    filter.detection = *std::move(detection);
    const auto rules = read_filter_rules(map, filter);
    if (!rules) return rules;
    filters_.push_back(std::move(filter));
    return {};
  }

  static bool is_called(const Rule& rule, const std::string& name) {
    return !name.empty() && (name == rule.id_ || name == rule.name_);
  }

  Result<void> apply(const Filter& filter) {
    if (filter.every && reading_.rules.empty()) return refuse(filter.where, "there is no rule");
    for (const std::string& name : filter.rules) {
      const bool there = std::ranges::any_of(
          reading_.rules, [&](const Rule& rule) { return is_called(rule, name); });
      if (!there) return refuse(filter.where, "there is no rule '" + name + "'");
    }
    for (Rule& rule : reading_.rules) {
      const bool names =
          filter.every || std::ranges::any_of(filter.rules, [&](const std::string& name) {
            return is_called(rule, name);
          });
      if (names && !contradicts(filter.logsource, rule.logsource_)) {
        rule.filters_.push_back(filter.detection);
      }
    }
    return {};
  }

  const Options& options_;
  Reading reading_;
  std::vector<Filter> filters_;
  std::set<std::string> claimed_;
};

Result<Reading> read(std::string_view yaml_text, const Options& options) {
  const auto documents = yaml::parse(yaml_text);
  if (!documents) return std::unexpected(documents.error());
  return DocumentReader(options).read(*documents);
}

Result<std::vector<Rule>> read_rules(std::string_view yaml_text, const Options& options) {
  auto reading = read(yaml_text, options);
  if (!reading) return std::unexpected(reading.error());
  if (!reading->refused.empty()) return fail(Code::invalid, reading->refused.front().what);
  return std::move(reading->rules);
}

}  // namespace mailwarden::oracle
