// A sealed value: an envelope that says which keys open it, and opens in one place alone.
//
// What     A Sealer seals a value for its place (table, column, row) under one or several data keys
//          and opens it again. All of the keys are needed, so that without any one of them the
//          value is lost. Every envelope has a key of its own, derived from the data keys, and
//          commits to it: no bytes open as two values under two keys.
//
//          Format 1, all numbers big-endian:
//             1  format: 1
//             1  number n of keys, 1 to keys_max
//          12 n  of each key its id (8) and its version (4), ids ascending
//            16  salt, random
//            12  nonce, random
//            32  commitment
//             …  ciphertext, as long as the value
//            16  tag
//          Format 2, of a value that is sealed for a recipient whose private share is away, begins
//             1  format: 2
//             4  version of the recipient's share
//            32  ephemeral share
//          and goes on with the salt. Its one data key is what the shares agree on (agreement.h).
//
//          HKDF-SHA256 of the data keys, in the order of their ids, with the salt as salt and as
//          info "mailwarden envelope" and all that stands before the salt, gives 64 bytes: the key
//          for AES-256-GCM and the commitment. Associated data is the envelope up to the
//          ciphertext, then table, column and row, each behind its length (4).
// Owns     A Sealer owns its cipher's context, which keeps no key.
// Threads  One thread a Sealer. parse_envelope() is pure.
// Errors   corrupt: no envelope; changed; of another place; or sealed under another key than the
//          one of that name.
// Limits   keys_max keys, value_bytes_max a value.
// Source   NIST SP 800-38D; RFC 5869; the commitment after AWS Encryption SDK's message format 2.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/entropy.h"
#include "crypto/aes.h"
#include "crypto/agreement.h"

namespace mailwarden::crypto {

struct KeyName {
  std::uint64_t id = 0;
  std::uint32_t version = 0;

  auto operator<=>(const KeyName&) const = default;
};

struct NamedKey {
  KeyName name;
  KeyView key;
};

// Where a value stands. Tables and columns are names of ours, a row is whatever names it.
struct Place {
  std::string_view table;
  std::string_view column;
  std::string_view row;
};

// Who can open an envelope of format 2.
struct Recipient {
  std::uint32_t version = 0;
  Share ephemeral{};
};

// The parts of an envelope; views into it.
struct Envelope {
  std::variant<std::vector<KeyName>, Recipient> keys;
  Piece header;  // up to the ciphertext
  Piece names;   // up to the salt
  Piece salt;
  Piece nonce;
  Piece commitment;
  Piece sealed;  // ciphertext and tag
};

Result<Envelope> parse_envelope(Piece bytes);

class Sealer {
 public:
  static constexpr std::size_t keys_max = 16;
  static constexpr std::size_t value_bytes_max = std::size_t{64} * 1024 * 1024;

  explicit Sealer(Entropy& entropy) : entropy_(entropy) {}

  // The keys in ascending order of their ids, no id twice; a value of at most value_bytes_max.
  Bytes seal(const Place& place, std::span<const NamedKey> keys, std::string_view value);
  Bytes seal_for(const Place& place, const Recipient& recipient, KeyView agreed,
                 std::string_view value);

  // `keys` are those that the envelope names, in its order; for format 2 the agreed one.
  Result<std::string> open(const Place& place, std::span<const KeyView> keys,
                           const Envelope& envelope);

 private:
  Bytes finish(const Place& place, Bytes names, std::span<const KeyView> keys,
               std::string_view value);

  Entropy& entropy_;
  Gcm gcm_;
};

}  // namespace mailwarden::crypto
