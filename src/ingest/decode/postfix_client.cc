#include "ingest/decode/postfix_client.h"

#include "ingest/decode/draft.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {

std::optional<Client> take_client(std::string_view& text) {
  const std::size_t open = text.find('[');
  const std::size_t close = open == text.npos ? open : text.find(']', open);
  if (close == text.npos || text.substr(0, open).find(' ') != text.npos) return std::nullopt;
  Client client{
      .host = text.substr(0, open), .address = text.substr(open + 1, close - open - 1), .port = 0};
  std::string_view rest = text.substr(close + 1);
  std::string_view port = rest;
  if (skip(port, ":") && !port.empty() && port.front() >= '0' && port.front() <= '9') {
    const auto number = take_number(port);
    if (number && *number <= 65535) client.port = *number;
    if (number) rest = port;
  }
  text = rest;
  return client;
}

void add_client(Event& event, const Client& client) {
  set_source(event, client.address, client.port);
  if (client.host != "unknown") add(event, "src_host", client.host);
}

std::string_view angled(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    if (at > 0 && text[at - 1] != ' ') continue;
    const std::string_view value = text.substr(at + name.size());
    for (const std::string_view end : {"> ", ">,"}) {
      if (const std::size_t stop = value.find(end); stop != value.npos)
        return value.substr(0, stop);
    }
    return value.substr(0, value.rfind('>'));
  }
  return {};
}

}  // namespace mailwarden::ingest
