#include "ledger/witness_book.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "ledger/cosignature.h"
#include "ledger/note_parts.h"

namespace mailwarden::ledger {
namespace {

constexpr std::array witness_steps{db::Migration{"witness", 1, R"sql(
CREATE TABLE witness_log (
  origin TEXT PRIMARY KEY,
  note TEXT NOT NULL
);
)sql"}};

struct Posted {
  std::uint64_t old_size = 0;
  std::vector<Digest> proof;
  std::string note;
};

std::optional<std::uint64_t> read_old_size(std::string_view line) {
  constexpr std::string_view word = "old ";
  if (!line.starts_with(word)) return std::nullopt;
  const std::string_view digits = line.substr(word.size());
  const auto size = to_integer(digits);
  if (!size || *size < 0 || std::to_string(*size) != digits) return std::nullopt;
  return static_cast<std::uint64_t>(*size);
}

std::optional<Posted> read_posted(std::string_view body) {
  const std::size_t blank = body.find("\n\n");
  if (blank == std::string_view::npos) return std::nullopt;
  Posted posted{.note = std::string(body.substr(blank + 2))};
  const auto lines = split(body.substr(0, blank), '\n');
  const auto old_size = read_old_size(lines[0]);
  if (!old_size || lines.size() - 1 > WitnessBook::hashes_max) return std::nullopt;
  posted.old_size = *old_size;
  for (const std::string_view line : std::span(lines).subspan(1)) {
    const auto hash = read_hash(line);
    if (!hash) return std::nullopt;
    posted.proof.push_back(*hash);
  }
  return posted;
}

WitnessReply refusal(unsigned status, const std::string& why) {
  return {.answer = {.status = status, .content_type = "text/plain", .body = why + "\n"},
          .witnessed = std::nullopt};
}

// Signed by a key of the log, and by none of them wrongly; else why not.
Result<void> check_signed(const std::string& note, const Checkpoint& shown,
                          std::span<const VerifierKey> logs) {
  const auto parsed = parse_note(note);
  if (!parsed) return std::unexpected(parsed.error());
  bool is_signed = false;
  for (const VerifierKey& key : logs) {
    const std::string id = key_id({key.name, key.key}, ed25519_type);
    const bool has_line = key.name == shown.origin &&
                          std::ranges::any_of(parsed->signatures, [&](const SignatureLine& line) {
                            return line.name == key.name && line.bytes.starts_with(id);
                          });
    if (!has_line) continue;
    if (const auto opened = open_checkpoint(note, key); !opened) {
      return std::unexpected(opened.error());
    }
    is_signed = true;
  }
  return is_signed ? Result<void>() : fail(Code::denied, "no known key of the log signed it");
}

std::string text_of(const std::string& note) {
  return note.substr(0, note.rfind("\n\n") + 1);
}

}  // namespace

std::span<const db::Migration> witness_migrations() {
  return witness_steps;
}

WitnessBook::WitnessBook(std::string name, std::vector<VerifierKey> logs)
    : name_(std::move(name)), logs_(std::move(logs)) {}

Result<void> WitnessBook::load(db::Database& database) {
  const auto rows = database.query("SELECT origin, note FROM witness_log");
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    std::string note((*rows)->text(1));
    auto checkpoint = parse_checkpoint(note);
    if (!checkpoint || checkpoint->origin != (*rows)->text(0)) {
      return fail(Code::corrupt, "what was cosigned of another log is damaged");
    }
    seen_[checkpoint->origin] = {.checkpoint = *checkpoint, .note = std::move(note)};
  }
}

WitnessReply WitnessBook::answer(std::string_view body, const crypto::Signer& signer,
                                 Timestamp now) {
  const auto posted = read_posted(body);
  if (!posted) return refusal(400, "this is no request of a log to a witness");
  const auto shown = parse_checkpoint(posted->note);
  if (!shown) return refusal(400, shown.error().what);
  const auto is_its = [&](const VerifierKey& key) { return key.name == shown->origin; };
  if (std::ranges::none_of(logs_, is_its)) return refusal(404, "that log is not known here");
  if (const auto checked = check_signed(posted->note, *shown, logs_); !checked) {
    return refusal(checked.error().code == Code::denied ? 403 : 400, checked.error().what);
  }
  if (posted->old_size > shown->size) {
    return refusal(400, "the checkpoint is smaller than what it is said to have grown from");
  }
  const auto known = seen_.find(shown->origin);
  const Checkpoint last =
      known == seen_.end() ? Checkpoint{shown->origin, 0, empty_root()} : known->second.checkpoint;
  if (posted->old_size != last.size) {
    return {.answer = {.status = 409,
                       .content_type = "text/x.tlog.size",
                       .body = std::to_string(last.size) + "\n"},
            .witnessed = std::nullopt};
  }
  if (shown->size == 0 && shown->root != empty_root()) {
    return refusal(422, "the root of an empty tree is another one");
  }
  if (!verify_consistency(last.size, shown->size, posted->proof, last.root, shown->root)) {
    return refusal(422, "the log has not grown from what was cosigned last");
  }
  const std::string line = cosign(text_of(posted->note), name_, signer, now);
  Witnessed witnessed{.checkpoint = *shown, .note = add_signatures(posted->note, line)};
  seen_[shown->origin] = witnessed;
  return {.answer = {.status = 200, .content_type = "text/plain; charset=utf-8", .body = line},
          .witnessed = std::move(witnessed)};
}

Result<void> WitnessBook::write(db::Database& database, const Witnessed& witnessed) {
  return database.run(
      "INSERT INTO witness_log (origin, note) VALUES ($1, $2)"
      " ON CONFLICT (origin) DO UPDATE SET note = excluded.note",
      {std::string_view(witnessed.checkpoint.origin), std::string_view(witnessed.note)});
}

std::optional<std::string> WitnessBook::last_note(std::string_view origin_hash) const {
  for (const auto& [origin, witnessed] : seen_) {
    if (crypto::to_hex(crypto::sha256(origin)) == origin_hash) return witnessed.note;
  }
  return std::nullopt;
}

}  // namespace mailwarden::ledger
