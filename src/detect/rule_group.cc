#include "detect/rule_group.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace mailwarden::detect {
namespace {

constexpr std::array<std::string_view, 18> auth_services{
    "sshd",    "sudo",    "su",       "pam",      "login",          "useradd",
    "userdel", "usermod", "groupadd", "groupdel", "groupmod",       "gpasswd",
    "passwd",  "chage",   "chfn",     "chsh",     "systemd-logind", "polkitd"};

bool fits(std::string_view wanted, std::string_view stated, Routing routing) {
  if (wanted.empty() || wanted == stated) return true;
  return stated.empty() && routing == Routing::open;
}

bool serves(const LogsourceView& event, std::string_view wanted, Routing routing) {
  if (fits(wanted, event.service, routing)) return true;
  const bool unknown = event.product.empty() && routing == Routing::open;
  if (event.product != "linux" && !unknown) return false;
  if (wanted == "auth") {
    return std::ranges::find(auth_services, event.service) != auth_services.end();
  }
  return wanted == "syslog" && event.service != "auditd";
}

}  // namespace

bool RuleGroup::applies(const LogsourceView& event, Routing routing) const {
  return fits(logsource_.product, event.product, routing) &&
         fits(logsource_.category, event.category, routing) &&
         serves(event, logsource_.service, routing);
}

void RuleGroup::add(RuleNumber rule, std::vector<PredicateId> predicates,
                    std::optional<std::vector<PredicateId>> witness) {
  if (!witness) always_.push_back(rule);
  ++rules_;
  members_.push_back(
      {.rule = rule, .predicates = std::move(predicates), .witness = std::move(witness)});
}

// Gives each literal of a field one hit, however many predicates and rules it serves.
class RuleGroup::Builder {
 public:
  Builder(RuleGroup& group, const Program& program) : group_(group), program_(program) {}

  void decide(PredicateId id) {
    if (!decided_.insert(id).second) return;
    const Predicate& predicate = program_.predicates()[id];
    hit(predicate.field, predicate.evidence.front()).predicate = id;
  }

  void look_up(PredicateId id, RuleNumber rule) {
    const Predicate& predicate = program_.predicates()[id];
    for (const Evidence& evidence : predicate.evidence) {
      auto& rules = hit(predicate.field, evidence).rules;
      if (rules.empty() || rules.back() != rule) rules.push_back(rule);
    }
  }

 private:
  Hit& hit(FieldId field, const Evidence& evidence) {
    const auto number = static_cast<std::uint32_t>(group_.hits_.size());
    const auto [place, fresh] =
        known_.try_emplace({field, evidence.where, evidence.text, evidence.number}, number);
    if (!fresh) return group_.hits_[place->second];
    auto& index = group_.indexes_[field];
    if (index == nullptr) index = std::make_unique<LiteralIndex>();
    if (evidence.number) {
      index->add_number(evidence.text, number);
    } else {
      index->add(evidence.where, evidence.text, number);
    }
    return group_.hits_.emplace_back();
  }

  RuleGroup& group_;
  const Program& program_;
  std::set<PredicateId> decided_;
  std::map<std::tuple<FieldId, LiteralIndex::Where, std::string, bool>, std::uint32_t> known_;
};

void RuleGroup::build(const Program& program, const std::vector<bool>& early) {
  indexes_.resize(program.names().size());
  Builder builder(*this, program);
  for (const Member& member : std::exchange(members_, {})) {
    for (const PredicateId id : member.predicates) {
      if (early[id]) builder.decide(id);
    }
    if (!member.witness) continue;
    for (const PredicateId id : *member.witness) builder.look_up(id, member.rule);
  }
  for (FieldId field = 0; field < indexes_.size(); ++field) {
    const auto& index = indexes_[field];
    if (index == nullptr) continue;
    fields_.push_back(field);
    index->finish(program.statistics());
  }
}

std::size_t RuleGroup::literals() const {
  std::size_t count = 0;
  for (const auto& index : indexes_) count += index == nullptr ? 0 : index->literals();
  return count;
}

std::size_t RuleGroup::bytes() const {
  std::size_t count = 0;
  for (const auto& index : indexes_) count += index == nullptr ? 0 : index->bytes();
  return count;
}

}  // namespace mailwarden::detect
