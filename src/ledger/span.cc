#include "ledger/span.h"

#include <algorithm>

#include "base/check.h"

namespace mailwarden::ledger {
namespace {

// For each step from the root to the leaf `index`, whether the neighbour is on the left.
std::vector<bool> sides_of(std::uint64_t size, std::uint64_t index) {
  std::vector<bool> sides;
  while (size > 1) {
    const std::uint64_t split = split_of(size);
    sides.push_back(index >= split);
    if (index >= split) {
      index -= split;
      size -= split;
    } else {
      size = split;
    }
  }
  return sides;
}

class Spanned {
 public:
  Spanned(std::uint64_t first, std::span<const Digest> leaves, std::span<const Digest> around)
      : first_(first), leaves_(leaves), around_(around) {}

  Digest root(std::uint64_t begin, std::uint64_t end) {
    const std::uint64_t last = first_ + leaves_.size();
    if (end <= first_ || begin >= last) return next();
    if (begin >= first_ && end <= last) {
      return root_of(leaves_.subspan(begin - first_, end - begin));
    }
    const std::uint64_t split = begin + split_of(end - begin);
    const Digest left = root(begin, split);
    return node_hash(left, root(split, end));
  }
  bool fits() const { return fits_ && around_.empty(); }

 private:
  Digest next() {
    if (around_.empty()) {
      fits_ = false;
      return {};
    }
    const Digest hash = around_.front();
    around_ = around_.subspan(1);
    return hash;
  }

  std::uint64_t first_;
  std::span<const Digest> leaves_;
  std::span<const Digest> around_;
  bool fits_ = true;
};

}  // namespace

Result<std::vector<Digest>> span_proof(TreeReader& tree, std::uint64_t first, std::uint64_t end) {
  CHECK(first < end && end <= tree.size());
  const auto to_first = tree.inclusion_proof(first);
  if (!to_first) return std::unexpected(to_first.error());
  const auto to_last = tree.inclusion_proof(end - 1);
  if (!to_last) return std::unexpected(to_last.error());
  // A proof stands from the leaf to the root. What is on the left of the first leaf's path is met
  // from the root downwards, what is on the right of the last one's on the way back.
  std::vector<Digest> around;
  const std::vector<bool> first_sides = sides_of(tree.size(), first);
  const std::vector<bool> last_sides = sides_of(tree.size(), end - 1);
  CHECK(first_sides.size() == to_first->size() && last_sides.size() == to_last->size());
  for (std::size_t depth = 0; depth < first_sides.size(); ++depth) {
    if (first_sides[depth]) around.push_back((*to_first)[first_sides.size() - 1 - depth]);
  }
  for (std::size_t height = 0; height < last_sides.size(); ++height) {
    if (!last_sides[last_sides.size() - 1 - height]) around.push_back((*to_last)[height]);
  }
  return around;
}

Result<Digest> span_root(std::uint64_t size, std::uint64_t first, std::span<const Digest> leaves,
                         std::span<const Digest> around) {
  if (leaves.empty() || first > size || leaves.size() > size - first) {
    return fail(Code::invalid, "the run of entries is not one of the tree's");
  }
  Spanned spanned(first, leaves, around);
  const Digest root = spanned.root(0, size);
  if (!spanned.fits()) return fail(Code::invalid, "the hashes around the entries do not fit");
  return root;
}

}  // namespace mailwarden::ledger
