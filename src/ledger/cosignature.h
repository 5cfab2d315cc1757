// What witnesses say of checkpoints.
//
// What     A witness signs, with the time, that a log has grown from what it saw before and nothing
//          else. cosign() makes such a signature line; find_cosignature() looks for that of one
//          witness on a note. add_signatures() puts lines under a note.
// Owns     Nothing.
// Threads  Pure.
// Errors   denied: no signature of that witness, or a wrong one; invalid: no note, no key.
// Limits   As note.h.
// Source   C2SP tlog-cosignature v1.0.1 (Ed25519, type 0x04).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/timestamp.h"
#include "crypto/ed25519.h"

namespace mailwarden::ledger {

struct WitnessKey {
  std::string name;
  crypto::PublicKey key{};

  bool operator==(const WitnessKey&) const = default;
};
std::string to_text(const WitnessKey& key);
Result<WitnessKey> parse_witness_key(std::string_view text);

// `text` is the note's, with its last line feed; seconds of `now` count.
std::string cosign(const std::string& text, const std::string& name, const crypto::Signer& signer,
                   Timestamp now);

// The line as it stands there, and when it was made.
struct Cosignature {
  std::string line;
  Timestamp time;
};
Result<Cosignature> find_cosignature(std::string_view note, const WitnessKey& key);

std::string add_signatures(std::string note, std::string_view lines);

}  // namespace mailwarden::ledger
