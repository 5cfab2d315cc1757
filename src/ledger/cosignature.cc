#include "ledger/cosignature.h"

#include <algorithm>
#include <optional>

#include "crypto/sha256.h"
#include "ledger/note_parts.h"

namespace mailwarden::ledger {
namespace {

constexpr std::size_t time_bytes = 8;
constexpr std::int64_t second = 1'000'000;

std::string message(std::int64_t seconds, const std::string& text) {
  return "cosignature/v1\ntime " + std::to_string(seconds) + "\n" + text;
}

std::string time_text(std::int64_t seconds) {
  std::string bytes(time_bytes, '\0');
  for (std::size_t i = time_bytes; i-- > 0; seconds >>= 8) {
    bytes[i] = static_cast<char>(seconds & 0xff);
  }
  return bytes;
}

// Nothing where it is no time that can be.
std::optional<std::int64_t> read_time(std::string_view bytes) {
  std::uint64_t seconds = 0;
  for (const char byte : bytes) seconds = seconds << 8 | static_cast<unsigned char>(byte);
  if (seconds > static_cast<std::uint64_t>(Timestamp::latest.us / second)) return std::nullopt;
  return static_cast<std::int64_t>(seconds);
}

}  // namespace

std::string to_text(const WitnessKey& key) {
  return key_text({key.name, key.key}, cosignature_type);
}

Result<WitnessKey> parse_witness_key(std::string_view text) {
  auto key = parse_key(text, cosignature_type);
  if (!key) return std::unexpected(key.error());
  return WitnessKey{.name = std::move(key->name), .key = key->key};
}

std::string cosign(const std::string& text, const std::string& name, const crypto::Signer& signer,
                   Timestamp now) {
  const std::int64_t seconds = now.us / second;
  const crypto::Signature signature = signer.sign(message(seconds, text));
  return signature_line({name, signer.public_key()}, cosignature_type,
                        time_text(seconds) + std::string(as_text(signature)));
}

Result<Cosignature> find_cosignature(std::string_view note, const WitnessKey& key) {
  const auto parsed = parse_note(note);
  if (!parsed) return std::unexpected(parsed.error());
  const NamedKey named{key.name, key.key};
  const std::string id = key_id(named, cosignature_type);
  for (const SignatureLine& line : parsed->signatures) {
    if (line.name != key.name || !line.bytes.starts_with(id)) continue;
    const std::string_view bytes = std::string_view(line.bytes).substr(key_id_bytes);
    crypto::Signature signature{};
    const bool has_length = bytes.size() == time_bytes + signature.size();
    const auto seconds = has_length ? read_time(bytes.substr(0, time_bytes)) : std::nullopt;
    if (!seconds) return fail(Code::denied, "the cosignature of '" + key.name + "' is none");
    std::ranges::copy(crypto::as_bytes(bytes.substr(time_bytes)), signature.begin());
    if (!crypto::verify(key.key, message(*seconds, parsed->text), signature)) {
      return fail(Code::denied, "the cosignature of '" + key.name + "' is wrong");
    }
    return Cosignature{.line = signature_line(named, cosignature_type, bytes),
                       .time = {*seconds * second}};
  }
  return fail(Code::denied, "it is not cosigned by " + to_text(key));
}

std::string add_signatures(std::string note, std::string_view lines) {
  return note.append(lines);
}

}  // namespace mailwarden::ledger
