// Personal fields, sealed for all whom they name.
//
// What     db::Sealing over a Vault: the subjects of a value are the mail addresses in it
//          (vault/subjects.h); a value that names nobody is sealed under the store key. The text is
//          "sealed:1:" and then the envelope in base64. A value that names more than an envelope
//          has keys for is cut into pieces, each sealed for whom it names; their envelopes stand
//          one behind the other with '.' between them, and the row that piece 2 of 3 is sealed for
//          is the value's row and "#2/3", so that none can be left out, moved or mixed with those
//          of another value.
// Owns     Nothing.
// Threads  Any.
// Errors   As Sealing: not_found as soon as any piece is. index() needs the key-encryption key to
//          have been there since the book was opened.
// Limits   The Vault's, for a piece. seal_for() cuts into pieces of piece_bytes.
// Source   docs/encryption.md.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "db/sealing.h"
#include "vault/subjects.h"
#include "vault/vault.h"

namespace mailwarden::vault {

class FieldSealing final : public db::Sealing {
 public:
  static constexpr std::size_t piece_bytes = std::size_t{16} * 1024 * 1024;

  explicit FieldSealing(Vault& vault) : vault_(vault) {}

  Result<void> expect(std::span<const std::string_view> values) override;
  Result<std::string> seal(const db::FieldPlace& place, std::string_view value) override;
  Result<std::string> seal_for(std::string_view subject, const db::FieldPlace& place,
                               std::string_view value) override;
  Result<std::string> open(const db::FieldPlace& place, std::string_view sealed) override;
  Result<std::string> index(std::string_view table, std::string_view column,
                            std::string_view value) override;

 private:
  Result<std::string> seal_parts(const db::FieldPlace& place, std::span<const NamingPart> parts);

  Vault& vault_;
};

// The envelopes of a text that seal() made; corrupt where it is no such text.
Result<std::vector<crypto::Bytes>> read_sealed(std::string_view text);
std::string sealed_text(std::span<const crypto::Bytes> envelopes);
// The row that a piece, counted from 0, is sealed for.
std::string piece_row(std::string_view row, std::size_t piece, std::size_t pieces);

}  // namespace mailwarden::vault
