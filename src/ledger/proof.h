// A proof that stands alone: that data is in a log, as of a signed checkpoint.
//
// What     A Proof is a file .tlog-proof: where the entry stands, the hashes from its leaf to the
//          root, the checkpoint, and data of ours beside it (`extra`), which proves nothing by
//          itself. check_proof() holds the data's leaf against all of it.
// Owns     Its content.
// Threads  Values; every function is pure.
// Errors   parse_proof(): invalid, full. check_proof(): denied, with the sentence about what does
//          not hold.
// Limits   proof_bytes_max; hashes_max hashes.
// Source   C2SP tlog-proof.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

namespace mailwarden::ledger {

struct Proof {
  static constexpr std::size_t proof_bytes_max = 16 * 1024 * 1024;
  static constexpr std::size_t hashes_max = 63;

  std::string extra;  // "" for none
  std::uint64_t index = 0;
  std::vector<Digest> hashes;  // from the leaf's sibling to the root's child
  std::string checkpoint;      // the note

  bool operator==(const Proof&) const = default;
};

std::string to_text(const Proof& proof);
Result<Proof> parse_proof(std::string_view text);

// The checkpoint that the proof rests on, signed by that key.
Result<Checkpoint> check_proof(const Proof& proof, const Digest& leaf, const VerifierKey& key);

}  // namespace mailwarden::ledger
