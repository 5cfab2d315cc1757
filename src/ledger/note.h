// Signed notes and checkpoints of the transparency-log world.
//
// What     A note is a text, a blank line and signature lines; a checkpoint is a note whose text is
//          an origin, a tree size and a root. A verifier key ("vkey") names a public key in one
//          line.
// Owns     Nothing.
// Threads  Pure.
// Errors   Error{invalid}: not a note, not a checkpoint, not a verifier key, each saying what is
//          wrong. Error{denied}: no signature of the given key, or a wrong one.
// Limits   note_bytes_max, signatures_max.
// Source   C2SP signed-note v1.0.0 (Ed25519, type 0x01) and tlog-checkpoint v1.0.0.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "crypto/ed25519.h"
#include "crypto/sha256.h"

namespace mailwarden::ledger {

inline constexpr std::size_t note_bytes_max = 1'000'000;
inline constexpr std::size_t signatures_max = 100;

struct VerifierKey {
  std::string name;
  crypto::PublicKey key{};

  bool operator==(const VerifierKey&) const = default;
};

// "name+0a1b2c3d+BASE64".
std::string to_text(const VerifierKey& key);
Result<VerifierKey> parse_verifier_key(std::string_view text);

// `text` ends with a line feed. The name is the origin of the log.
std::string sign_note(const std::string& text, const std::string& name,
                      const crypto::Signer& signer);
// The signature line alone, to be put under a note that is signed already.
std::string sign_line(const std::string& text, const std::string& name,
                      const crypto::Signer& signer);
// The text of a note that the key signed. Signatures of other keys are ignored, as the note's
// specification asks.
Result<std::string> open_note(std::string_view note, const VerifierKey& key);

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  crypto::Digest root{};

  bool operator==(const Checkpoint&) const = default;
};

std::string to_text(const Checkpoint& checkpoint);  // the note's text, unsigned
Result<Checkpoint> parse_checkpoint(std::string_view text);
// Both at once: signed by the key, and of the key's origin.
Result<Checkpoint> open_checkpoint(std::string_view note, const VerifierKey& key);

// The same for whoever believes several keys, of one origin or of several: one of them at least
// must have signed, and none of them wrongly.
struct OpenedCheckpoint {
  Checkpoint checkpoint;
  std::vector<VerifierKey> signers;  // in the order of `keys`
};
Result<OpenedCheckpoint> open_checkpoint(std::string_view note, std::span<const VerifierKey> keys);

}  // namespace mailwarden::ledger
