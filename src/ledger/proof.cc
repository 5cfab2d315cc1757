#include "ledger/proof.h"

#include <optional>

#include "base/text.h"
#include "json/base64.h"
#include "ledger/note_parts.h"

namespace mailwarden::ledger {
namespace {

constexpr std::string_view heading = "c2sp.org/tlog-proof@v1";
constexpr std::string_view extra_word = "extra ";
constexpr std::string_view index_word = "index ";

// The next line without its end; nothing where there is none.
std::optional<std::string_view> take_whole_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::unexpected<Error> wrong(const std::string& what) {
  return fail(Code::invalid, "this is no proof of a transparency log: " + what);
}

Result<std::uint64_t> read_index(std::string_view line) {
  const auto index =
      line.starts_with(index_word) ? to_integer(line.substr(index_word.size())) : std::nullopt;
  const bool is_plain =
      index && *index >= 0 && std::to_string(*index) == line.substr(index_word.size());
  if (!is_plain) return wrong("it has no line 'index N'");
  return static_cast<std::uint64_t>(*index);
}

}  // namespace

std::string to_text(const Proof& proof) {
  std::string text(heading);
  text += "\n";
  if (!proof.extra.empty()) text += std::string(extra_word) + json::to_base64(proof.extra) + "\n";
  text += std::string(index_word) + std::to_string(proof.index) + "\n";
  for (const Digest& hash : proof.hashes) {
    text += json::to_base64({reinterpret_cast<const char*>(hash.data()), hash.size()}) + "\n";
  }
  return text + "\n" + proof.checkpoint;
}

Result<Proof> parse_proof(std::string_view text) {
  if (text.size() > Proof::proof_bytes_max) {
    return fail(Code::full,
                "a proof of more than " + std::to_string(Proof::proof_bytes_max) + " bytes");
  }
  Proof proof;
  if (take_whole_line(text) != heading) {
    return wrong("it does not begin with " + std::string(heading));
  }
  auto line = take_whole_line(text);
  if (line && line->starts_with(extra_word)) {
    auto extra = json::from_base64(line->substr(extra_word.size()));
    if (!extra || extra->empty()) return wrong("its line 'extra' is not base64");
    proof.extra = *std::move(extra);
    line = take_whole_line(text);
  }
  const auto index = read_index(line.value_or(""));
  if (!index) return std::unexpected(index.error());
  proof.index = *index;
  while (true) {
    line = take_whole_line(text);
    if (!line) return wrong("it ends before its checkpoint");
    if (line->empty()) break;
    const auto hash = read_hash(*line);
    if (!hash) return wrong("a hash is not 32 bytes in base64");
    if (proof.hashes.size() == Proof::hashes_max) return wrong("it has too many hashes");
    proof.hashes.push_back(*hash);
  }
  proof.checkpoint = text;
  return proof;
}

Result<Checkpoint> check_proof(const Proof& proof, const Digest& leaf, const VerifierKey& key) {
  const auto checkpoint = open_checkpoint(proof.checkpoint, key);
  if (!checkpoint) return fail("the proof's checkpoint", checkpoint.error());
  if (!verify_inclusion(leaf, proof.index, checkpoint->size, proof.hashes, checkpoint->root)) {
    return fail(Code::denied, "what it is about is not entry " + std::to_string(proof.index) +
                                  " of the log '" + checkpoint->origin + "' at size " +
                                  std::to_string(checkpoint->size));
  }
  return checkpoint;
}

}  // namespace mailwarden::ledger
