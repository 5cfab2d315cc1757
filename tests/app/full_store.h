// A store with more than 10,000 entries and rows in every table, made by the core itself.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "access/access_time.h"
#include "app/access.h"
#include "app/core.h"
#include "app/opening.h"
#include "crypto/file_key_provider.h"
#include "crypto/sha256.h"
#include "db/sqlite.h"
#include "report/personal_tables.h"
#include "tests/identity/people_maker.h"
#include "tests/temporary.h"

namespace mailwarden::app {

// The same bytes for the same purpose in the same order.
class CountedEntropy final : public Entropy {
 public:
  void fill(std::span<std::byte> out, std::string_view purpose) override {
    const auto digest = crypto::sha256(std::string(purpose) + "/" + std::to_string(count_++));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = digest[i % digest.size()];
  }

 private:
  std::uint64_t count_ = 0;
};

template <class T>
T made(Result<T> result) {
  EXPECT_TRUE(result) << result.error().what;
  return *std::move(result);
}

class FullStore {
 public:
  static constexpr std::int64_t entries_min = 10'000;

  explicit FullStore(bool has_keys = false) {
    prepare_policies();
    if (has_keys) make_keys();
    open();
  }

  // Everything, with a copy of the store in `copies` at each of the first seals.
  void fill(const std::string& copies) {
    tell_people();
    ask_for_grants();
    for (std::uint64_t i = 0; i < 60; ++i) core_->take(batch(i));
    core_->take(waiting_batch());
    write_and_settle();
    remove_events();
    cosign_for_others();
    hear_of_signals();
    std::int64_t copied = 0;
    while (core_->ledger().size() < entries_min) {
      decide(200);
      for (int i = 0; i < 800; ++i) {
        core_->record("gap", {{"source", "auth"}, {"what", "line " + std::to_string(i)}});
      }
      core_->snapshot();
      seal();
      if (copied < 8) copy(copies + "/" + std::to_string(copied++));
    }
    core_->pass_time();
    core_->tell_key_uses();
    core_->snapshot();
    seal();
  }

  // Some more, written while somebody reads.
  void go_on() {
    decide(100);
    core_->take(batch(60));
    ASSERT_TRUE(core_->write());
  }
  std::string path() const { return folder_.path("store/m.db"); }

  // The store's files, as they are while it is open; the database, its log and the rest.
  void copy(const std::string& folder) const {
    std::filesystem::create_directories(folder);
    for (const auto& file : std::filesystem::directory_iterator(folder_.path("store"))) {
      if (file.path().string().ends_with("-shm")) continue;
      std::filesystem::copy(file.path(), folder + "/" + file.path().filename().string(),
                            std::filesystem::copy_options::recursive |
                                std::filesystem::copy_options::overwrite_existing);
    }
  }

  ledger::VerifierKey key() const { return {"example.com/test", signer_->public_key()}; }
  const std::vector<std::string>& notes() const { return notes_; }  // oldest first
  Core& core() { return *core_; }
  db::Database& database() { return *database_; }
  // nullptr for one without keys.
  db::Sealing* sealing() { return keys_ ? &keys_->sealing() : nullptr; }

