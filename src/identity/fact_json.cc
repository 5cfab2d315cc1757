#include "identity/fact_json.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "identity/person_fields.h"

namespace mailwarden::identity {
namespace {

// Our own texts; a group of millions is one.
constexpr std::size_t text_bytes_max = 1024 * 1024 * 1024;

constexpr std::array member_kinds{std::pair{MemberKind::user, std::string_view("user")},
                                  std::pair{MemberKind::group, std::string_view("group")},
                                  std::pair{MemberKind::customer, std::string_view("customer")},
                                  std::pair{MemberKind::other, std::string_view("other")}};

bool read(const json::Value& value, bool& truth) {
  const bool* const held = value.as_bool();
  if (held != nullptr) truth = *held;
  return held != nullptr;
}

bool read(const json::Value& value, std::string& text) {
  const std::string* const held = value.as_string();
  if (held != nullptr) text = *held;
  return held != nullptr;
}

bool read(const json::Value& value, std::vector<std::string>& texts) {
  const json::Array* const items = value.as_array();
  return items != nullptr && std::ranges::all_of(*items, [&](const json::Value& item) {
           return read(item, texts.emplace_back());
         });
}

bool read(const json::Value& value, Timestamp& at) {
  const std::string* const text = value.as_string();
  if (text == nullptr) return false;
  const auto parsed = parse_rfc3339(*text);
  if (parsed) at = *parsed;
  return parsed.has_value();
}

bool read(const json::Value& value, std::optional<Timestamp>& at) {
  return value.is_null() || read(value, at.emplace());
}

bool read(const json::Value& value, Employment& employment) {
  return read(value["from"], employment.from) && read(value["until"], employment.until);
}

bool read(const json::Value& value, PolicyAcceptance& acceptance) {
  return read(value["at"], acceptance.at) && read(value["version"], acceptance.version);
}

bool read(const json::Value& value, Member& member) {
  const auto* const kind = std::ranges::find(member_kinds, value.text("kind"),
                                             [](const auto& one) { return one.second; });
  if (kind == member_kinds.end()) return false;
  member.kind = kind->first;
  return read(value["id"], member.id) && read(value["email"], member.email);
}

bool read(const json::Value& value, std::vector<Member>& members) {
  const json::Array* const items = value.as_array();
  return items != nullptr && std::ranges::all_of(*items, [&](const json::Value& item) {
           return read(item, members.emplace_back());
         });
}

template <class Record>
std::string write(const Record& record) {
  std::map<std::pair<std::string_view, Timestamp>, json::Object> told;
  each_field<Record>([&](const auto& field) {
    const auto& fact = record.*field.member;
    if (fact) told[{fact->source, fact->time}].emplace(field.name, to_json(fact->value));
  });
  json::Array all;
  for (auto& [who, facts] : told) {
    all.emplace_back(json::Object{
        {"facts", std::move(facts)}, {"source", who.first}, {"time", to_rfc3339(who.second)}});
  }
  return json::to_text(all);
}

// Whether every fact that was told belongs to such a record and could be read.
template <class Record>
bool read_told(const json::Value& told, Record& record) {
  Origin origin;
  const json::Object* const facts = told["facts"].as_object();
  if (facts == nullptr || !read(told["source"], origin.source) ||
      !read(told["time"], origin.time)) {
    return false;
  }
  std::size_t known = 0;
  bool good = true;
  each_field<Record>([&](const auto& field) {
    const auto found = facts->find(field.name);
    if (found == facts->end()) return;
    ++known;
    auto& fact = (record.*field.member).emplace();
    fact.source = origin.source;
    fact.time = origin.time;
    good = read(found->second, fact.value) && good;
  });
  return good && known == facts->size();
}

template <class Record>
Result<void> read_record(std::string_view text, Record& record) {
  const auto value = json::parse(text, {.bytes_max = text_bytes_max});
  const json::Array* const all = value ? value->as_array() : nullptr;
  const bool good = all != nullptr && std::ranges::all_of(*all, [&](const json::Value& told) {
                      return read_told(told, record);
                    });
  if (good) return {};
  return fail(Code::corrupt, "a stored record of people is damaged");
}

}  // namespace

json::Value to_json(bool truth) {
  return truth;
}

json::Value to_json(const std::string& text) {
  return text;
}

json::Value to_json(const std::vector<std::string>& texts) {
  return json::Array(texts.begin(), texts.end());
}

json::Value to_json(Timestamp at) {
  return to_rfc3339(at);
}

json::Value to_json(const std::optional<Timestamp>& at) {
  return at ? to_json(*at) : json::Value();
}

json::Value to_json(const Employment& employment) {
  return json::Object{{"from", to_json(employment.from)}, {"until", to_json(employment.until)}};
}

json::Value to_json(const PolicyAcceptance& acceptance) {
  return json::Object{{"at", to_json(acceptance.at)}, {"version", acceptance.version}};
}

json::Value to_json(const std::vector<Member>& members) {
  json::Array all;
  for (const Member& member : members) {
    const auto* const kind =
        std::ranges::find(member_kinds, member.kind, [](const auto& one) { return one.first; });
    all.emplace_back(
        json::Object{{"email", member.email}, {"id", member.id}, {"kind", kind->second}});
  }
  return all;
}

std::string to_text(const Person& person) {
  return write(person);
}
std::string to_text(const Account& account) {
  return write(account);
}
std::string to_text(const Group& group) {
  return write(group);
}

Result<void> read_facts(std::string_view text, Person& person) {
  return read_record(text, person);
}
Result<void> read_facts(std::string_view text, Account& account) {
  return read_record(text, account);
}
Result<void> read_facts(std::string_view text, Group& group) {
  return read_record(text, group);
}

}  // namespace mailwarden::identity
