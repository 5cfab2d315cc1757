#include "net/http_target.h"

#include <boost/asio/ip/address_v4.hpp>

#include "base/text.h"

namespace mailwarden::net {
namespace {

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> query;
  if (text.empty()) return query;
  for (const std::string_view pair : split(text, '&')) {
    const std::size_t equals = pair.find('=');
    query.emplace_back(percent_decode(pair.substr(0, equals), true),
                       equals == std::string_view::npos
                           ? std::string()
                           : percent_decode(pair.substr(equals + 1), true));
  }
  return query;
}

}  // namespace

Target parse_target(std::string_view target) {
  // An absolute form names the host again, which the Host header has told.
  const std::size_t scheme = target.starts_with('/') ? std::string_view::npos : target.find("://");
  if (scheme != std::string_view::npos) {
    const std::size_t path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  const std::size_t question = target.find('?');
  Target parsed{.path = percent_decode(target.substr(0, question), false), .query = {}};
  if (question != std::string_view::npos) parsed.query = parse_query(target.substr(question + 1));
  return parsed;
}

bool is_loopback_name(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  const std::size_t colon = host.find(':', bracketed ? host.find(']') : 0);
  const std::string name(host.substr(0, colon));
  if (name == "[::1]" || equal_ignoring_case(name, "localhost")) return true;
  // A name that only begins like an address is somebody's name (DNS rebinding).
  boost::system::error_code failed;
  const auto address = boost::asio::ip::make_address_v4(name, failed);
  return !failed && address.is_loopback();
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace mailwarden::net
