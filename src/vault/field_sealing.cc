#include "vault/field_sealing.h"

#include <unordered_set>

#include "base/text.h"
#include "crypto/sha256.h"
#include "json/base64.h"

namespace mailwarden::vault {
namespace {

constexpr std::string_view form = "sealed:1:";
static_assert(form.starts_with(db::sealed_mark));

std::string text_of(const db::FieldPlace& place) {
  return std::string(place.table) + "." + std::string(place.column) + " of row '" +
         std::string(place.row) + "'";
}

std::vector<std::string_view> views(const std::vector<std::string>& names) {
  return {names.begin(), names.end()};
}

}  // namespace

std::string piece_row(std::string_view row, std::size_t piece, std::size_t pieces) {
  if (pieces == 1) return std::string(row);
  return std::string(row) + "#" + std::to_string(piece + 1) + "/" + std::to_string(pieces);
}

std::string sealed_text(std::span<const crypto::Bytes> envelopes) {
  std::string text(form);
  for (const crypto::Bytes& envelope : envelopes) {
    if (text.size() > form.size()) text += '.';
    text += json::to_base64(crypto::as_text(envelope));
  }
  return text;
}

Result<std::vector<crypto::Bytes>> read_sealed(std::string_view text) {
  if (!text.starts_with(form)) {
    return fail(Code::corrupt, "no sealed text of a form that is known here");
  }
  std::vector<crypto::Bytes> envelopes;
  for (const std::string_view piece : split(text.substr(form.size()), '.')) {
    const auto envelope = json::from_base64(piece);
    if (!envelope) return fail(Code::corrupt, "a piece of the sealed text is not base64");
    const auto bytes = crypto::as_bytes(*envelope);
    envelopes.emplace_back(bytes.begin(), bytes.end());
  }
  return envelopes;
}

Result<void> FieldSealing::expect(std::span<const std::string_view> values) {
  std::unordered_set<std::string> named;
  for (const std::string_view value : values) {
    for (std::string& subject : subjects_of(value)) named.insert(std::move(subject));
  }
  const std::vector<std::string_view> subjects(named.begin(), named.end());
  return vault_.know(subjects);
}

Result<std::string> FieldSealing::seal(const db::FieldPlace& place, std::string_view value) {
  return seal_parts(place, parts_of(value, crypto::Sealer::keys_max));
}

Result<std::string> FieldSealing::seal_for(std::string_view subject, const db::FieldPlace& place,
                                           std::string_view value) {
  std::vector<NamingPart> parts;
  do {
    parts.push_back({value.substr(0, piece_bytes), {std::string(subject)}});
    value.remove_prefix(parts.back().text.size());
  } while (!value.empty());
  return seal_parts(place, parts);
}

Result<std::string> FieldSealing::seal_parts(const db::FieldPlace& place,
                                             std::span<const NamingPart> parts) {
  std::vector<crypto::Bytes> envelopes;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string row = piece_row(place.row, i, parts.size());
    auto sealed = vault_.seal({.table = place.table, .column = place.column, .row = row},
                              views(parts[i].subjects), parts[i].text);
    if (!sealed) return std::unexpected(sealed.error());
    envelopes.push_back(*std::move(sealed));
  }
  return sealed_text(envelopes);
}

Result<std::string> FieldSealing::open(const db::FieldPlace& place, std::string_view sealed) {
  const auto envelopes = read_sealed(sealed);
  if (!envelopes) return fail(text_of(place), envelopes.error());
  const std::size_t pieces = envelopes->size();
  const auto open_piece = [&](std::size_t i) {
    const std::string row = piece_row(place.row, i, pieces);
    return vault_.open({.table = place.table, .column = place.column, .row = row}, (*envelopes)[i]);
  };
  if (pieces == 1) return open_piece(0);
  std::string value;
  // An envelope is longer than what it holds, so that no copy is left behind as the value grows.
  value.reserve(sealed.size());
  std::optional<Error> failed;
  for (std::size_t i = 0; i < pieces; ++i) {
    auto piece = open_piece(i);
    if (piece) {
      const crypto::WipeAtEnd wiping(std::as_writable_bytes(std::span(*piece)));
      value += *piece;
    } else if (!failed || piece.error().code == Code::not_found) {
      // That it is lost for ever says more than that another piece cannot be opened now.
      failed = piece.error();
      if (failed->code == Code::not_found) break;
    }
  }
  if (!failed) return value;
  crypto::wipe(std::as_writable_bytes(std::span(value)));
  return std::unexpected(*std::move(failed));
}

Result<std::string> FieldSealing::index(std::string_view table, std::string_view column,
                                        std::string_view value) {
  const auto bytes = vault_.index({.table = table, .column = column}, value);
  if (!bytes) return std::unexpected(bytes.error());
  return crypto::to_hex(*bytes);
}

}  // namespace mailwarden::vault
