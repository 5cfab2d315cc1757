#include "ledger/note.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "json/base64.h"
#include "ledger/note_parts.h"

namespace mailwarden::ledger {
namespace {

std::string hex_of(std::string_view bytes) {
  return crypto::to_hex(crypto::as_bytes(bytes));
}

bool is_name(std::string_view name) {
  return !name.empty() && is_utf8(name) && std::ranges::none_of(name, [](char c) {
    return c == '+' || c == ' ' || static_cast<unsigned char>(c) < 0x20;
  });
}

Result<SignatureLine> parse_signature_line(std::string_view line) {
  if (!line.starts_with(signature_mark)) {
    return fail(Code::invalid, "a signature line does not begin with '— '");
  }
  line.remove_prefix(signature_mark.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || !is_name(line.substr(0, space))) {
    return fail(Code::invalid, "a signature line has no name");
  }
  auto bytes = json::from_base64(line.substr(space + 1));
  if (!bytes || bytes->size() <= key_id_bytes) {
    return fail(Code::invalid, "a signature line has no signature in base64");
  }
  return SignatureLine{.name = std::string(line.substr(0, space)), .bytes = *std::move(bytes)};
}

}  // namespace

std::optional<crypto::Digest> read_hash(std::string_view base64) {
  crypto::Digest hash{};
  const auto bytes = json::from_base64(base64);
  if (!bytes || bytes->size() != hash.size()) return std::nullopt;
  std::ranges::copy(crypto::as_bytes(*bytes), hash.begin());
  return hash;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string key_id(const NamedKey& key, char type) {
  std::string text = key.name + "\n" + type;
  text += as_text(key.key);
  const crypto::Digest digest = crypto::sha256(text);
  return std::string(as_text(digest).substr(0, key_id_bytes));
}

std::string key_text(const NamedKey& key, char type) {
  return key.name + "+" + hex_of(key_id(key, type)) + "+" +
         json::to_base64(type + std::string(as_text(key.key)));
}

Result<NamedKey> parse_key(std::string_view text, char type) {
  // The base64 may itself hold a plus, the name may not.
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  NamedKey key;
  const auto bytes = second == std::string_view::npos
                         ? Result<std::string>(fail(Code::invalid, "no key"))
                         : json::from_base64(text.substr(second + 1));
  if (!bytes || bytes->size() != key.key.size() + 1 || bytes->front() != type ||
      !is_name(text.substr(0, first))) {
    return fail(Code::invalid, "'" + printable(text.substr(0, 100)) +
                                   "' is not a verifier key like NAME+0a1b2c3d+BASE64");
  }
  key.name = text.substr(0, first);
  std::ranges::copy(crypto::as_bytes(std::string_view(*bytes).substr(1)), key.key.begin());
  if (text.substr(first + 1, second - first - 1) != hex_of(key_id(key, type))) {
    return fail(Code::invalid, "the verifier key of '" + key.name + "' has a wrong key id");
  }
  return key;
}

std::string signature_line(const NamedKey& key, char type, std::string_view signature) {
  return std::string(signature_mark) + key.name + " " +
         json::to_base64(key_id(key, type) + std::string(signature)) + "\n";
}

Result<Note> parse_note(std::string_view note) {
  if (note.size() > note_bytes_max) return fail(Code::full, "a note of more than a megabyte");
  const bool controls = std::ranges::any_of(
      note, [](char c) { return c != '\n' && static_cast<unsigned char>(c) < 0x20; });
  if (!is_utf8(note) || controls) return fail(Code::invalid, "a note must be plain UTF-8 text");
  const std::size_t blank = note.rfind("\n\n");
  if (blank == std::string_view::npos || !note.ends_with('\n')) {
    return fail(Code::invalid, "a note must end with a blank line and signature lines");
  }
  Note parsed{.text = std::string(note.substr(0, blank + 1)), .signatures = {}};
  const std::string_view lines = note.substr(blank + 2, note.size() - blank - 3);
  for (const std::string_view line : split(lines, '\n')) {
    auto signature = parse_signature_line(line);
    if (!signature) return std::unexpected(signature.error());
    parsed.signatures.push_back(*std::move(signature));
  }
  if (parsed.signatures.size() > signatures_max) {
    return fail(Code::full, "a note with more than 100 signatures");
  }
  return parsed;
}

std::string to_text(const VerifierKey& key) {
  return key_text({key.name, key.key}, ed25519_type);
}

Result<VerifierKey> parse_verifier_key(std::string_view text) {
  auto key = parse_key(text, ed25519_type);
  if (!key) return std::unexpected(key.error());
  return VerifierKey{.name = std::move(key->name), .key = key->key};
}

std::string sign_note(const std::string& text, const std::string& name,
                      const crypto::Signer& signer) {
  return text + "\n" + sign_line(text, name, signer);
}

std::string sign_line(const std::string& text, const std::string& name,
                      const crypto::Signer& signer) {
  const crypto::Signature signature = signer.sign(text);
  return signature_line({name, signer.public_key()}, ed25519_type, as_text(signature));
}

Result<std::string> open_note(std::string_view note, const VerifierKey& key) {
  auto parsed = parse_note(note);
  if (!parsed) return std::unexpected(parsed.error());
  const std::string id = key_id({key.name, key.key}, ed25519_type);
  for (const SignatureLine& line : parsed->signatures) {
    if (line.name != key.name || !line.bytes.starts_with(id)) continue;
    crypto::Signature signature{};
    const std::string_view bytes = std::string_view(line.bytes).substr(key_id_bytes);
    if (bytes.size() != signature.size()) return fail(Code::denied, "the signature is cut short");
    std::ranges::copy(crypto::as_bytes(bytes), signature.begin());
    if (!crypto::verify(key.key, parsed->text, signature)) {
      return fail(Code::denied, "the signature of '" + key.name + "' is wrong");
    }
    return std::move(parsed->text);
  }
  return fail(Code::denied, "it is not signed by the key " + to_text(key));
}

std::string to_text(const Checkpoint& checkpoint) {
  return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
         json::to_base64(as_text(checkpoint.root)) + "\n";
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  const auto lines = split(text, '\n');
  if (lines.size() < 4 || lines[0].empty()) {
    return fail(Code::invalid, "a checkpoint has the lines origin, size and root");
  }
  const auto size = to_integer(lines[1]);
  if (!size || *size < 0 || std::to_string(*size) != lines[1]) {
    return fail(Code::invalid, "the checkpoint's size '" + printable(lines[1].substr(0, 30)) +
                                   "' is not a decimal number");
  }
  Checkpoint checkpoint{.origin = std::string(lines[0]), .size = static_cast<std::uint64_t>(*size)};
  const auto root = read_hash(lines[2]);
  if (!root) return fail(Code::invalid, "the checkpoint's root is not 32 bytes in base64");
  checkpoint.root = *root;
  return checkpoint;
}

Result<Checkpoint> open_checkpoint(std::string_view note, const VerifierKey& key) {
  const auto text = open_note(note, key);
  if (!text) return std::unexpected(text.error());
  auto checkpoint = parse_checkpoint(*text);
  if (checkpoint && checkpoint->origin != key.name) {
    return fail(Code::denied,
                "it is of the log '" + checkpoint->origin + "', not of '" + key.name + "'");
  }
  return checkpoint;
}

Result<OpenedCheckpoint> open_checkpoint(std::string_view note, std::span<const VerifierKey> keys) {
  CHECK(!keys.empty());
  if (keys.size() == 1) {
    auto opened = open_checkpoint(note, keys[0]);
    if (!opened) return std::unexpected(opened.error());
    return OpenedCheckpoint{.checkpoint = *std::move(opened), .signers = {keys[0]}};
  }
  const auto parsed = parse_note(note);
  if (!parsed) return std::unexpected(parsed.error());
  auto checkpoint = parse_checkpoint(parsed->text);
  if (!checkpoint) return std::unexpected(checkpoint.error());
  OpenedCheckpoint opened{.checkpoint = *std::move(checkpoint), .signers = {}};
  std::string names;
  for (const VerifierKey& key : keys) {
    names += (names.empty() ? "" : ", ") + to_text(key);
    if (key.name != opened.checkpoint.origin) continue;
    const std::string id = key_id({key.name, key.key}, ed25519_type);
    if (std::ranges::none_of(parsed->signatures, [&](const SignatureLine& line) {
          return line.name == key.name && line.bytes.starts_with(id);
        })) {
      continue;
    }
    if (const auto text = open_note(note, key); !text) return std::unexpected(text.error());
    opened.signers.push_back(key);
  }
  if (opened.signers.empty()) {
    return fail(Code::denied, "it is signed by none of the keys " + names);
  }
  return opened;
}

}  // namespace mailwarden::ledger
