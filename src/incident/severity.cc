#include "incident/severity.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "json/yaml.h"

namespace mailwarden::incident {
namespace {

using yaml::Node;

struct Parts {
  std::vector<Row> rows;
  std::map<std::string, FactKind, std::less<>> facts;
  detect::Level incidents_from = detect::Level::medium;
  std::array<ServiceLevel, 4> service_levels;
};

std::optional<std::int64_t> worth_of(const FactKind& kind, std::string_view text) {
  if (kind.kind == FactKind::Kind::words) {
    const auto word = std::ranges::find(kind.words, text);
    if (word == kind.words.end()) return std::nullopt;
    return word - kind.words.begin();
  }
  if (kind.kind == FactKind::Kind::truth) {
    return text == "true" ? std::optional<std::int64_t>(1) : std::nullopt;
  }
  const auto count = to_integer(text);
  return count && *count >= 0 ? count : std::nullopt;
}

std::string expected(const FactKind& kind) {
  if (kind.kind == FactKind::Kind::truth) return "true";
  if (kind.kind == FactKind::Kind::count) return "a count";
  std::string words;
  for (const std::string& word : kind.words) words += (words.empty() ? "" : ", ") + word;
  return "one of " + words;
}

class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  void read(const Node& node, Parts& into) {
    if (!node.is_map()) return mistake(node, "expected a map of 'facts' and 'rows'");
    for (const auto& [name, value] : node.entries) {
      if (name.scalar == "facts") {
        for (const auto& [fact, kind] : value.entries) into.facts[fact.scalar] = read_fact(kind);
      } else if (name.scalar == "incidents_from") {
        read_level(value, into);
      } else if (name.scalar == "service_levels") {
        for (const Node& level : value.items) read_service_level(level, into);
        if (!value.is_sequence()) mistake(value, "'service_levels' must be a list");
      } else if (name.scalar != "rows") {
        mistake(name,
                "'" + name.scalar + "' is none of facts, rows, incidents_from, service_levels");
      }
    }
    const Node* rows = node.find("rows");
    if (rows == nullptr || !rows->is_sequence()) return mistake(node, "'rows' must be a list");
    for (const Node& row : rows->items) into.rows.push_back(read_row(row, into));
    if (into.rows.size() > SeverityTable::rows_max) {
      mistake(*rows, "more than " + std::to_string(SeverityTable::rows_max) + " rows");
    }
  }

  const std::string& mistakes() const { return mistakes_; }

 private:
  void mistake(const Node& node, const std::string& what) {
    mistakes_ += (mistakes_.empty() ? "" : "\n") + file_ + ", " + node.where() + ": " + what;
  }

  void read_level(const Node& node, Parts& into) {
    const auto level = detect::parse_level(node.scalar);
    if (!level) return mistake(node, "'" + node.scalar + "' is not a rule's level");
    into.incidents_from = *level;
  }

  std::optional<Severity> read_severity(const Node& node, const std::string& of) {
    const Node* severity = node.find("severity");
    const auto number = to_integer(severity == nullptr ? "" : severity->scalar);
    if (number && *number >= 0 && *number <= 3) return static_cast<Severity>(*number);
    mistake(node, of + "'s 'severity' is 0, 1, 2 or 3");
    return std::nullopt;
  }

  void read_service_level(const Node& node, Parts& into) {
    const auto severity = read_severity(node, "a service level");
    if (!severity) return;
    if (!levels_.insert(*severity).second) {
      mistake(node, "the service level of that severity stands twice");
    }
    ServiceLevel& level = into.service_levels[static_cast<std::size_t>(*severity)];
    for (const auto& [name, value] : node.entries) {
      if (name.scalar == "severity") continue;
      const auto* const promise = std::ranges::find(promises, name.scalar, &Promise::name);
      const auto read = parse_duration(value.scalar);
      if (promise == promises.end()) {
        mistake(name, "'" + name.scalar + "' is none of severity, acknowledge, contain, resolve");
      } else if (!read) {
        mistake(value, read.error().what);
      } else if (*read == Duration{}) {
        mistake(value, "a service level takes some time; leave out what is not promised");
      } else {
        level.*promise->time = *read;
      }
    }
  }

