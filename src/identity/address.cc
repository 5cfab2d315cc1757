#include "identity/address.h"

#include <string_view>

namespace mailwarden::identity {
namespace {

bool is_here(std::string_view host) {
  for (const std::string_view name : {"127.0.0.1", "localhost", "[::1]"}) {
    if (!host.starts_with(name)) continue;
    const std::string_view rest = host.substr(name.size());
    if (rest.empty() || rest.front() == ':' || rest.front() == '/') return true;
  }
  return false;
}

}  // namespace

bool is_trusted_address(const std::string& url) {
  constexpr std::string_view plain = "http://";
  constexpr std::string_view secure = "https://";
  if (url.contains('@')) return false;
  return url.starts_with(plain) ? is_here(std::string_view(url).substr(plain.size()))
                                : url.starts_with(secure) && url.size() > secure.size();
}

}  // namespace mailwarden::identity
