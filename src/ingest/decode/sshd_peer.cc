#include "ingest/decode/sshd_peer.h"

#include "ingest/decode/scan.h"

namespace mailwarden::ingest {

std::optional<Peer> to_peer(std::string_view text) {
  Peer peer;
  peer.address = take_word(text);
  // Only an address or one word that can be a host's name.
  if (peer.address.empty()) return std::nullopt;
  if (text.empty()) return peer;
  if (!skip(text, "port ")) return std::nullopt;
  peer.port = to_port(text);
  if (!is_digits(text)) return std::nullopt;
  return peer;
}

std::optional<Peer> cut_peer(std::string_view& text, std::string_view mark) {
  const std::size_t at = text.rfind(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const auto peer = to_peer(text.substr(at + mark.size()));
  if (peer) text = text.substr(0, at);
  return peer;
}

std::optional<Peer> cut_peer_after_name(std::string_view& text) {
  const std::size_t port = text.rfind(" port ");
  if (port == std::string_view::npos) return std::nullopt;
  const std::size_t space = text.substr(0, port).rfind(' ');
  const std::size_t begin = space == std::string_view::npos ? 0 : space + 1;
  const auto peer = to_peer(text.substr(begin));
  if (peer) text = text.substr(0, begin == 0 ? 0 : begin - 1);
  return peer;
}

namespace {

// What stands behind "ssh2: " of a key: "ED25519 SHA256:…" or "RSA-CERT SHA256:… ID … CA …".
bool is_key(std::string_view text) {
  const std::string_view type = take_word(text);
  const std::string_view print = take_word(text);
  const bool hashed = print.starts_with("SHA256:") || print.starts_with("MD5:");
  if (type.empty() || !hashed) return false;
  if (text.empty()) return true;
  return type.ends_with("-CERT") && text.starts_with("ID ") && text.find(") CA ") != text.npos;
}

}  // namespace

std::optional<Attempt> split_attempt(std::string_view text) {
  Attempt attempt{.name = text, .peer = {}, .key = {}, .ambiguous = false};
  std::string_view plain = text;
  if (cut(plain, " ssh2") || cut(plain, " ssh1")) {
    attempt.peer = cut_peer(plain, " from ");
    attempt.name = plain;
    if (attempt.peer) return attempt;
  }
  std::size_t places = 0;
  for (std::size_t at = text.find(" from "); at != text.npos; at = text.find(" from ", at + 1)) {
    std::string_view rest = text.substr(at + 6);
    const auto peer = take_until(rest, " ssh2: ");
    const auto found = peer ? to_peer(*peer) : std::nullopt;
    if (!found || !is_key(rest)) continue;
    ++places;
    attempt = {.name = text.substr(0, at), .peer = found, .key = rest, .ambiguous = places > 1};
  }
  if (places == 0) return std::nullopt;
  if (places > 1) attempt.peer.reset();
  return attempt;
}

}  // namespace mailwarden::ingest
