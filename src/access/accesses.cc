#include "access/accesses.h"

#include "identity/person.h"

namespace mailwarden::access {
namespace {

std::string cut(std::string text) {
  if (text.size() > Accesses::id_bytes_max) text.resize(Accesses::id_bytes_max);
  return text;
}

policy::EntityUid principal_of(const detect::AccessClause& clause, const Event& event) {
  if (clause.person.empty()) return {"Service", cut(fill(clause.service, event))};
  std::string person = cut(fill(clause.person, event));
  // As directories and tokens have it.
  if (const auto address = identity::normal_email(person)) person = *address;
  return {"User", std::move(person)};
}

}  // namespace

std::string fill(std::string_view text, const Event& event) {
  std::string filled;
  while (!text.empty()) {
    const std::size_t open = text.find('{');
    const std::size_t close = text.find('}', open);
    if (open == std::string_view::npos || close == std::string_view::npos) break;
    filled += text.substr(0, open);
    const std::string value = detect::value_of(event, text.substr(open + 1, close - open - 1));
    // Without it the whole is nobody's name.
    if (value.empty()) return {};
    filled += value;
    text.remove_prefix(close + 1);
  }
  return filled += text;
}

Accesses::Accesses(detect::RuleSet rules) : rules_(std::move(rules)) {
  for (std::size_t i = 0; i < rules_.rules().size(); ++i) {
    by_id_.emplace(rules_.rules()[i].header.id, i);
  }
}

Result<Accesses> Accesses::make(detect::RuleTexts texts) {
  auto rules = detect::RuleSet::make(std::move(texts));
  if (!rules) return std::unexpected(rules.error());
  std::string wrong;
  const auto mistake = [&](const std::string& what) {
    wrong += (wrong.empty() ? "" : "\n") + what;
  };
  for (const detect::Refusal& refusal : rules->refused()) mistake(refusal.sentence());
  for (const detect::Rule& rule : rules->rules()) {
    if (rule.header.access) continue;
    mistake(rule.header.file + ", line " + std::to_string(rule.header.line) +
            ": the rule does not say whose access its event is ('mailwarden: access:')");
  }
  for (const detect::Correlation& one : rules->correlations()) {
    mistake(one.header.file + ", line " + std::to_string(one.header.line) +
            ": an access is one event, and no correlation");
  }
  if (!wrong.empty()) return fail(Code::invalid, std::move(wrong));
  return Accesses(*std::move(rules));
}

std::vector<SeenAccess> Accesses::read(const Event& event, detect::MatchScratch& scratch) const {
  std::vector<SeenAccess> seen;
  if (size() == 0) return seen;
  for (const detect::Detection& found : rules_.match(event, scratch)) {
    const std::size_t place = by_id_.find(found.rule_id)->second;
    const detect::AccessClause& clause = *rules_.rules()[place].header.access;
    seen.push_back({.event = event.id,
                    .time = event.time,
                    .rule = found.rule_id,
                    .title = found.title,
                    .principal = principal_of(clause, event),
                    .action = {"Action", cut(fill(clause.action, event))},
                    .system = {"System", cut(fill(clause.system, event))},
                    .source = event.ocsf.src_ip,
                    .facts = found.facts});
  }
  return seen;
}

}  // namespace mailwarden::access
