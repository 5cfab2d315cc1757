// What signed notes are made of. Not for other modules.
//
// What     A note's text and signature lines; ids and texts of keys of any type of signature.
// Owns     Its content.
// Threads  Pure.
// Errors   As note.h.
// Limits   As note.h.
// Source   C2SP signed-note v1.0.0.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/ed25519.h"
#include "crypto/sha256.h"

namespace mailwarden::ledger {

// Types of signatures; the key's type is one with that of the signatures that it makes.
inline constexpr char ed25519_type = 1;
inline constexpr char cosignature_type = 4;

inline constexpr std::size_t key_id_bytes = 4;
inline constexpr std::string_view signature_mark = "\xE2\x80\x94 ";  // an em dash and a space

struct SignatureLine {
  std::string name;
  std::string bytes;  // key id and signature
};

struct Note {
  std::string text;
  std::vector<SignatureLine> signatures;
};

struct NamedKey {
  std::string name;
  crypto::PublicKey key{};
};

std::string_view as_text(std::span<const std::byte> bytes);
// Nothing where it is not 32 bytes in base64.
std::optional<crypto::Digest> read_hash(std::string_view base64);
std::string key_id(const NamedKey& key, char type);
std::string key_text(const NamedKey& key, char type);
Result<NamedKey> parse_key(std::string_view text, char type);
std::string signature_line(const NamedKey& key, char type, std::string_view signature);
Result<Note> parse_note(std::string_view note);

}  // namespace mailwarden::ledger
