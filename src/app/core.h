// The daemon's one place of decision and of writing.
//
// What     A Core takes worked batches in the order of their tickets and what persons do, lets
//          correlator, incidents and ledger grow in memory, and keeps the rows that come of it
//          until write() has put them into the store in one transaction. What write() could not
//          store it tries again, the same rows, until it can: nothing is decided twice and nothing
//          is lost. It has no threads and no clock of its own, so a test drives it as a plain loop.
// Owns     Correlator, incident book, escalations, playbook runs, ledger, and the pending rows.
//          What it does to rows that stand for the present it tells the ledger in entries of kind
//          "state".
// Threads  One.
// Errors   open(): whatever keeps the store from being used. write(): unavailable, full, io: try
//          again; corrupt: stop.
// Limits   CoreOptions::snapshot_interval bounds what a start must match again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "access/decide.h"
#include "access/grant_order.h"
#include "access/sign_ins.h"
#include "alert/escalation.h"
#include "alert/escalation_audit.h"
#include "alert/outbox.h"
#include "app/alert_books.h"
#include "app/policies.h"
#include "app/state_book.h"
#include "app/work.h"
#include "base/clock.h"
#include "base/entropy.h"
#include "config/config.h"
#include "crypto/ed25519.h"
#include "db/database.h"
#include "detect/correlator.h"
#include "identity/people_source.h"
#include "incident/incident.h"
#include "incident/report.h"
#include "ledger/ledger.h"
#include "ledger/witness_book.h"
#include "privacy/erasure.h"
#include "privacy/sweep.h"
#include "respond/flow_run.h"
#include "vault/kek_uses.h"
#include "vault/opening.h"
#include "vault/stored_table.h"

namespace mailwarden::app {

// Every module's tables, in the order in which they may be made.
std::vector<db::Migration> all_migrations();

struct CoreOptions {
  std::string origin;
  std::vector<std::string> commands;     // executables that playbooks may run
  std::int64_t snapshot_interval = 256;  // batches between two snapshots of the correlator
  identity::PeopleBookOptions people;
  std::string witness_name;                    // by which it cosigns the logs of others
  std::vector<ledger::VerifierKey> witnessed;  // whose; none where it is no witness
  std::vector<config::CheckpointReceiver> checkpoint_receivers;
};

struct CoreParts {
  db::Database& database;
  const Clock& clock;
  Entropy& entropy;
  const crypto::Signer& signer;
  const crypto::Signer* next_signer = nullptr;  // that is to follow; null but for an overlap
  const crypto::Signer* witness = nullptr;  // with which it cosigns; null where it is no witness
  // Of a store with keys, which the database has, too: null where it has none.
  vault::StoreKeys* keys = nullptr;
  vault::KekUses* kek_uses = nullptr;  // what they were used for
};

struct Totals {
  std::int64_t events = 0;  // since the start of this process
  std::int64_t undecoded = 0;
  std::int64_t detections = 0;
  std::int64_t accesses = 0;  // that events told of and policies were held against
  std::int64_t changes = 0;
  std::int64_t gaps = 0;
  std::int64_t alerts = 0;  // decided
  std::int64_t alerts_delivered = 0;
  std::int64_t alerts_failed = 0;     // given up
  std::int64_t alerts_silenced = 0;   // that nobody is told of
  std::int64_t alerts_held_back = 0;  // counted in the summary of a storm
  std::int64_t signals = 0;           // that were posted
};

// What the database found wrong with the files of the store, or of its book of keys.
struct FileDamage {
  std::string name;  // "store"
  std::string way;   // how it was asked
  std::vector<std::string> findings;
};
// The first findings, and how many more there are.
std::string summary(const FileDamage& damage);

// What may leave the process now that its cause is durable.
using Outgoing = std::variant<alert::Alert, respond::flow::Effect>;

class Core {
 public:
  // Brings the tables up to date, rebuilds what is kept in memory, and records in the ledger which
  // keys and policies are in force where they are not those that it recorded last. Refuses keys
  // that the ledger was not told of.
  static Result<std::unique_ptr<Core>> open(const CoreOptions& options, const CoreParts& parts,
                                            std::shared_ptr<const Policies> policies);

