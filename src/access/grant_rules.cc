#include "access/grant_rules.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "json/yaml_reader.h"

namespace mailwarden::access {
namespace {

using yaml::Node;

class RulesReader {
 public:
  RulesReader(const std::string& file, const policy::Schema* schema) : reader_(file) {
    if (schema == nullptr) return;
    const policy::EntityType* const type = schema->entity("Purpose");
    known_ =
        type != nullptr && type->choices ? *type->choices : std::set<std::string, std::less<>>();
  }

  Result<GrantRules> read(std::string_view text) {
    const auto documents = reader_.documents(text);
    if (documents.size() == 1) {
      read_rules(documents.front());
    } else if (reader_.mistakes().empty()) {
      reader_.mistake(Node{.line = 1}, "expected one document");
    }
    if (reader_.mistakes().empty()) return std::move(rules_);
    return fail(Code::invalid, reader_.all_mistakes());
  }

 private:
  void read_rules(const Node& node) {
    if (!reader_.is_map(node, "the rules of grants",
                        {"purposes", "tickets", "reason_words_min", "requests_open_max", "wait_max",
                         "approvers", "on_behalf", "break_glass", "who_acts"})) {
      return;
    }
    if (const Node* const purposes = reader_.sequence(node, "purposes"); purposes != nullptr) {
      for (const Node& one : purposes->items) read_purpose(one);
      if (purposes->items.size() > GrantRules::names_max) too_many(*purposes, "purposes");
    }
    rules_.ticket_prefixes = names(node, "tickets", true);
    for (const std::string& prefix : rules_.ticket_prefixes) {
      if (!prefix.empty()) check_prefix(node, prefix);
    }
    rules_.reason_words_min = reader_.integer(
        node, "reason_words_min", 1, GrantRules::reason_words_min_max, rules_.reason_words_min);
    rules_.requests_open_max = reader_.integer(
        node, "requests_open_max", 1, GrantRules::requests_open_max_max, rules_.requests_open_max);
    rules_.wait_max = duration(node, "wait_max", GrantRules::wait_max_max);
    rules_.approvers = names(node, "approvers", true);
    rules_.on_behalf = names(node, "on_behalf", false);
    if (const Node* const who = node.find("who_acts"); who != nullptr) {
      rules_.token_needed = who->scalar == "shows_token";
      if (!rules_.token_needed && who->scalar != "is_said") {
        reader_.mistake(*who, "'who_acts' is shows_token or is_said");
      }
    }
    if (const Node* const glass = node.find("break_glass"); glass != nullptr) {
      read_break_glass(*glass);
    }
  }

  void read_purpose(const Node& node) {
    if (!reader_.is_map(node, "a purpose", {"purpose", "duration_max", "approvals"})) return;
    PurposeRule rule{.purpose = reader_.text(node, "purpose"),
                     .duration_max = duration(node, "duration_max", GrantRules::duration_max_max),
                     .approvals = reader_.integer(node, "approvals", 1, 2, 1)};
    if (rule.purpose.empty()) return;
    if (rules_.purpose(rule.purpose) != nullptr) {
      reader_.mistake(node, "the purpose " + in_quotes(rule.purpose) + " stands twice");
    }
    if (known_ && !known_->contains(rule.purpose)) {
      reader_.mistake(node, "the schema has no Purpose " + in_quotes(rule.purpose));
    }
    rules_.purposes.push_back(std::move(rule));
  }

  void read_break_glass(const Node& node) {
    if (!reader_.is_map(node, "'break_glass'", {"groups", "duration_max", "review_within"})) return;
    rules_.break_glass = {
        .groups = names(node, "groups", true),
        .duration_max = duration(node, "duration_max", GrantRules::duration_max_max),
        .review_within = duration(node, "review_within", GrantRules::wait_max_max)};
  }

  // That a time without an end is not granted because somebody forgot to say how long.
  Duration duration(const Node& map, std::string_view name, Duration most) {
    if (map.find(name) == nullptr) {
      reader_.mistake(map, in_quotes(name) + " must be there, such as 8h");
      return most;
    }
    const Duration found = reader_.duration(map, name, most);
    if (found > most) {
      reader_.mistake(*map.find(name), in_quotes(name) + " must be at most " + to_words(most));
    }
    if (found < std::chrono::seconds(1)) {
      reader_.mistake(*map.find(name), in_quotes(name) + " must be at least a second");
    }
    return found;
  }

  std::vector<std::string> names(const Node& map, std::string_view name, bool is_needed) {
    std::vector<std::string> found =
        is_needed ? reader_.texts(map, name) : reader_.texts_if_any(map, name);
    std::set<std::string_view> seen;
    for (const std::string& one : found) {
      if (one.empty()) reader_.mistake(*map.find(name), in_quotes(name) + " has an empty item");
      if (!seen.insert(one).second) {
        reader_.mistake(*map.find(name), in_quotes(one) + " stands twice in " + in_quotes(name));
      }
    }
    if (found.size() > GrantRules::names_max) too_many(*map.find(name), name);
    return found;
  }

  void check_prefix(const Node& map, const std::string& prefix) {
    constexpr std::size_t bytes_max = 20;
    const bool shaped = prefix.size() <= bytes_max &&
                        std::ranges::all_of(prefix, [](char c) { return c > ' ' && c <= '~'; });
    const bool ends_well = prefix.back() < '0' || prefix.back() > '9';
    if (shaped && ends_well) return;
    reader_.mistake(*map.find("tickets"),
                    "a ticket begins with at most " + std::to_string(bytes_max) +
                        " signs of ASCII, such as T-, and then has digits, so it cannot begin "
                        "with " +
                        in_quotes(prefix));
  }

  void too_many(const Node& node, std::string_view name) {
    reader_.mistake(node, in_quotes(name) + " has more than " +
                              std::to_string(GrantRules::names_max) + " items");
  }

  yaml::Reader reader_;
  std::optional<std::set<std::string, std::less<>>> known_;
  GrantRules rules_;
};

}  // namespace

const PurposeRule* GrantRules::purpose(std::string_view name) const {
  const auto found = std::ranges::find(purposes, name, &PurposeRule::purpose);
  return found == purposes.end() ? nullptr : &*found;
}

Result<GrantRules> parse_grant_rules(std::string_view yaml, const std::string& file,
                                     const policy::Schema* schema) {
  return RulesReader(file, schema).read(yaml);
}

}  // namespace mailwarden::access
