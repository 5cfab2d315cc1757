#include "ledger/witness.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "json/base64.h"

namespace mailwarden::ledger {
namespace {

constexpr std::string_view size_type = "text/x.tlog.size";

Result<std::string> body_of(std::uint64_t seen, const std::string& checkpoint, TreeReader& tree) {
  const auto proof = tree.consistency_proof(seen);
  if (!proof) return std::unexpected(proof.error());
  std::string body = "old " + std::to_string(seen) + "\n";
  for (const Digest& hash : *proof) {
    body += json::to_base64({reinterpret_cast<const char*>(hash.data()), hash.size()}) + "\n";
  }
  return body + "\n" + checkpoint;
}

std::unexpected<Error> forked(const WitnessKey& witness, const std::string& what) {
  return fail(Code::conflict, "the witness " + witness.name + " " + what +
                                  ": one of the two has been set back or forked");
}

std::unexpected<Error> refused(const WitnessKey& witness, const WitnessAnswer& answer) {
  const std::string said = "the witness " + witness.name + " answered " +
                           std::to_string(answer.status) + ": " +
                           printable(std::string_view(answer.body).substr(0, 200));
  if (answer.status == 422) return forked(witness, "finds that this log did not grow (422)");
  return fail(answer.status == 403 || answer.status == 404 ? Code::denied : Code::unavailable,
              said);
}

// Nothing but signature lines: a blank line would move the end of the text that they sign.
bool is_signatures(std::string_view body) {
  while (!body.empty()) {
    const std::size_t end = body.find('\n');
    if (end == std::string_view::npos || !body.starts_with("\xE2\x80\x94 ")) return false;
    body.remove_prefix(end + 1);
  }
  return true;
}

// The size that the witness has seen, of a 409.
std::optional<std::uint64_t> size_in(const WitnessAnswer& answer) {
  if (answer.status != 409 || answer.content_type != size_type) return std::nullopt;
  const auto size = to_integer(trim(answer.body));
  return size && *size >= 0 ? std::optional(static_cast<std::uint64_t>(*size)) : std::nullopt;
}

}  // namespace

Result<Cosignature> ask_witness(const WitnessQuestion& question, TreeReader& tree,
                                const PostCheckpoint& post) {
  const WitnessKey& witness = question.witness;
  std::uint64_t seen = std::min(question.seen, tree.size());
  for (const bool is_last : {false, true}) {
    const auto body = body_of(seen, question.checkpoint, tree);
    if (!body) return std::unexpected(body.error());
    const auto answer = post(*body);
    if (!answer) return std::unexpected(answer.error());
    if (answer->status == 200) {
      if (!is_signatures(answer->body)) {
        return fail(Code::denied, "the witness " + witness.name + " answered with no signatures");
      }
      return find_cosignature(add_signatures(question.checkpoint, answer->body), witness);
    }
    const auto size = size_in(*answer);
    // Without a size, or with the one that it was just asked from, it has seen another tree of it.
    if (answer->status == 409 && (!size || (is_last && *size == seen))) {
      return forked(witness, "has seen another log of this size (409)");
    }
    if (is_last || !size) return refused(witness, *answer);
    if (*size > tree.size()) {
      return forked(witness, "has seen " + std::to_string(*size) +
                                 " entries of this log, which has " + std::to_string(tree.size()));
    }
    seen = *size;
  }
  return fail(Code::unavailable, "the witness " + witness.name + " does not say what it has seen");
}

}  // namespace mailwarden::ledger
