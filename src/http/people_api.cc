#include "http/people_api.h"

#include <algorithm>

#include "http/answers.h"
#include "identity/entity_facts.h"
#include "identity/fact_json.h"

namespace mailwarden::http {
namespace {

using identity::Account;
using identity::PeopleBook;
using net::Request;
using net::Response;

constexpr std::string_view people_path = "/api/v1/people";
constexpr std::int64_t page_max = 1000;

std::string key_text(const identity::DirectoryKey& key) {
  return key.provider + ":" + key.id;
}

identity::DirectoryKey key_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  return {std::string(text.substr(0, colon)),
          colon == std::string_view::npos ? "" : std::string(text.substr(colon + 1))};
}

// What the record's text says, as JSON again.
template <class Record>
json::Value facts_of(const Record& record) {
  return json::parse(identity::to_text(record)).value_or(json::Value());
}

void add_known(json::Object& made, const PeopleBook& book, const Account& account, Timestamp now) {
  const identity::EntityNames names{.provider = account.key.provider,
                                    .user_id = identity::EntityNames::Id::directory};
  auto known = identity::user_entity(book, account.key, names, now);
  if (!known) return;
  made["known"] = std::move(known->entity["attrs"]);
  made["known_until"] = to_rfc3339(known->until);
  json::Array groups;
  for (const json::Value& parent : *known->entity["parents"].as_array()) {
    groups.push_back(parent["id"]);
  }
  made["groups"] = std::move(groups);
  json::Object sources;
  for (const auto& [source, time] : known->origins) sources[source] = to_rfc3339(time);
  made["sources"] = std::move(sources);
}

json::Object heading_of(const Account& account) {
  json::Object made{{"account", key_text(account.key)}};
  if (account.email) made["email"] = account.email->value;
  if (account.name) made["name"] = account.name->value;
  return made;
}

// Of any age; the one that has the address now, or an alias.
const Account* account_of(const PeopleBook& book, const std::string& address) {
  const Account* by_alias = nullptr;
  for (const auto& [key, account] : book.records().accounts) {
    if (account.email && account.email->value == address) return &account;
    const bool has_alias = account.aliases && std::ranges::find(account.aliases->value, address) !=
                                                  account.aliases->value.end();
    if (has_alias) by_alias = &account;
  }
  return by_alias;
}

}  // namespace

Result<json::Value> list_people(const PeopleBook& book, std::string_view after, std::size_t limit,
                                std::optional<Timestamp> now) {
  const auto& accounts = book.records().accounts;
  auto it = after.empty() ? accounts.begin() : accounts.upper_bound(key_of(after));
  json::Array list;
  json::Object answer;
  for (; it != accounts.end() && list.size() < limit; ++it) {
    json::Object made = heading_of(it->second);
    if (now) add_known(made, book, it->second, *now);
    list.emplace_back(std::move(made));
  }
  if (it != accounts.end() && !list.empty()) answer["next"] = list.back()["account"];
  answer["people"] = std::move(list);
  answer["conflicts"] = json::Array(book.conflicts().begin(), book.conflicts().end());
  return json::Value(std::move(answer));
}

Result<json::Value> show_person(const PeopleBook& book, std::string_view address,
                                std::optional<Timestamp> now) {
  const auto email = identity::normal_email(address);
  if (!email) return fail(Code::invalid, "that is no e-mail address");
  const Account* const account = account_of(book, *email);
  if (account == nullptr) return fail(Code::not_found, "no source tells of an account " + *email);
  json::Object answer = heading_of(*account);
  answer["facts"] = facts_of(*account);
  if (now) add_known(answer, book, *account, *now);
  for (const auto& [key, person] : book.records().people) {
    const bool is_theirs = (account->person && account->person->value == person.id) ||
                           (person.emails && std::ranges::find(person.emails->value, *email) !=
                                                 person.emails->value.end());
    if (is_theirs) {
      answer["person"] = json::Object{{"id", person.id}, {"facts", facts_of(person)}};
    }
  }
  return json::Value(std::move(answer));
}

PeopleApi::PeopleApi(PeopleApiParts parts) : parts_(std::move(parts)) {}

Response PeopleApi::answer(const Request& request) const {
  if (request.path == people_path) return list(request);
  const std::string_view name = std::string_view(request.path).substr(people_path.size() + 1);
  if (request.method == "GET") return show(name);
  if (!request.local) return trouble(403, "people are told of through the UNIX socket alone");
  return take(request, name);
}

Response PeopleApi::list(const Request& request) const {
  const auto limit = number_parameter(request, "limit");
  if (!limit) return trouble(limit.error());
  const auto count =
      static_cast<std::size_t>(std::clamp<std::int64_t>(limit->value_or(100), 1, page_max));
  const std::string after(request.parameter("after"));
  const auto found = parts_.look([&, now = parts_.clock.now()](const PeopleBook& book) {
    return list_people(book, after, count, now);
  });
  return found ? json_response(200, *found) : trouble(found.error());
}

Response PeopleApi::show(std::string_view address) const {
  const std::string name(address);
  const auto found = parts_.look([&, now = parts_.clock.now()](const PeopleBook& book) {
    return show_person(book, name, now);
  });
  return found ? json_response(200, *found) : trouble(found.error());
}

Response PeopleApi::take(const Request& request, std::string_view source) const {
  const auto known =
      std::ranges::find(parts_.sources, source, &identity::PeopleSourceOptions::name);
  if (known == parts_.sources.end()) {
    return trouble(404,
                   "no source of people is configured by that name; add --people "
                   "personnel,name=NAME or google,name=NAME");
  }
  std::optional<Timestamp> as_of;
  if (const std::string_view text = request.parameter("as_of"); !text.empty()) {
    const auto time = parse_rfc3339(text);
    if (!time) return trouble(400, "'as_of': " + time.error().what);
    as_of = *time;
  }
  const auto told = identity::read_told(known->teller, request.body, known->name, as_of);
  if (!told) return trouble(told.error());
  const auto changes = parts_.take(*told);
  if (!changes) return trouble(changes.error());
  return json_response(200, json::Object{{"changes", *changes}, {"source", known->name}});
}

}  // namespace mailwarden::http
