// Proof that a run of entries stands in a log, all at once.
//
// What     span_proof() gives the hashes of the tree around the entries `first` to `end` - 1;
//          span_root() computes the root of the whole tree from the leaves of the run and these.
//          A run of n leaves needs at most 2 · log2(size) hashes besides, where n inclusion proofs
//          would need n times that many.
// Owns     Nothing.
// Threads  As the TreeReader passed in; span_root() is pure.
// Errors   Those of the TreeReader. span_root(): invalid where the hashes are too few or too many.
// Limits   None of its own; leaves are held in memory.
// Source   RFC 6962 section 2.1: the root that is computed is the one of that definition. The
//          hashes stand from left to right.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "ledger/merkle.h"
#include "ledger/tree_reader.h"

namespace mailwarden::ledger {

// first < end <= the tree's size.
Result<std::vector<Digest>> span_proof(TreeReader& tree, std::uint64_t first, std::uint64_t end);

Result<Digest> span_root(std::uint64_t size, std::uint64_t first, std::span<const Digest> leaves,
                         std::span<const Digest> around);

}  // namespace mailwarden::ledger
