#include "crypto/envelope.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/secret.h"

namespace mailwarden::crypto {
namespace {

constexpr std::byte format_named{1};
constexpr std::byte format_agreed{2};
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t commitment_bytes = 32;
constexpr std::size_t behind_names = salt_bytes + nonce_bytes + commitment_bytes;
constexpr std::size_t name_bytes = 12;
constexpr std::string_view purpose = "mailwarden envelope";

template <class Number>
void put(Bytes& out, Number number) {
  for (int shift = static_cast<int>(sizeof(Number)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::byte>(number >> shift));
  }
}

template <class Number>
Number number_at(Piece bytes) {
  Number number = 0;
  for (const std::byte byte : bytes.first(sizeof(Number))) {
    number = static_cast<Number>(number << 8 | std::to_integer<Number>(byte));
  }
  return number;
}

// The place behind the lengths of its parts, so that no two places have the same bytes.
Bytes place_bytes(const Place& place) {
  Bytes out;
  out.reserve(12 + place.table.size() + place.column.size() + place.row.size());
  for (const std::string_view part : {place.table, place.column, place.row}) {
    CHECK(part.size() <= UINT32_MAX);
    put(out, static_cast<std::uint32_t>(part.size()));
    const Piece bytes = as_bytes(part);
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

// The envelope's own key, and what commits to it.
struct ValueKey {
  std::array<std::byte, key_bytes + commitment_bytes> bytes{};
  WipeAtEnd wiping{bytes};

  ValueKey(std::span<const KeyView> keys, Piece names, Piece salt) {
    CHECK(!keys.empty() && keys.size() <= Sealer::keys_max);
    std::array<Piece, Sealer::keys_max> pieces;
    std::ranges::copy(keys, pieces.begin());
    Bytes info;
    info.reserve(purpose.size() + names.size());
    const Piece label = as_bytes(purpose);
    info.insert(info.end(), label.begin(), label.end());
    info.insert(info.end(), names.begin(), names.end());
    hkdf_sha256(std::span(pieces).first(keys.size()), salt, info, bytes);
  }
  KeyView key() const { return std::span(bytes).first<key_bytes>(); }
  Piece commitment() const { return std::span(bytes).subspan(key_bytes); }
};

Nonce to_nonce(Piece bytes) {
  Nonce nonce;
  std::ranges::copy(bytes, nonce.begin());
  return nonce;
}

std::unexpected<Error> not_an_envelope(const char* why) {
  return fail(Code::corrupt, std::string("not a sealed value: ") + why);
}

// The names in front of `bytes`, and how long they are.
Result<std::size_t> read_names(Piece bytes, Envelope& envelope) {
  if (bytes.size() < 2) return not_an_envelope("it is cut short");
  if (bytes[0] == format_agreed) {
    constexpr std::size_t length = 1 + 4 + sizeof(Share);
    if (bytes.size() < length) return not_an_envelope("it is cut short");
    Recipient recipient{.version = number_at<std::uint32_t>(bytes.subspan(1))};
    std::ranges::copy(bytes.subspan(5, sizeof(Share)), recipient.ephemeral.begin());
    envelope.keys = recipient;
    return length;
  }
  if (bytes[0] != format_named) return not_an_envelope("its format is none that is known here");
  const auto count = std::to_integer<std::size_t>(bytes[1]);
  if (count == 0 || count > Sealer::keys_max) return not_an_envelope("its number of keys");
  const std::size_t length = 2 + count * name_bytes;
  if (bytes.size() < length) return not_an_envelope("it is cut short");
  std::vector<KeyName> names;
  for (std::size_t at = 2; at < length; at += name_bytes) {
    const KeyName name{number_at<std::uint64_t>(bytes.subspan(at)),
                       number_at<std::uint32_t>(bytes.subspan(at + 8))};
    if (!names.empty() && names.back().id >= name.id) return not_an_envelope("its order of keys");
    names.push_back(name);
  }
  envelope.keys = std::move(names);
  return length;
}

std::string text_of(const Place& place) {
  return std::string(place.table) + "." + std::string(place.column) + " of row '" +
         std::string(place.row) + "'";
}

}  // namespace

Result<Envelope> parse_envelope(Piece bytes) {
  Envelope envelope;
  const auto names = read_names(bytes, envelope);
  if (!names) return std::unexpected(names.error());
  const std::size_t header = *names + behind_names;
  if (bytes.size() < header + Gcm::tag_bytes) return not_an_envelope("it is cut short");
  if (bytes.size() - header > Sealer::value_bytes_max + Gcm::tag_bytes) {
    return not_an_envelope("it is too long");
  }
  envelope.header = bytes.first(header);
  envelope.names = bytes.first(*names);
  envelope.salt = bytes.subspan(*names, salt_bytes);
  envelope.nonce = bytes.subspan(*names + salt_bytes, nonce_bytes);
  envelope.commitment = envelope.header.last(commitment_bytes);
  envelope.sealed = bytes.subspan(header);
  return envelope;
}

Bytes Sealer::seal(const Place& place, std::span<const NamedKey> keys, std::string_view value) {
  CHECK(!keys.empty() && keys.size() <= keys_max);
  Bytes names;
  names.reserve(2 + keys.size() * name_bytes + behind_names + value.size() + Gcm::tag_bytes);
  names.push_back(format_named);
  names.push_back(static_cast<std::byte>(keys.size()));
  std::vector<KeyView> views;
  for (const NamedKey& key : keys) {
    CHECK(views.empty() || keys[views.size() - 1].name.id < key.name.id);
    put(names, key.name.id);
    put(names, key.name.version);
    views.push_back(key.key);
  }
  return finish(place, std::move(names), views, value);
}

Bytes Sealer::seal_for(const Place& place, const Recipient& recipient, KeyView agreed,
                       std::string_view value) {
  Bytes names;
  names.push_back(format_agreed);
  put(names, recipient.version);
  names.insert(names.end(), recipient.ephemeral.begin(), recipient.ephemeral.end());
  const std::array<KeyView, 1> keys{agreed};
  return finish(place, std::move(names), keys, value);
}

Bytes Sealer::finish(const Place& place, Bytes names, std::span<const KeyView> keys,
                     std::string_view value) {
  CHECK(value.size() <= value_bytes_max);
  const std::size_t length = names.size();
  Bytes out = std::move(names);
  out.resize(length + behind_names + value.size() + Gcm::tag_bytes);
  const std::span<std::byte> whole(out);
  const std::span<std::byte> random = whole.subspan(length, salt_bytes + nonce_bytes);
  entropy_.fill(random, "envelope");
  const ValueKey value_key(keys, whole.first(length), random.first(salt_bytes));
  std::ranges::copy(value_key.commitment(),
                    whole.subspan(length + salt_bytes + nonce_bytes).begin());
  const Bytes where = place_bytes(place);
  const std::array<Piece, 2> associated{whole.first(length + behind_names), where};
  gcm_.seal(value_key.key(), to_nonce(random.subspan(salt_bytes)), associated, as_bytes(value),
            whole.subspan(length + behind_names));
  return out;
}

Result<std::string> Sealer::open(const Place& place, std::span<const KeyView> keys,
                                 const Envelope& envelope) {
  const ValueKey value_key(keys, envelope.names, envelope.salt);
  if (!equal_secretly(value_key.commitment(), envelope.commitment)) {
    return fail(Code::corrupt, text_of(place) +
                                   ": sealed under another key than the one it names, or the "
                                   "names of its keys have been changed");
  }
  std::string value(envelope.sealed.size() - Gcm::tag_bytes, '\0');
  const Bytes where = place_bytes(place);
  const std::array<Piece, 2> associated{envelope.header, where};
  const auto opened = gcm_.open(value_key.key(), to_nonce(envelope.nonce), associated,
                                envelope.sealed, std::as_writable_bytes(std::span(value)));
  if (opened) return value;
  return fail(Code::corrupt,
              text_of(place) + ": the sealed value has been changed, or moved from another place");
}

}  // namespace mailwarden::crypto
