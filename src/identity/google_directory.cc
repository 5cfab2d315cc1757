#include "identity/google_directory.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "identity/json_fields.h"
#include "identity/object_texts.h"
#include "identity/person_fields.h"

namespace mailwarden::identity {
namespace {

// Of a page; beyond the limits it is told as too much and not as a mistake.
constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();
constexpr std::size_t list_max = 1000;  // relations, organizations and the like of one user

// Until finish() knows the source and the time.
template <class T>
MaybeFact<T> fact(std::optional<T> value) {
  if (!value) return std::nullopt;
  return Fact<T>{.value = *std::move(value)};
}

template <class Record>
void stamp(Record& record, const Origin& origin) {
  each_field<Record>([&](const auto& field) {
    if (auto& told = record.*field.member) {
      told->source = origin.source;
      told->time = origin.time;
    }
  });
}

std::string name_of(const json::Value& record, std::string_view kind, std::size_t number) {
  const std::string id = record.text("id");
  return std::string(kind) + " " + (id.empty() ? std::to_string(number) : shown(id));
}

// The "value" of the one object of that "type"; nothing where there are several.
std::optional<std::string> only_of_type(const json::Array* objects, std::string_view type,
                                        const std::string& where, Mistakes& mistakes,
                                        std::size_t text_bytes_max) {
  std::optional<std::string> only;
  if (objects == nullptr) return only;
  std::size_t found = 0;
  for (const json::Value& object : *objects) {
    if (object.text("type") != type || ++found > 1) continue;
    only = JsonFields(object, where, mistakes, text_bytes_max).text("value");
  }
  return found > 1 ? std::nullopt : only;
}

const json::Value* main_organization(const json::Array* organizations) {
  if (organizations == nullptr) return nullptr;
  if (organizations->size() == 1) return &organizations->front();
  const json::Value* main = nullptr;
  for (const json::Value& one : *organizations) {
    const bool* const primary = one["primary"].as_bool();
    if (primary == nullptr || !*primary) continue;
    if (main != nullptr) return nullptr;
    main = &one;
  }
  return main;
}

std::vector<std::string> all_aliases(JsonFields& fields, std::size_t aliases_max, bool& told) {
  std::vector<std::string> all;
  for (const char* const name : {"aliases", "nonEditableAliases"}) {
    auto some = fields.emails(name, aliases_max);
    told = told || some;
    for (std::string& alias : some.value_or(std::vector<std::string>())) {
      if (std::ranges::find(all, alias) == all.end()) all.push_back(std::move(alias));
    }
  }
  return all;
}

void read_standing(Account& account, JsonFields& fields) {
  account.suspended = fact(fields.truth("suspended"));
  account.suspension_reason = fact(fields.text("suspensionReason"));
  account.archived = fact(fields.truth("archived"));
  // A list without deleted users does not say of the others that they are not.
  if (fields.time("deletionTime")) account.deleted = Fact<bool>{.value = true};
  account.admin = fact(fields.truth("isAdmin"));
  account.delegated_admin = fact(fields.truth("isDelegatedAdmin"));
  account.second_factor_enrolled = fact(fields.truth("isEnrolledIn2Sv"));
  account.second_factor_enforced = fact(fields.truth("isEnforcedIn2Sv"));
  if (const auto at = fields.time("lastLoginTime")) {
    account.last_sign_in = Fact<std::optional<Timestamp>>{};
    if (at->us != 0) account.last_sign_in->value = *at;
  }
}

// What a directory says of the person behind an account.
void read_person(Account& account, const json::Value& user, const std::string& where,
                 JsonFields& fields, Mistakes& mistakes, std::size_t text_bytes_max) {
  const auto only = [&](std::string_view list, std::string_view type) {
    return only_of_type(fields.objects(list, list_max), type, where, mistakes, text_bytes_max);
  };
  account.person = fact(only("externalIds", "organization"));
  const auto manager = only("relations", "manager");
  // It may be any name; as the name of an account it is an address.
  if (manager) account.manager = fact(normal_email(*manager));
  if (const auto* const main = main_organization(fields.objects("organizations", list_max))) {
    JsonFields organization(*main, where, mistakes, text_bytes_max);
    account.role = fact(organization.text("title"));
    account.department = fact(organization.text("department"));
  }
  const json::Value& name = user["name"];
  if (name.is_null()) return;
  if (name.as_object() == nullptr) return fields.wrong("name", "is not an object");
  account.name = fact(JsonFields(name, where, mistakes, text_bytes_max).text("fullName"));
}

// A kind that is not known here is that of somebody outside.
MemberKind member_kind(std::string_view type) {
  constexpr std::array kinds{
      std::pair{std::string_view("USER"), MemberKind::user},
      std::pair{std::string_view("GROUP"), MemberKind::group},
      std::pair{std::string_view("CUSTOMER"), MemberKind::customer},
  };
  for (const auto& [name, kind] : kinds) {
    if (name == type) return kind;
  }
  return MemberKind::other;
}

Member read_member(JsonFields fields) {
  Member member;
  member.kind = member_kind(fields.text("type").value_or("USER"));
  member.id = fields.text("id").value_or("");
  // Outside members may be told without an id, a customer without an address.
  member.email = fields.email("email").value_or("");
  if (member.id.empty() && member.email.empty()) fields.wrong("id", "is missing");
  return member;
}

}  // namespace

void DirectoryReader::go_on(List& list, bool is_new, JsonFields& fields) {
  if (!is_new && !list.goes_on) {
    mistakes_.add(here(), "it goes on with " + list.name + ", of which the last page was there");
  }
  list.goes_on = fields.text("nextPageToken").has_value();
}

void DirectoryReader::add_user(const json::Value& user, std::size_t number) {
  const std::string where = here() + ", " + name_of(user, "user", number);
  JsonFields fields(user, where, mistakes_, limits_.text_bytes_max);
  Account account{.key = {.provider = std::string(google_provider)}};
  account.key.id = fields.required("id", fields.text("id"));
  account.email =
      Fact<std::string>{.value = fields.required("primaryEmail", fields.email("primaryEmail"))};
  bool told = false;
  auto aliases = all_aliases(fields, limits_.aliases_max, told);
  if (told) account.aliases = Fact<std::vector<std::string>>{.value = std::move(aliases)};
  account.customer = fact(fields.text("customerId"));
  account.org_unit = fact(fields.text("orgUnitPath"));
  read_standing(account, fields);
  read_person(account, user, where, fields, mistakes_, limits_.text_bytes_max);
  accounts_.push_back(std::move(account));
}

void DirectoryReader::add_group(const json::Value& group, std::size_t number) {
  const std::string where = here() + ", " + name_of(group, "group", number);
  JsonFields fields(group, where, mistakes_, limits_.text_bytes_max);
  Group read{.key = {.provider = std::string(google_provider)}};
  read.key.id = fields.required("id", fields.text("id"));
  read.email = Fact<std::string>{.value = fields.required("email", fields.email("email"))};
  read.name = fact(fields.text("name"));
  groups_.push_back(std::move(read));
}

void DirectoryReader::add_users(const json::Value& page) {
  const bool is_new = !user_pages_;
  if (is_new) user_pages_ = List{.name = "users"};
  const std::string where = here();
  JsonFields fields(page, where, mistakes_, limits_.text_bytes_max);
  go_on(*user_pages_, is_new, fields);
  const json::Array* const users = fields.objects("users", any_number);
  if (users == nullptr) return;
  if (accounts_.size() + users->size() > limits_.users_max) {
    full_ = Error{Code::full, "more than " + std::to_string(limits_.users_max) + " users"};
    return;
  }
  for (std::size_t i = 0; i < users->size(); ++i) add_user((*users)[i], i + 1);
}

void DirectoryReader::add_groups(const json::Value& page) {
  const bool is_new = !group_pages_;
  if (is_new) group_pages_ = List{.name = "groups"};
  const std::string where = here();
  JsonFields fields(page, where, mistakes_, limits_.text_bytes_max);
  go_on(*group_pages_, is_new, fields);
  const json::Array* const groups = fields.objects("groups", any_number);
  if (groups == nullptr) return;
  if (groups_.size() + groups->size() > limits_.groups_max) {
    full_ = Error{Code::full, "more than " + std::to_string(limits_.groups_max) + " groups"};
    return;
  }
  for (std::size_t i = 0; i < groups->size(); ++i) add_group((*groups)[i], i + 1);
}

void DirectoryReader::add_members(const json::Value& page, std::string_view group) {
  const std::string where = here();
  JsonFields fields(page, where, mistakes_, limits_.text_bytes_max);
  std::string name(group);
  if (name.empty()) name = fields.required("group", fields.text("group"));
  if (name.empty()) return;
  // Addresses of one group may come with domains of either case.
  name = normal_email(name).value_or(name);
  const auto [found, is_new] = members_.try_emplace(name);
  MemberList& list = found->second;
  list.pages.name = "members of " + shown(name);
  go_on(list.pages, is_new, fields);
  const json::Array* const members = fields.objects("members", any_number);
  if (members == nullptr) return;
  member_count_ += members->size();
  if (member_count_ > limits_.members_max) {
    full_ = Error{Code::full,
                  "more than " + std::to_string(limits_.members_max) + " members of groups"};
    return;
  }
  for (std::size_t i = 0; i < members->size(); ++i) {
    const std::string member = where + ", " + name_of((*members)[i], "member", i + 1);
    list.members.push_back(
        read_member(JsonFields((*members)[i], member, mistakes_, limits_.text_bytes_max)));
  }
}

void DirectoryReader::read_generated(const json::Value& page) {
  const std::string where = here();
  const auto at = JsonFields(page, where, mistakes_, limits_.text_bytes_max).time("generated");
  if (at) generated_ = std::min(*at, generated_.value_or(*at));
  all_dated_ = all_dated_ && at;
}

std::string DirectoryReader::add(std::string_view json, std::string_view group) {
  ++pages_;
  bytes_ += json.size();
  if (pages_ > limits_.pages_max || bytes_ > limits_.bytes_max) {
    full_ = Error{Code::full, "a directory of more than " + std::to_string(limits_.pages_max) +
                                  " pages or " + std::to_string(limits_.bytes_max) + " bytes"};
  }
  if (full_) return "";
  const auto page = json::parse(json, {.bytes_max = limits_.page_bytes_max});
  if (!page) {
    if (page.error().code == Code::full) full_ = Error{Code::full, page.error().what};
    mistakes_.add(here(), page.error().what);
    return "";
  }
  read_generated(*page);
  const std::string kind = page->text("kind");
  const auto holds = [&](std::string_view member) { return !(*page)[member].is_null(); };
  if (kind == "admin#directory#users" || (kind.empty() && holds("users"))) {
    add_users(*page);
  } else if (kind == "admin#directory#groups" || (kind.empty() && holds("groups"))) {
    add_groups(*page);
  } else if (kind == "admin#directory#members" || (kind.empty() && holds("members"))) {
    add_members(*page, group);
  } else if (kind == "admin#directory#user" || (kind.empty() && holds("primaryEmail"))) {
    add_user(*page, 1);
  } else if (kind == "admin#directory#group") {
    add_group(*page, 1);
  } else if (holds("error")) {
    mistakes_.add(here(), "it is no page but an error: " + shown((*page)["error"].text("message")));
  } else {
    mistakes_.add(here(), "it is no page of users, groups or members");
  }
  return page->text("nextPageToken");
}

void DirectoryReader::end_list(const List& list) {
  if (list.goes_on) {
    mistakes_.add("list of " + list.name, "its last page names a next one, which is not there");
  }
}

// The same record on two pages is one, as happens where the directory changes under the reader.
template <class Record>
void DirectoryReader::join_doubles(std::vector<Record>& records, std::string_view what) {
  std::ranges::stable_sort(records, {}, &Record::key);
  for (std::size_t i = 1; i < records.size(); ++i) {
    const Record& one = records[i - 1];
    if (one.key == records[i].key && !(one == records[i])) {
      mistakes_.add(std::string(what) + " " + shown(one.key.id),
                    "it stands there twice and differently");
    }
  }
  const auto [rest, end] = std::ranges::unique(records);
  records.erase(rest, end);
}

void DirectoryReader::join_members() {
  std::map<std::string_view, Group*> by_name;
  for (Group& group : groups_) {
    by_name[group.key.id] = &group;
    by_name[group.email->value] = &group;
  }
  for (auto& [name, list] : members_) {
    end_list(list.pages);
    const auto group = by_name.find(name);
    if (group == by_name.end()) {
      mistakes_.add("list of " + list.pages.name, "no page holds that group");
    } else if (group->second->members) {
      mistakes_.add("list of " + list.pages.name, "it is there by the group's id and its address");
    } else {
      group->second->members = Fact<std::vector<Member>>{.value = std::move(list.members)};
    }
  }
}

Result<DirectorySnapshot> DirectoryReader::finish(std::string source,
                                                  std::optional<Timestamp> time) {
  if (full_) return std::unexpected(*full_);
  if (pages_ == 0) mistakes_.add("directory", "it holds no page");
  if (user_pages_) end_list(*user_pages_);
  if (group_pages_) end_list(*group_pages_);
  // An empty list would take every account away, and comes of a lost right sooner than of a company
  // without anybody.
  if (user_pages_ && accounts_.empty()) mistakes_.add("list of users", "nobody is in it");
  join_doubles(accounts_, "user");
  join_doubles(groups_, "group");
  join_members();
  if (all_dated_ && generated_) time = std::min(*generated_, time.value_or(*generated_));
  if (!time && pages_ > 0) {
    mistakes_.add("directory",
                  "no time is told for it, and not each of its pages says 'generated'");
  }
  if (mistakes_.any()) return mistakes_.error();
  DirectorySnapshot snapshot{.provider = std::string(google_provider),
                             .origin = {.source = std::move(source), .time = *time},
                             .all_accounts = user_pages_.has_value(),
                             .all_groups = group_pages_.has_value(),
                             .accounts = std::move(accounts_),
                             .groups = std::move(groups_)};
  for (Account& account : snapshot.accounts) stamp(account, snapshot.origin);
  for (Group& group : snapshot.groups) stamp(group, snapshot.origin);
  return snapshot;
}

Result<DirectorySnapshot> read_directory(std::string_view text, std::string source,
                                         std::optional<Timestamp> time,
                                         const DirectoryLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return fail(Code::full, "a directory of " + std::to_string(text.size()) + " bytes; at most " +
                                std::to_string(limits.bytes_max) + " are read");
  }
  DirectoryReader reader(limits);
  ObjectTexts objects(text);
  while (true) {
    const auto object = objects.next();
    if (!object) return std::unexpected(object.error());
    if (!*object) return reader.finish(std::move(source), time);
    reader.add(**object);
  }
}

}  // namespace mailwarden::identity
