// Asking a witness to cosign checkpoints.
//
// What     ask_witness() shows a witness a checkpoint with the proof that the log has grown from
//          what the witness saw last, and gives the cosignature. What the witness saw last is
//          remembered by the caller; where that is not known the witness says it.
// Owns     Nothing.
// Threads  Pure but for the function that posts and the tree.
// Errors   Those of the function that posts and of the tree. conflict: the witness has seen what
//          this log cannot have grown from, so that one of the two has been set back or forked;
//          denied: it does not know the log, or its answer is not signed by its key; unavailable:
//          any other answer.
// Limits   Two requests.
// Source   C2SP tlog-witness, add-checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "ledger/cosignature.h"
#include "ledger/tree_reader.h"

namespace mailwarden::ledger {

struct WitnessAnswer {
  unsigned status = 0;
  std::string content_type;
  std::string body;
};
// Posts a body to the witness's add-checkpoint.
using PostCheckpoint = std::function<Result<WitnessAnswer>(const std::string& body)>;

struct WitnessQuestion {
  const WitnessKey& witness;
  std::string checkpoint;  // the signed note
  std::uint64_t seen = 0;  // by the witness, as far as it is known
};

// `tree` is of the checkpoint's size.
Result<Cosignature> ask_witness(const WitnessQuestion& question, TreeReader& tree,
                                const PostCheckpoint& post);

}  // namespace mailwarden::ledger
