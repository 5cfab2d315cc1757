// A client or relay as Postfix writes it: "mail.example.com[192.0.2.1]:25".
//
// What     What a client sends (addresses, HELO, commands) stands behind its address in every line,
//          so the address is read from the left. The host's name in front of it comes from DNS and
//          was checked by Postfix to be one.
// Owns     Nothing; views point into their argument.
// Threads  Pure.
// Errors   Nothing where the text has another shape.
// Limits   None.
#pragma once

#include <optional>
#include <string_view>

#include "event/event.h"

namespace mailwarden::ingest {

struct Client {
  std::string_view host;
  std::string_view address;
  int port = 0;
};

// "mail.example.com[192.0.2.1]", "unknown[2001:db8::1]:4711", "[192.0.2.1]:4711"
std::optional<Client> take_client(std::string_view& text);
void add_client(Event& event, const Client& client);

// "from=<a@example.com>" or "from=<a@example.com>,": the text between the angles.
std::string_view angled(std::string_view text, std::string_view name);

}  // namespace mailwarden::ingest