  void take(WorkedBatch batch);
  Result<std::vector<incident::Change>> act(const incident::Act& act);
  // What a person reports; it opens an incident, or joins one about the same.
  Result<std::vector<incident::Change>> act(const incident::Report& report);
  Result<respond::flow::Run> act(const respond::flow::RunAct& act);
  // A run that a person wants; for no incident where the number is 0.
  Result<respond::flow::Run> start(respond::flow::StartOrder order, std::int64_t incident);
  // Alerts from outside. full: not all of them could be taken, but the others were.
  Result<void> take(std::vector<alert::Signal> signals);
  // Its id: that of the silence, or of the one that replaces it.
  Result<std::string> set_silence(const alert::Silence& silence);
  Result<void> expire_silence(const std::string& id);
  // The key of an alert that says that it is a test.
  Result<std::string> test_alert(const std::string& receiver);
  void settle(const alert::Outcome& outcome, const std::string& receiver);
  void settle(const respond::flow::Outcome& outcome);
  // What is in force of access policies begins with what operators wrote of people and systems.
  void use(std::shared_ptr<const Policies> policies);
  // The same policies over what is known by now.
  void decide_by(access::InForce in_force) { in_force_ = std::move(in_force); }
  // What a source says of people. Nothing of it is taken where it is refused.
  Result<void> take(identity::Told told);
  // Keeps decisions about access, each an entry; one that raises an alarm is a detection too.
  void take(std::vector<std::unique_ptr<access::Undertaken>> decisions);
  // What may be missing now is a gap, and an incident.
  void take(const FileDamage& damage);
  Result<access::Grant> act(const access::GrantOrder& order);
  // Tells the time to what runs out by itself.
  void pass_time();
  // Shreds the key of a person, and takes away what of them is not sealed under it. invalid: the
  // order is wrong, or the store has no keys. conflict: something that names them is still at work.
  Result<json::Object> erase(const privacy::Erasure& order);
  // A new key for all that names the person from now on, and for what did so far by and by; for a
  // subject "" that of what names nobody. not_found: there is no key yet.
  Result<json::Object> renew_key(const privacy::Erasure& order);
  // Records what the key-encryption key was used for.
  void tell_key_uses();
  // Seals anew some of what waits for that, where nothing is pending; to be called again and again.
  // What went wrong is told once, in a sentence; "" else.
  std::string tend_keys();
  // What has come to pass with time alone: deadlines of incidents, steps of escalations, waits of
  // playbooks, groups of alerts.
  void tick();
  // Asks the store whether escalations go on (alert/escalation_audit.h). What was not found before
  // is a gap each, and the answer.
  Result<std::vector<alert::Finding>> audit_escalations();
  // When a playbook has something to do next.
  std::optional<Timestamp> next_due() { return runs_.next_due(); }
  std::map<respond::flow::RunState, std::int64_t> open_runs() const { return runs_.count(); }
  // Records something that was done elsewhere (a report issued): kind and what was done.
  void record(const std::string& kind, json::Object what);
  // Removes due batches; plan_sweep() has said which.
  void sweep(const privacy::Sweep& sweep);

  // Signs a checkpoint over everything prepared; nothing where the last one covers it.
  void seal();
  // Puts a witness's signature under the checkpoint of that size, which leaves again with it.
  void cosign(std::uint64_t size, const std::string& line);
  // What another log posts to its witness.
  ledger::WitnessAnswer witness(const std::string& posted);
  std::optional<std::string> witnessed_note(const std::string& origin_hash) const {
    return witness_book_.last_note(origin_hash);
  }
  // Keeps the correlator's windows, so that a start has nothing to match again.
  void snapshot();

