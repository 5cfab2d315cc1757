#include "identity/snapshot_source.h"

#include <algorithm>
#include <memory>
#include <set>

#include "base/files.h"
#include "base/text.h"
#include "identity/address.h"
#include "identity/mistakes.h"

namespace mailwarden::identity {
namespace {

// As many as the API gives at once.
constexpr const char* users_a_page = "500";
constexpr const char* groups_a_page = "200";

// What may stand in a path without being encoded, and cannot lead elsewhere.
bool is_plain_id(std::string_view id) {
  return !id.empty() && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
  });
}

}  // namespace

Fetch http_fetch(const net::ClientOptions& options) {
  return [client = std::make_shared<net::Client>(options)](const net::HttpCall& call) {
    return client->request(call);
  };
}

Result<HttpDirectory> HttpDirectory::make(const HttpDirectoryOptions& options, Fetch fetch) {
  if (!is_trusted_address(options.address) || options.address.contains('?')) {
    return fail(Code::invalid, shown(options.address) +
                                   " is not https://HOST/PATH, which a directory must come from");
  }
  if (options.token_file.empty()) {
    return fail(Code::invalid, "a directory needs a file with an access token");
  }
  return HttpDirectory(options, std::move(fetch));
}

Result<std::string> HttpDirectory::read_token() const {
  const auto text = read_whole_file(options_.token_file, options_.token_bytes_max);
  if (!text) return std::unexpected(text.error());
  const std::string_view token = trim(*text);
  const bool good =
      !token.empty() && std::ranges::all_of(token, [](char c) { return c > 0x20 && c < 0x7F; });
  if (good) return std::string(token);
  return fail(Code::invalid, options_.token_file + ": it does not hold one access token");
}

Result<std::string> HttpDirectory::ask(const std::string& path, const Query& query) {
  if (++requests_ > options_.requests_max) {
    return fail(Code::full, "more than " + std::to_string(options_.requests_max) +
                                " requests for one snapshot");
  }
  const auto token = read_token();
  if (!token) return std::unexpected(token.error());
  const std::string url = options_.address + path;
  auto answer =
      fetch_({.url = url,
              .query = query,
              .headers = {{"Accept", "application/json"}, {"Authorization", "Bearer " + *token}}});
  if (!answer) return fail(url, answer.error());
  if (answer->status == 200) return std::move(answer->body);
  const bool refused = answer->status == 401 || answer->status == 403;
  return fail(refused ? Code::denied : Code::unavailable,
              url + ": answer " + std::to_string(answer->status));
}

Result<void> HttpDirectory::take_list(DirectoryReader& reader, const std::string& path,
                                      const Query& query, const std::string& group) {
  std::set<std::string> seen;
  Query page = query;
  while (true) {
    const auto body = ask(path, page);
    if (!body) return std::unexpected(body.error());
    const std::string next = reader.add(*body, group);
    if (next.empty() || reader.is_spoiled()) return {};
    if (!seen.insert(next).second) {
      return fail(Code::invalid,
                  options_.address + path + ": a page names one as the next that came before");
    }
    page = query;
    page.emplace_back("pageToken", next);
  }
}

Result<DirectorySnapshot> HttpDirectory::take(Timestamp now) {
  requests_ = 0;
  DirectoryReader reader(options_.limits);
  const Query users{
      {"customer", options_.customer}, {"maxResults", users_a_page}, {"projection", "full"}};
  if (auto taken = take_list(reader, "/users", users, ""); !taken) {
    return std::unexpected(taken.error());
  }
  if (options_.groups && !reader.is_spoiled()) {
    const Query groups{{"customer", options_.customer}, {"maxResults", groups_a_page}};
    if (auto taken = take_list(reader, "/groups", groups, ""); !taken) {
      return std::unexpected(taken.error());
    }
  }
  std::set<std::string> ids;  // one group may be on two pages
  for (const Group& group : reader.groups()) ids.insert(group.key.id);
  for (const std::string& id : ids) {
    if (reader.is_spoiled()) break;
    if (!is_plain_id(id)) {
      return fail(Code::invalid, "group " + shown(id) + ": its id is not of letters and digits");
    }
    const Query members{{"maxResults", groups_a_page}};
    if (auto taken = take_list(reader, "/groups/" + id + "/members", members, id); !taken) {
      return std::unexpected(taken.error());
    }
  }
  auto snapshot = reader.finish(options_.source, now);
  if (!snapshot) return fail(options_.address, snapshot.error());
  if (!snapshot->all_accounts || snapshot->all_groups != options_.groups) {
    return fail(Code::invalid, options_.address + ": its answers are not the lists asked for");
  }
  return snapshot;
}

}  // namespace mailwarden::identity