  FactKind read_fact(const Node& node) {
    FactKind fact;
    const Node* kind = node.find("kind");
    const std::string name = kind == nullptr ? "" : kind->scalar;
    if (name == "count") {
      fact.kind = FactKind::Kind::count;
    } else if (name == "words") {
      fact.kind = FactKind::Kind::words;
      if (const Node* words = node.find("words"); words != nullptr) {
        for (const Node& word : words->items) fact.words.push_back(word.scalar);
      }
      if (fact.words.size() < 2) mistake(node, "a fact of words needs at least two, mildest first");
    } else if (name != "truth") {
      mistake(node, "a fact's 'kind' is truth, count or words");
    }
    if (const Node* meaning = node.find("meaning"); meaning != nullptr) {
      fact.meaning = meaning->scalar;
    }
    return fact;
  }

  Row read_row(const Node& node, const Parts& parts) {
    Row row;
    const Node* name = node.find("name");
    row.name = name == nullptr ? "" : name->scalar;
    if (row.name.empty()) mistake(node, "a row must have a 'name'");
    if (!names_.insert(row.name).second) mistake(node, "the row '" + row.name + "' stands twice");
    row.severity = read_severity(node, "a row").value_or(Severity::low);
    const Node* all_of = node.find("all_of");
    if (all_of == nullptr || all_of->entries.empty()) {
      mistake(node, "a row without 'all_of' would always hold");
      return row;
    }
    for (const auto& [fact, worth] : all_of->entries) read_condition(fact, worth, parts, row);
    return row;
  }

  void read_condition(const Node& fact, const Node& worth, const Parts& parts, Row& row) {
    const auto kind = parts.facts.find(fact.scalar);
    if (kind == parts.facts.end()) {
      return mistake(fact, "the fact '" + fact.scalar + "' is not declared under 'facts'");
    }
    const auto number = worth_of(kind->second, worth.scalar);
    if (!number) {
      return mistake(worth, "'" + fact.scalar + "' takes " + expected(kind->second));
    }
    row.all_of.push_back({fact.scalar, *number});
  }

  const std::string& file_;
  std::string mistakes_;
  std::set<std::string> names_;
  std::set<Severity> levels_;
};

bool holds(const Condition& condition, const Facts& facts) {
  const auto fact = facts.find(condition.fact);
  return fact != facts.end() && fact->second >= condition.at_least;
}

}  // namespace

std::string_view to_string(Severity severity) {
  constexpr std::array<std::string_view, 4> names{"Low", "Medium", "High", "Extreme"};
  return names[static_cast<std::size_t>(severity)];
}

Result<SeverityTable> SeverityTable::parse(std::string_view yaml, const std::string& file) {
  const auto documents = yaml::parse(yaml);
  if (!documents) return fail(Code::invalid, file + ", " + documents.error().what);
  if (documents->size() != 1) return fail(Code::invalid, file + ": expected one document");
  Parts parts;
  Reader reader(file);
  reader.read(documents->front(), parts);
  if (!reader.mistakes().empty()) return fail(Code::invalid, reader.mistakes());
  SeverityTable table;
  table.rows_ = std::move(parts.rows);
  table.facts_ = std::move(parts.facts);
  table.incidents_from_ = parts.incidents_from;
  table.service_levels_ = parts.service_levels;
  std::ranges::stable_sort(table.rows_, std::ranges::greater{}, &Row::severity);
  return table;
}

std::string SeverityTable::to_words(std::string_view fact, std::int64_t worth) const {
  const auto kind = facts_.find(fact);
  if (kind != facts_.end() && kind->second.kind == FactKind::Kind::truth) return std::string(fact);
  if (kind != facts_.end() && kind->second.kind == FactKind::Kind::words &&
      worth < static_cast<std::int64_t>(kind->second.words.size())) {
    return std::string(fact) + "=" + kind->second.words[static_cast<std::size_t>(worth)];
  }
  return std::string(fact) + "=" + std::to_string(worth);
}

Result<std::int64_t> SeverityTable::read_worth(std::string_view fact, std::string_view text) const {
  const auto kind = facts_.find(fact);
  if (kind == facts_.end()) {
    return fail(Code::invalid, "there is no fact '" + std::string(fact) + "'");
  }
  const auto worth = worth_of(kind->second, text);
  if (!worth) {
    return fail(Code::invalid, "'" + std::string(fact) + "' takes " + expected(kind->second));
  }
  return *worth;
}

Classification classify(const SeverityTable& table, const Facts& facts) {
  for (const Row& row : table.rows()) {
    if (!std::ranges::all_of(row.all_of, [&](const auto& c) { return holds(c, facts); })) continue;
    Classification found{.severity = row.severity, .row = row.name};
    for (const Condition& condition : row.all_of) {
      found.because.push_back(table.to_words(condition.fact, facts.find(condition.fact)->second));
    }
    return found;
  }
  return {};
}

}  // namespace mailwarden::incident