  // What several calls lead to is told to the ledger in one go, which spares work for each of them:
  // once write() is called, or as this goes.
  class Together {
   public:
    explicit Together(Core& core) : core_(core) { core_.is_gathering_ = true; }
    Together(const Together&) = delete;
    Together& operator=(const Together&) = delete;
    ~Together() {
      core_.is_gathering_ = false;
      core_.append_gathered();
    }

   private:
    Core& core_;
  };

  bool has_pending() const { return !pending_.empty() || !pending_outgoing_.empty(); }
  Result<void> write();

  // Checkpoints written since the last call, oldest first, for whoever carries them out of here.
  std::vector<std::string> take_notes();
  // What became durable since the last call and is to be done outside.
  std::vector<Outgoing> take_outgoing();

  const Totals& totals() const { return totals_; }
  const ledger::Ledger& ledger() const { return ledger_; }
  const Policies& policies() const { return *policies_; }
  const alert::EscalationBook& escalations() const { return escalations_; }
  // What audit_escalations() found last.
  const alert::FindingBook& findings() const { return findings_; }
  const access::GrantBook& grants() const { return *grants_; }
  const identity::PeopleBook& people() const { return people_; }
  const AlertBooks& alerting() const { return alerting_; }
  // Grows with each change of what is known of people.
  std::int64_t people_revision() const { return people_revision_; }

 private:
  using Write = std::function<Result<void>(db::Database&)>;

  // Between two looks for what waits to be sealed anew.
  static constexpr Duration keys_interval = std::chrono::seconds(10);
  static constexpr int portions_at_once = 16;  // of rows that are sealed anew

  Core(const CoreOptions& options, const CoreParts& parts, std::shared_ptr<const Policies> policies,
       ledger::Ledger ledger, incident::IncidentBook book, respond::flow::Stored runs,
       identity::PeopleBook people, access::SignIns sign_ins);

  Result<void> rebuild();
  Result<void> take_keys();
  Result<void> load_posts();
  Result<void> load_newest();
  void post(const ledger::Sealed& sealed);
  void settle_post(const alert::Outcome& outcome);
  void activate();
  void record_policies();
  Result<void> may_close(std::int64_t incident) const;
  Result<void> load_escalations();
  void escalate(const incident::Change& change, const incident::Incident& incident,
                std::vector<ledger::Entry>& entries);
  void take_escalations(const std::vector<alert::EscalationMove>& moves,
                        std::vector<ledger::Entry>& entries);
  void take_step(const alert::EscalationMove& move, std::vector<ledger::Entry>& entries);
  void pass_over_incidents();
  std::int64_t next_entry(const std::vector<ledger::Entry>& entries) const;
  void take_events(WorkedBatch& batch, std::vector<ledger::Entry>& entries);
  // `who` reports it; "" for the daemon itself.
  incident::IncidentBook::Applied report(const detect::Detection& detection,
                                         std::vector<ledger::Entry>& entries,
                                         const std::string& who = "");
  void take_changes(const std::vector<incident::Change>& changes,
                    std::vector<ledger::Entry>& entries);
  // Grouping rules that are new have their say on what waits.
  void regather();
  void store_waiting();
  void take_evidence(const respond::flow::Outcome& outcome, std::vector<ledger::Entry>& entries);
  void take_moves(const respond::flow::Moves& moves, std::vector<ledger::Entry>& entries);
  ledger::Entry decided(const alert::Alert& alert) const;
  void send(const alert::Alert& alert, std::vector<ledger::Entry>& entries);
  // What decides whether a notice leaves.
  struct Weight {
    std::string muted;  // why nobody is told; "" where somebody is
    std::int64_t severity = 0;
    bool grave = false;  // never held back
  };
  alert::GroupContext group_context();
  void regroup();
  void tell_silences(const std::vector<alert::SilenceBook::Change>& changes,
                     std::vector<ledger::Entry>& entries);
  void notify(const incident::Change& change, const incident::Incident& incident,
              std::vector<ledger::Entry>& entries);
  void tell(const alert::Alert& alert, const Weight& weight, std::vector<ledger::Entry>& entries);
  void mute(const alert::Alert& alert, const std::string& why, std::vector<ledger::Entry>& entries);
  void tick_alerts(std::vector<ledger::Entry>& entries);
  void post(alert::Alert alert, std::vector<Outgoing>& to);
  incident::Incident incident_of(std::int64_t number) const;
  void take_grant(const access::GrantChange& change, std::vector<ledger::Entry>& entries);
  void take_decision(const access::DecisionRecord& decision, std::vector<ledger::Entry>& entries);
  void take_people(const identity::Applied& applied, std::vector<ledger::Entry>& entries);
  void judge(const std::vector<access::SeenAccess>& accesses, std::vector<ledger::Entry>& entries);
  void append(std::vector<ledger::Entry> entries);
  void append_gathered();
  // A write of rows that stand for the present, of which the next entries tell.
  void store_state(std::initializer_list<std::string_view> tables, Write write);
  Result<void> adopt();
  void forget(const std::vector<access::SignInKey>& expired);
  void touch(std::int64_t incident);
  void take_snapshot();
  Result<void> find_walked();
  Result<bool> walk(vault::StoredTable& table);
  Result<std::vector<std::string>> obstacles(const privacy::Erasure& erasure);
  Result<bool> shred(const privacy::Erasure& erasure);
  Result<void> renew_windows();
  Result<void> forget_entities(const std::string& subject);
  void store_touched();
  Result<db::Transaction> begin();
  void let_out();

