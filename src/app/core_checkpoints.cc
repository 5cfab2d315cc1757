// The core's keys and checkpoints: signed, witnessed, sent out.
#include "app/core.h"
#include "app/keep.h"
#include "base/check.h"
#include "crypto/sha256.h"
#include "ledger/cosignature.h"
#include "ledger/key_history.h"

namespace mailwarden::app {

// Whoever holds an old key learns of the new one from the ledger alone.
Result<void> Core::take_keys() {
  const auto named = [&](const crypto::Signer& signer) {
    return ledger::VerifierKey{.name = options_.origin, .key = signer.public_key()};
  };
  ledger::GivenKeys given{.key = named(parts_.signer), .next = std::nullopt};
  if (parts_.next_signer != nullptr) given.next = named(*parts_.next_signer);
  const auto plan = ledger::plan_keys(parts_.database, given, ledger_.size());
  if (!plan) return std::unexpected(plan.error());
  std::vector<ledger::Entry> entries;
  for (const ledger::KeyChange& change : *plan) {
    entries.push_back({std::string(ledger::key_change_kind), ledger::to_record(change)});
  }
  append(std::move(entries));
  return {};
}

// The entry says that a checkpoint follows, so that nobody can take it away unseen, and that a copy
// of the store as long as the checkpoint holds the checkpoint.
void Core::seal() {
  append({});
  if (ledger_.is_sealed()) return;
  json::Object record{{"size", ledger_.size() + 1}};
  if (!cosigned_.empty()) record["cosigned"] = std::exchange(cosigned_, {});
  append({ledger::Entry{"seal", std::move(record)}});
  auto sealed = ledger_.prepare_seal(parts_.signer, parts_.next_signer);
  CHECK(sealed);
  pending_notes_.push_back(sealed->note);
  newest_ = sealed;
  const auto row = keep(*std::move(sealed));
  pending_.emplace_back(
      [row](db::Database& database) { return ledger::Ledger::write_seal(database, *row); });
  post(*row);
}

Result<void> Core::load_posts() {
  for (const config::CheckpointReceiver& receiver : options_.checkpoint_receivers) {
    const auto last = alert::last_checkpoint_alert(parts_.database, receiver.name);
    if (!last) return std::unexpected(last.error());
    Post& post = posts_[receiver.name];
    if (!*last) continue;
    post.decided = (*last)->alert.time;
    if ((*last)->standing == alert::Standing::pending) post.waiting = (*last)->alert.key;
  }
  return {};
}

// The last process may have ended between a checkpoint's commit and its way out: it leaves again.
Result<void> Core::load_newest() {
  auto note = ledger::last_checkpoint(parts_.database);
  if (!note && note.error().code == Code::not_found) return {};
  if (!note) return std::unexpected(note.error());
  const auto checkpoint = ledger::parse_checkpoint(*note);
  if (!checkpoint) return fail(Code::corrupt, "the newest checkpoint: " + checkpoint.error().what);
  newest_ = ledger::Sealed{.checkpoint = *checkpoint, .note = *note};
  notes_.push_back(*std::move(note));
  return {};
}

// To each receiver at most one in its interval, and none while one waits: a receiver that was away
// for a week gets the newest, not a week of them.
void Core::post(const ledger::Sealed& sealed) {
  const Timestamp now = parts_.clock.now();
  std::vector<ledger::Entry> entries;
  for (const config::CheckpointReceiver& receiver : options_.checkpoint_receivers) {
    Post& post = posts_[receiver.name];
    // A clock that was set back must not keep checkpoints from leaving.
    if (post.decided && now < *post.decided) post.decided = now;
    if (!post.waiting.empty()) continue;
    if (post.decided && now - *post.decided < receiver.interval) continue;
    const alert::Alert alert =
        alert::checkpoint_alert(receiver.name, sealed.checkpoint, sealed.note, now);
    post = {.decided = now, .waiting = alert.key};
    send(alert, entries);
  }
  append(std::move(entries));
}

void Core::settle_post(const alert::Outcome& outcome) {
  if (outcome.standing == alert::Standing::pending) return;
  for (auto& [receiver, post] : posts_) {
    if (post.waiting == outcome.key) post.waiting.clear();
  }
}

void Core::cosign(std::uint64_t size, const std::string& line) {
  pending_.emplace_back([size, line](db::Database& database) {
    return ledger::Ledger::write_cosignature(database, size, line);
  });
  cosigned_.emplace_back(
      json::Array{static_cast<std::int64_t>(size), crypto::to_hex(crypto::sha256(line))});
  if (!newest_ || newest_->checkpoint.size != size) return;
  newest_->note = ledger::add_signatures(std::move(newest_->note), line);
  pending_notes_.push_back(newest_->note);
}

ledger::WitnessAnswer Core::witness(const std::string& posted) {
  if (parts_.witness == nullptr) {
    return {.status = 404, .content_type = "text/plain", .body = "no log is witnessed here\n"};
  }
  ledger::WitnessReply reply = witness_book_.answer(posted, *parts_.witness, parts_.clock.now());
  if (reply.witnessed) {
    const auto row = keep(*std::move(reply.witnessed));
    store_state({"witness_log"}, [row](db::Database& database) {
      return ledger::WitnessBook::write(database, *row);
    });
    append({});
  }
  return std::move(reply.answer);
}

}  // namespace mailwarden::app
