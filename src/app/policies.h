// Everything that rules and policies say, loaded as one whole.
//
// What     load() reads rules, decoders' settings, the severity table, how incidents are handled
//          and of what they are made, retention, routes, who is on call, who is told when nobody
//          answers, playbooks and what effects may touch; what holds is replaced as a whole or not
//          at all. `version` is a hash of every text read, which the ledger records when it
//          changes.
// Owns     Its content.
// Threads  Never changes after load(); shared by all threads.
// Errors   Error{invalid} with every mistake of every file at once; see load_policies() for rules.
// Limits   file_bytes_max.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "access/accesses.h"
#include "access/grant_rules.h"
#include "access/known_entities.h"
#include "alert/routes.h"
#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "detect/rule_set.h"
#include "incident/grouping.h"
#include "incident/procedure.h"
#include "incident/severity.h"
#include "ingest/decode/decoder.h"
#include "policy/decision_point.h"
#include "privacy/retention_policy.h"
#include "respond/effect_settings.h"
#include "respond/flow.h"

namespace mailwarden::app {

struct Policies {
  detect::RuleSet rules;
  ingest::DecoderSet decoders;
  incident::SeverityTable severity;
  std::shared_ptr<const incident::Procedure> procedure;  // empty where there is no incidents.yaml
  std::shared_ptr<const incident::Grouping> grouping;  // by entity where there is no grouping.yaml
  std::vector<privacy::RetentionPolicy> retention;
  alert::Routes routes;  // none where there is no routes.yaml; who is on call
  std::vector<respond::flow::Playbook> playbooks;  // their rules as ids
  respond::EffectSettings effects;                 // all off where there is no effects.yaml
  // Who may do what; null where the folder holds no access policies.
  // Over what operators wrote down of people and systems.
  std::shared_ptr<const policy::DecisionPoint> access;
  std::vector<access::EntityText> entities;  // what that is
  access::Accesses accesses;                 // which events policies are held against
  bool watches_people = false;               // whether sources tell of people, events among them
  bool has_directory = false;                // and one of them of all accounts
  std::optional<access::GrantRules> grants;  // none where nobody may ask for one
  std::vector<std::string> warnings;         // sentences about what is no mistake but a slip
  std::string version;                       // hex of a SHA-256

  const respond::flow::Playbook* find_playbook(std::string_view name) const {
    const auto found = std::ranges::find(playbooks, name, &respond::flow::Playbook::name);
    return found == playbooks.end() ? nullptr : &*found;
  }
};

inline constexpr std::size_t file_bytes_max = 4 * 1024 * 1024;

// A rule that is wrong is among rules.refused(), unless something else is wrong too; the others are
// in force. Somebody must be on call in the year after `now`.
Result<std::shared_ptr<const Policies>> load_policies(const config::Config& config,
                                                      Timestamp now = SystemClock().now());
// The sentences about rules that are in force in `before` and refused in `after`, one a line.
std::string rules_lost(const Policies& before, const Policies& after);
// Of the folder of policies, the retention alone, for what needs no rules.
Result<std::vector<privacy::RetentionPolicy>> load_retention(const std::string& policies);
// Of the folder of policies, how incidents are handled.
Result<std::shared_ptr<const incident::Procedure>> load_procedure(const std::string& policies);
// Of the folder of policies, who is on call.
Result<alert::OnCallSchedules> load_on_call(const std::string& policies, Timestamp now);

// A decoder's settings out of a source's.
Result<ingest::DecodeOptions> decode_options(const config::SourceConfig& source);

}  // namespace mailwarden::app