  CoreOptions options_;
  CoreParts parts_;
  std::shared_ptr<const Policies> policies_;
  ledger::Ledger ledger_;
  std::vector<ledger::Entry> gathered_;  // of a Together, in order
  bool is_gathering_ = false;
  incident::IncidentBook book_;
  alert::EscalationBook escalations_;
  alert::FindingBook findings_;
  Timestamp started_;
  respond::flow::RunBook runs_;
  detect::Correlator correlator_;
  std::unique_ptr<access::GrantBook> grants_;
  identity::PeopleBook people_;
  std::int64_t people_revision_ = 0;
  access::SignIns sign_ins_;
  access::InForce in_force_;
  Timestamp time_stored_;
  std::int64_t last_event_ = 0;
  std::int64_t last_detection_ = 0;
  std::int64_t batches_since_snapshot_ = 0;
  std::int64_t batches_since_merge_ = 0;
  std::int64_t windows_dropped_ = 0;
  std::set<std::int64_t> touched_;  // incidents whose rows must be written
  std::set<std::int64_t> untold_;   // those of them whose rows the ledger is to be told
  std::unique_ptr<StateBook> state_;
  AlertBooks alerting_;
  std::vector<vault::StoredTable> walked_;  // every personal table, once it was asked for
  Timestamp keys_tended_;
  std::string keys_trouble_;   // told last
  bool scrub_waits_ = false;   // the book of keys still has shredded ones in its log
  bool windows_wait_ = false;  // older windows still have their key
  std::vector<Write> pending_;
  std::ptrdiff_t tried_ = 0;  // of these, in the last transaction
  ledger::WitnessBook witness_book_;
  // What a receiver of checkpoints was sent last.
  struct Post {
    std::optional<Timestamp> decided;
    std::string waiting;  // the key of what is not delivered yet; "" for none
  };
  std::map<std::string, Post> posts_;     // by receiver
  std::optional<ledger::Sealed> newest_;  // checkpoint of this process, with its cosignatures
  json::Array cosigned_;                  // cosignatures that came since the last seal
  std::map<std::string, std::shared_ptr<const alert::Alert>> unsettled_;  // by key
  std::vector<std::string> pending_notes_;
  std::vector<std::string> notes_;
  std::vector<Outgoing> pending_outgoing_;
  std::vector<Outgoing> outgoing_;
  Totals totals_;
};

}  // namespace mailwarden::app
