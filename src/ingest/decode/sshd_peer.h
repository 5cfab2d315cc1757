// Who stands at the other end of an sshd message.
//
// What     An address and port, found from the message's end: a name that somebody tries to sign in
//          with may hold anything, also " from 192.0.2.1 port 22 ssh2".
// Owns     Nothing; views point into their argument.
// Threads  Pure.
// Errors   Nothing where the text has another shape.
// Limits   None.
#pragma once

#include <optional>
#include <string_view>

namespace mailwarden::ingest {

struct Peer {
  std::string_view address;
  int port = 0;
};

// "192.0.2.1 port 22" or "192.0.2.1" as the whole text.
std::optional<Peer> to_peer(std::string_view text);
// A peer at the end of `text`, which keeps what stood before `mark`.
std::optional<Peer> cut_peer(std::string_view& text, std::string_view mark);
// "alice 192.0.2.1 port 22": a name, then a peer at the end.
std::optional<Peer> cut_peer_after_name(std::string_view& text);

struct Attempt {
  std::string_view name;
  std::optional<Peer> peer;
  std::string_view key;
  bool ambiguous = false;
};

// "NAME from ADDRESS port N ssh2" and, for keys, ": KEY" behind it. Both NAME and a certificate's
// ID are chosen by the other side. Without a key the message ends with the true address. With one,
// a place counts only when a whole key follows it; where several do, no address is told rather than
// a false one.
std::optional<Attempt> split_attempt(std::string_view text);

}  // namespace mailwarden::ingest
