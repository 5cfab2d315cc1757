// The core's part about the keys of the store: what they were used for, values that wait to be
// sealed anew, erasing a person.
#include <iterator>

#include "access/sign_ins.h"
#include "alert/escalation_table.h"
#include "alert/outbox.h"
#include "app/core.h"
#include "app/keep.h"
#include "detect/detection_table.h"
#include "report/personal_tables.h"
#include "respond/flow_run_table.h"

namespace mailwarden::app {
namespace {

constexpr std::size_t obstacles_told_max = 5;
constexpr std::size_t rows_at_once = 256;

std::string joined(const std::vector<std::string>& sentences) {
  std::string all;
  for (std::size_t i = 0; i < sentences.size() && i < obstacles_told_max; ++i) {
    all += (all.empty() ? "" : "; ") + sentences[i];
  }
  if (sentences.size() <= obstacles_told_max) return all;
  return all + "; and " + std::to_string(sentences.size() - obstacles_told_max) + " more";
}

std::unexpected<Error> no_keys() {
  return fail(Code::invalid,
              "this store has no keys (setting 'keys'); what it holds of a person goes by "
              "retention alone");
}

}  // namespace

void Core::tell_key_uses() {
  if (parts_.keys == nullptr || parts_.kek_uses == nullptr) return;
  json::Array used = vault::to_records(parts_.kek_uses->take());
  if (!used.empty()) record("key_use", {{"uses", std::move(used)}});
}

std::string Core::tend_keys() {
  if (parts_.keys == nullptr) return {};
  const Timestamp now = parts_.clock.now();
  if (now - keys_tended_ < keys_interval && now >= keys_tended_) return {};
  // A walk's transactions are its own, so nothing of the core's may be in doubt.
  if (has_pending() || parts_.keys->vault().locked()) return {};
  keys_tended_ = now;
  if (scrub_waits_) scrub_waits_ = !parts_.keys->vault().scrub();
  std::string trouble;
  if (windows_wait_) {
    if (auto done = renew_windows(); !done) trouble = "correlation: " + done.error().what;
  }
  if (auto done = find_walked(); !done) trouble = done.error().what;
  int left = portions_at_once;
  for (vault::StoredTable& table : walked_) {
    auto ended = walk(table);
    while (ended && !*ended && left-- > 0) ended = walk(table);
    if (!ended && trouble.empty()) {
      trouble = std::string(table.name()) +
                ": what waits to be sealed anew could not be: " + ended.error().what;
    }
    // The rest at the next call, so that nothing has to wait for it.
    if (ended && !*ended) keys_tended_ = {};
  }
  if (trouble == keys_trouble_) return {};
  keys_trouble_ = trouble;
  return trouble;
}

// Their keys are asked of the database once.
Result<void> Core::find_walked() {
  if (!walked_.empty()) return {};
  std::vector<vault::StoredTable> tables;
  for (const db::PersonalTable& table : report::personal_tables()) {
    auto stored = vault::StoredTable::make(parts_.database, table);
    if (!stored) return std::unexpected(stored.error());
    tables.push_back(*std::move(stored));
  }
  walked_ = std::move(tables);
  return {};
}

// Whether the table is done with.
Result<bool> Core::walk(vault::StoredTable& table) {
  const auto walked = parts_.keys->vault().reseal(table, rows_at_once);
  if (!walked) return std::unexpected(walked.error());
  return walked->ended;
}

Result<std::vector<std::string>> Core::obstacles(const privacy::Erasure& erasure) {
  auto found =
      privacy::obstacles(parts_.database, erasure, policies_->retention, parts_.clock.now());
  if (!found) return found;
  const auto names = [&](std::string_view text) { return privacy::mentions(text, erasure); };
  std::ranges::move(identity::mentions_of(people_.records(), names), std::back_inserter(*found));
  for (const access::Grant& grant : grants_->standing().open) {
    if (!privacy::mentions(json::to_text(access::to_json(grant)), erasure)) continue;
    found->push_back("grant " + std::to_string(grant.id.value) + " is open and names them");
  }
  const auto runs = respond::flow::load_stored(parts_.database, parts_.clock.now());
  if (!runs) return std::unexpected(runs.error());
  for (const respond::flow::Run& run : runs->runs) {
    if (!privacy::mentions(json::to_text(respond::flow::to_stored_json(run)), erasure)) continue;
    found->push_back("run " + std::to_string(run.number) + " of a playbook names them");
  }
  // How often one has begun is part of the keys of its alerts, and must not be lost.
  const auto escalations = alert::load_escalations(parts_.database);
  if (!escalations) return std::unexpected(escalations.error());
  for (const alert::Escalation& one : *escalations) {
    if (!privacy::mentions(json::to_text(alert::to_json(one)), erasure)) continue;
    found->push_back("the escalation of incident " + std::to_string(one.incident) +
                     " by the chain '" + one.chain + "' names them");
  }
  const auto alerts = alert::load_pending(parts_.database);
  if (!alerts) return std::unexpected(alerts.error());
  for (const alert::AlertRow& row : *alerts) {
    if (!privacy::mentions(row.alert.subject + json::to_text(row.alert.event), erasure)) continue;
    found->push_back("alert " + row.alert.key + ", not delivered yet, names them");
  }
  std::ranges::move(alerting_.mentions(names), std::back_inserter(*found));
  return found;
}

Result<json::Object> Core::renew_key(const privacy::Erasure& order) {
  if (parts_.keys == nullptr) return no_keys();
  const auto named =
      order.subject.empty() ? Result<privacy::Erasure>(order) : privacy::check(order);
  if (!named) return std::unexpected(named.error());
  if (auto good = privacy::check_reason(*named); !good) return std::unexpected(good.error());
  vault::Vault& vault = parts_.keys->vault();
  const auto renewed =
      named->subject.empty() ? vault.renew_store_key() : vault.renew(named->subject);
  if (!renewed) return std::unexpected(renewed.error());
  keys_tended_ = {};
  json::Object record{{"reason", named->reason}, {"who", named->who}};
  if (named->subject.empty()) {
    record["key"] = "of what names nobody";
  } else {
    const auto index = parts_.database.sealing()->index("erasure", "subject", named->subject);
    if (!index) return std::unexpected(index.error());
    record["subject"] = *index;
  }
  this->record("key_renewal", record);
  return record;
}

Result<json::Object> Core::erase(const privacy::Erasure& order) {
  if (parts_.keys == nullptr) return no_keys();
  const auto erasure = privacy::check(order);
  if (!erasure) return std::unexpected(erasure.error());
  // What waits to be written would be sealed with the key that comes next.
  if (auto done = write(); !done) return std::unexpected(done.error());
  const auto in_the_way = obstacles(*erasure);
  if (!in_the_way) return std::unexpected(in_the_way.error());
  if (!in_the_way->empty()) return fail(Code::conflict, joined(*in_the_way));
  const auto index = parts_.database.sealing()->index("erasure", "subject", erasure->subject);
  if (!index) return std::unexpected(index.error());
  json::Object record{{"reason", erasure->reason},
                      {"standing", "begun"},
                      {"subject", *index},
                      {"who", erasure->who}};
  this->record("erasure", record);
  if (auto done = write(); !done) return std::unexpected(done.error());
  const auto shredded = shred(*erasure);
  record["standing"] = shredded ? "done" : "failed";
  if (shredded) {
    record["key"] = *shredded ? "shredded" : "none";
  } else {
    record["why"] = shredded.error().what;
  }
  this->record("erasure", record);
  if (!shredded) return std::unexpected(shredded.error());
  return record;
}

// False where the subject had no key, so that nothing of the store names it.
Result<bool> Core::shred(const privacy::Erasure& erasure) {
  vault::Vault& vault = parts_.keys->vault();
  // What can be tried again comes before what cannot be undone.
  const auto names = [&](std::string_view text) { return privacy::mentions(text, erasure); };
  if (auto done = correlator_.forget(names); !done) return std::unexpected(done.error());
  book_.forget_waiting(names);
  if (auto done = forget_entities(erasure.subject); !done) return std::unexpected(done.error());
  std::vector<access::SignInKey> keys;
  for (const access::SignIn& sign_in : sign_ins_.forget(erasure.subject)) {
    auto key = access::key_of(parts_.database, sign_in);
    if (!key) return std::unexpected(key.error());
    keys.push_back(*std::move(key));
  }
  forget(keys);
  auto shredded = vault.shred(erasure.subject);
  if (!shredded) return shredded;
  // What is left to do is tried again until it is done.
  windows_wait_ = !renew_windows();
  scrub_waits_ = !vault.scrub();
  return shredded;
}

// The windows name many people. Older copies of them go with their key.
Result<void> Core::renew_windows() {
  if (auto done = parts_.keys->vault().shred(detect::snapshot_subject); !done) {
    return std::unexpected(done.error());
  }
  windows_wait_ = false;
  take_snapshot();
  return {};
}

Result<void> Core::forget_entities(const std::string& subject) {
  const auto account =
      ingest::entity_number(ingest::EntityKind::account, subject, parts_.database.sealing());
  if (!account) return std::unexpected(account.error());
  pending_.emplace_back([entity = *account](db::Database& database) {
    return ingest::forget_entity(database, entity);
  });
  return {};
}

}  // namespace mailwarden::app
