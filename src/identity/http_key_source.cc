#include "identity/http_key_source.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "identity/address.h"
#include "json/value.h"

namespace mailwarden::identity {
namespace {

constexpr std::int64_t seconds_max = 366LL * 24 * 3600;

Result<void> check_address(const std::string& url) {
  if (is_trusted_address(url)) return {};
  return fail(
      Code::invalid,
      "'" + printable(url) + "' is not https://HOST/PATH, which an issuer's keys must come from");
}

Result<net::HttpAnswer> get(net::Client& client, const std::string& url) {
  auto answer = client.request({.url = url, .headers = {{"Accept", "application/json"}}});
  if (answer && answer->status != 200) {
    return fail(Code::unavailable, url + ": answer " + std::to_string(answer->status));
  }
  return answer;
}

Result<KeyDocument> fetch_keys(net::Client& client, const std::string& url) {
  auto answer = get(client, url);
  if (!answer) return std::unexpected(answer.error());
  const auto fresh = fresh_for(net::header(*answer, "cache-control"), net::header(*answer, "age"));
  return KeyDocument{.text = std::move(answer->body), .fresh_for = fresh};
}

Result<std::string> discover(net::Client& client, const std::string& issuer) {
  const std::string url =
      issuer + (issuer.ends_with('/') ? "" : "/") + ".well-known/openid-configuration";
  const auto answer = get(client, url);
  if (!answer) return std::unexpected(answer.error());
  const auto document = json::parse(answer->body);
  if (!document) return fail(url, document.error());
  if (document->text("issuer") != issuer) {
    return fail(Code::invalid, url + ": it is the document of another issuer");
  }
  std::string keys = document->text("jwks_uri");
  if (auto good = check_address(keys); !good) return fail(url, good.error());
  return keys;
}

// A number of seconds, which may stand in quotes; nothing where it is none.
std::optional<std::int64_t> seconds_of(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) {
    text = text.substr(1, text.size() - 2);
  }
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  return std::min(to_integer(text).value_or(seconds_max), seconds_max);
}

}  // namespace

std::optional<Duration> fresh_for(std::string_view cache_control, std::string_view age) {
  std::optional<std::int64_t> fresh;
  for (const std::string_view part : split(cache_control, ',')) {
    const std::string_view directive = trim(part);
    const std::size_t equals = directive.find('=');
    const std::string_view name = trim(directive.substr(0, equals));
    if (equal_ignoring_case(name, "no-store") || equal_ignoring_case(name, "no-cache")) {
      return Duration::zero();
    }
    if (!equal_ignoring_case(name, "max-age")) continue;
    const auto seconds =
        equals == directive.npos ? std::nullopt : seconds_of(directive.substr(equals + 1));
    // Said twice, the shorter counts.
    fresh = std::min(fresh.value_or(seconds_max), seconds.value_or(0));
  }
  if (!fresh) return std::nullopt;
  const std::int64_t old = trim(age).empty() ? 0 : seconds_of(age).value_or(seconds_max);
  return std::chrono::seconds(std::max<std::int64_t>(*fresh - old, 0));
}

Result<KeySource> http_key_source(const std::string& url, const HttpKeySourceOptions& options) {
  if (auto good = check_address(url); !good) return std::unexpected(good.error());
  auto client = std::make_shared<net::Client>(options.client);
  return [client, url] { return fetch_keys(*client, url); };
}

Result<KeySource> discovered_key_source(const std::string& issuer,
                                        const HttpKeySourceOptions& options) {
  if (auto good = check_address(issuer); !good) return std::unexpected(good.error());
  auto client = std::make_shared<net::Client>(options.client);
  return [client, issuer]() -> Result<KeyDocument> {
    const auto url = discover(*client, issuer);
    if (!url) return std::unexpected(url.error());
    return fetch_keys(*client, *url);
  };
}

}  // namespace mailwarden::identity