 private:
  void prepare_policies() {
    std::filesystem::create_directories(folder_.path("store/checkpoints"));
    std::filesystem::create_directories(folder_.path("rules"));
    write_file(folder_.path("rules/test.yml"),
               "title: A test line\nid: r1\nname: test_line\n"
               "logsource: {product: linux, service: sshd}\nlevel: medium\ndetection:\n"
               "  selection:\n    event: login_failed\n  condition: selection\n"
               "mailwarden: {entity: src_endpoint.ip, facts: {attack_attempted: true}}\n"
               "---\ntitle: Another\nid: r2\nlogsource: {product: linux, service: sshd}\n"
               "level: medium\ndetection:\n  selection:\n    event: attempts_exceeded\n"
               "  condition: selection\nmailwarden: {entity: src_endpoint.ip}\n");
    std::filesystem::copy(source_folder() + "/policies", folder_.path("policies"),
                          std::filesystem::copy_options::recursive);
    write_file(folder_.path("policies/routes.yaml"),
               "receivers: [{name: spool, kind: folder, folder: s}]\n"
               "routes: [{changes: [opened], to: [spool, escalation:security]},\n"
               "  {signals: ['alertname=~\".+\"'], group_by: [alertname], wait: 0s, to: [spool]}]\n"
               "storm: {notices: 2, per: 7d}\n");
    // Those that are shipped are for rules that are shipped.
    write_file(folder_.path("policies/grouping.yaml"),
               "rules: [{name: later, for: {rules: [r2]}, by: [address], within: 7d,"
               " threshold: 9}]\n");
    std::filesystem::remove_all(folder_.path("policies/playbooks"));
    std::filesystem::create_directories(folder_.path("policies/playbooks"));
    write_file(folder_.path("policies/playbooks/p.yaml"),
               "name: p\ntitle: T\nwhen: {rules: [test_line]}\nsteps:\n"
               "  - {id: tell, notify: [spool], text: 'see ${incident.entity}'}\n"
               "  - {id: act, command: [/bin/true]}\n  - {id: ask, manual: Ask}\n");
    write_file(folder_.path("systems.json"),
               R"([{"uid": {"type": "System", "id": "wiki"},
                    "attrs": {"personal_data": false, "purposes": []}, "parents": []}])");
    config_.rules = {folder_.path("rules")};
    config_.policies = folder_.path("policies");
    config_.entities = {folder_.path("systems.json")};
    config_.people = {{.name = "directory", .limit = std::chrono::hours(24)},
                      {.name = "personnel", .limit = std::chrono::hours(24)}};
  }

  void make_keys() {
    ASSERT_TRUE(crypto::FileKeyProvider::create(folder_.path("kek"), entropy_));
    keys_ =
        made(vault::StoreKeys::open({.book = folder_.path("keys.db"),
                                     .kek = made(vault::parse_kek("file:" + folder_.path("kek"))),
                                     .tables = report::personal_table_names()},
                                    entropy_, clock_, kek_uses_.listener()));
    scratch_.sealing = sealing();
  }

  void open() {
    signer_ = made(crypto::Signer::create(folder_.path("store/key"), entropy_));
    write_file(folder_.path("store/key.pub"), ledger::to_text(key()) + "\n");
    database_ = made(db::open_sqlite(folder_.path("store/m.db")));
    database_->set_sealing(sealing());
    policies_ = made(load_policies(config_));
    identity::PeopleBookOptions people;
    for (const auto& source : config_.people) {
      people.ages.of_source.emplace(source.name, source.limit);
    }
    std::vector<ledger::VerifierKey> witnessed;
    for (const std::string& name : others_) witnessed.push_back({name, other_.public_key()});
    core_ = made(Core::open({.origin = "example.com/test",
                             .commands = {"/bin/true"},
                             .people = people,
                             .witness_name = "example.com/witness",
                             .witnessed = witnessed},
                            {.database = *database_,
                             .clock = clock_,
                             .entropy = entropy_,
                             .signer = *signer_,
                             .witness = &witness_,
                             .keys = keys_.get(),
                             .kek_uses = &kek_uses_},
                            policies_));
    access_ = made(Access::start(config_, clock_, entropy_, log_, core_->grants(), [] {}));
  }

  static std::string mail(int person) { return "p" + std::to_string(person) + "@example.com"; }

  void tell_people() {
    std::vector<std::string> users;
    std::vector<std::string> members;
    std::string csv = "id,email,employed_from,employed_until\n";
    for (int i = 0; i < people_count; ++i) {
      users.push_back(identity::user_json(std::to_string(i), mail(i)));
      members.push_back(identity::member_json(std::to_string(i), mail(i)));
      csv += std::to_string(i) + "," + mail(i) + ",2024-02-01,\n";
    }
    std::string pages = identity::users_page(users) + "\n" +
                        identity::groups_page({identity::group_json("g", "one@example.com"),
                                               identity::group_json("h", "two@example.com")});
    for (const char* group : {"g", "h"}) pages += "\n" + identity::members_page(group, members);
    ASSERT_TRUE(core_->take(identity::Told(identity::directory(pages, clock_.now()))));
    ASSERT_TRUE(core_->take(identity::Told(identity::people(csv, clock_.now()))));
    access_->use(core_->policies(), *core_, clock_.now());
  }

  void ask_for_grants() {
    for (int i = 0; i < people_count; ++i) {
      const auto asked =
          core_->act(access::GrantOrder{.who = mail(i),
                                        .is_shown = true,
                                        .request = {.person = mail(i),
                                                    .system = "wiki",
                                                    .purpose = "support",
                                                    .ticket = "T-" + std::to_string(i),
                                                    .reason = "a customer asks for help",
                                                    .duration = std::chrono::hours(1)},
                                        .grant = {},
                                        .why = ""});
      ASSERT_TRUE(asked) << asked.error().what;
    }
  }

  WorkedBatch batch(std::uint64_t ticket) {
    const std::int64_t stream = 1 + static_cast<std::int64_t>(ticket % 4);
    const std::string path = "auth" + std::to_string(stream) + ".log";
    ingest::RecordBatch records;
    records.after = ingest::StreamState{.stream = stream, .source = "auth", .path = path};
    records.after->position = static_cast<std::int64_t>(ticket + 1) * 1000;
    for (int i = 0; i < 15; ++i) {
      const std::string address = "203.0.113." + std::to_string(ticket % 12);
      records.records.push_back(
          {.id = {.stream = stream, .position = static_cast<std::int64_t>(ticket) * 1000 + i},
           .source = "auth",
           .bytes = "2026-11-24T02:20:01Z mail1 sshd[" + std::to_string(i) +
                    "]: Failed password for root from " + address + " port 1 ssh2",
           .received = clock_.now()});
    }
    return work(std::move(records), ticket, *policies_, entropy_, scratch_);
  }

  // Detections of which no incident comes yet.
  WorkedBatch waiting_batch() {
    ingest::RecordBatch records;
    records.after = ingest::StreamState{.stream = 5, .source = "auth", .path = "auth5.log"};
    records.after->position = 1000;
    for (int i = 0; i < 15; ++i) {
      records.records.push_back(
          {.id = {.stream = 5, .position = i},
           .source = "auth",
           .bytes = "2026-11-24T02:20:01Z mail1 sshd[1]: error: maximum authentication attempts"
                    " exceeded for root from 203.0.114." +
                    std::to_string(i) + " port 1 ssh2 [preauth]",
           .received = clock_.now()});
    }
    return work(std::move(records), 60, *policies_, entropy_, scratch_);
  }

  // Half of what left is said to have been done, the rest waits.
  void write_and_settle() {
    ASSERT_TRUE(core_->write());
    int count = 0;
    for (const Outgoing& one : core_->take_outgoing()) {
      if (++count % 2 == 0) continue;
      if (const auto* alert = std::get_if<alert::Alert>(&one)) {
        core_->settle(alert::Outcome{.key = alert->key,
                                     .standing = count % 3 == 0 ? alert::Standing::failed
                                                                : alert::Standing::delivered,
                                     .tries = 2,
                                     .trouble = count % 3 == 0 ? "nobody there" : ""},
                      "spool");
      } else {
        const auto& effect = std::get<respond::flow::Effect>(one);
        core_->settle(respond::flow::outcome_of(effect, json::Object{}));
      }
    }
    ASSERT_TRUE(core_->write());
  }

  void remove_events() {
    const auto entries = database_->query("SELECT entry FROM event_batch ORDER BY entry LIMIT 8");
    privacy::Sweep sweep{.now = clock_.now()};
    for (int i = 0; i < 4; ++i) {
      privacy::DueBatches due{.category = "c" + std::to_string(i), .source = "auth"};
      for (int k = 0; k < 2; ++k) {
        ASSERT_TRUE((*entries)->step().value());
        due.entries.push_back((*entries)->integer(0));
        due.events += 15;
      }
      due.earliest = due.latest = clock_.now();
      sweep.due.push_back(std::move(due));
    }
    ASSERT_TRUE((*entries)->bind(std::span<const db::Value>()));
    core_->sweep(sweep);
  }

  void cosign_for_others() {
    for (const std::string& name : others_) {
      const ledger::Digest leaf = ledger::leaf_hash(crypto::as_bytes(name));
      const std::string note =
          ledger::sign_note(ledger::to_text(ledger::Checkpoint{name, 1, leaf}), name, other_);
      EXPECT_EQ(core_->witness("old 0\n\n" + note).status, 200U);
    }
  }

  // Signals in groups of which most are held back, and silences.
  void hear_of_signals() {
    std::vector<alert::Signal> signals;
    for (int i = 0; i < 24; ++i) {
      signals.push_back(
          {.labels = {{"alertname", "A" + std::to_string(i % 6)}, {"user", mail(i % people_count)}},
           .starts = clock_.now(),
           .ends = clock_.now() + std::chrono::hours(24 * 30),
           .updated = clock_.now()});
    }
    ASSERT_TRUE(core_->take(std::move(signals)));
    for (int i = 0; i < 4; ++i) {
      alert::Silence silence{.starts = clock_.now(),
                             .ends = clock_.now() + std::chrono::hours(24 * 30),
                             .author = mail(i),
                             .comment = "works on it"};
      silence.matchers.push_back(made(alert::LabelMatcher::parse("user=\"" + mail(i + 4) + "\"")));
      ASSERT_TRUE(core_->set_silence(silence));
    }
    core_->tick();
    write_and_settle();
  }

  void decide(int count) {
    std::vector<std::unique_ptr<access::Undertaken>> decisions;
    for (int i = 0; i < count; ++i) {
      const std::string id = crypto::to_hex(crypto::sha256("d" + std::to_string(decided_++)));
      auto undertaken = std::make_unique<access::Undertaken>();
      undertaken->in_force = std::make_shared<const access::InForce>();
      access::DecisionRecord& one = undertaken->record;
      one.id = id.substr(0, 32);
      one.when = clock_.now();
      one.point = "check";
      one.principal = {"User", mail(i % people_count)};
      one.action = {"Action", "read"};
      one.resource = {"System", "wiki"};
      if (i < 3) {
        one.believed_token =
            json::Object{{"auth_time", to_rfc3339(clock_.now() - std::chrono::seconds(i))}};
      }
      decisions.push_back(std::move(undertaken));
    }
    core_->take(std::move(decisions));
    clock_.advance(std::chrono::seconds(10));
  }

  void seal() {
    core_->seal();
    ASSERT_TRUE(core_->write());
    for (const std::string& note : core_->take_notes()) {
      ASSERT_TRUE(drop_checkpoint(folder_.path("store/checkpoints"), note));
      notes_.push_back(note);
    }
  }

  static constexpr int people_count = 8;

  const TemporaryFolder folder_;
  const std::vector<std::string> others_{"example.com/a", "example.com/b", "example.com/c"};
  config::Config config_;
  ManualClock clock_{identity::morning};
  CountedEntropy entropy_;
  Log log_{LogLevel::error};
  WorkScratch scratch_;
  crypto::Signer other_ = crypto::Signer::from_seed({std::byte{1}});
  crypto::Signer witness_ = crypto::Signer::from_seed({std::byte{2}});
  std::optional<crypto::Signer> signer_;
  vault::KekUses kek_uses_;
  std::unique_ptr<vault::StoreKeys> keys_;
  std::unique_ptr<db::Database> database_;
  std::shared_ptr<const Policies> policies_;
  std::unique_ptr<Core> core_;
  std::unique_ptr<Access> access_;
  std::vector<std::string> notes_;
  std::int64_t decided_ = 0;
};

}  // namespace mailwarden::app
