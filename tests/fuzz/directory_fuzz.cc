// Any text as a directory, as a register of people and as both behind each other. What was read is
// within its limits, has one source and one time, is the same when it is read again, and a book
// that takes it stores what it holds; whatever is told of it, nobody is active of whom that is not
// known.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/text.h"
#include "identity/entity_facts.h"
#include "identity/fact_json.h"
#include "identity/people_book.h"

namespace {

using namespace mailwarden;
using namespace mailwarden::identity;

constexpr Timestamp noon{1'800'000'000'000'000};
constexpr DirectoryLimits limits{.users_max = 100, .groups_max = 100, .members_max = 1000};

template <class T>
void check_refusal(const Result<T>& read) {
  CHECK(read || (!read.error().what.empty() && is_utf8(printable(read.error().what))));
}

template <class Record>
void check_stored(const Record& record) {
  Record again;
  CHECK(read_facts(to_text(record), again));
  CHECK(to_text(again) == to_text(record));
}

void check_entities(const PeopleBook& book) {
  each_entity(book, {}, noon, [&](const EntityFacts& facts) {
    const json::Value& attributes = facts.entity.at("attrs");
    const bool* const active = attributes["active"].as_bool();
    if (active == nullptr || !*active) return;
    for (const char* const name : {"account_enabled", "employed"}) {
      CHECK(attributes[name].as_bool() != nullptr && *attributes[name].as_bool());
    }
  });
  std::size_t named = 0;
  each_entity(book, {}, noon + std::chrono::days(2), [&](const EntityFacts&) { ++named; });
  CHECK(named == 0);  // by facts that are too old
}

void take_directory(PeopleBook& book, const std::string& text) {
  const auto read = read_directory(text, "directory", noon, limits);
  check_refusal(read);
  if (!read) return;
  CHECK(read->accounts.size() <= limits.users_max && read->groups.size() <= limits.groups_max);
  CHECK(!read->all_accounts || !read->accounts.empty());
  for (const Account& account : read->accounts) {
    CHECK(!account.key.id.empty() && normal_email(account.email->value) == account.email->value);
    check_stored(account);
  }
  for (const Group& group : read->groups) check_stored(group);
  const auto applied = book.apply(*read, noon);
  CHECK(applied || applied.error().code == Code::conflict);
  if (!applied) return;
  const auto again = book.apply(*read, noon);
  CHECK(again && again->changes.empty());
}

void take_people(PeopleBook& book, const std::string& text) {
  const auto read = read_people(text, {"personnel", noon});
  check_refusal(read);
  if (!read) return;
  CHECK(!read->people.empty());
  for (const Person& person : read->people) {
    CHECK(!person.id.empty() && !std::string("=+-@").contains(person.id.front()));
    check_stored(person);
  }
  CHECK(book.apply(*read, noon));
  CHECK(book.apply(*read, noon)->changes.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  PeopleBook book({});
  take_directory(book, text);
  take_people(book, text);
  // A register behind a directory, with a line of dashes between.
  const std::string line = "\n---\n";
  const std::size_t at = text.find(line);
  if (at != text.npos) {
    take_directory(book, text.substr(0, at));
    take_people(book, text.substr(at + line.size()));
  }
  check_entities(book);
  const Applied erased = book.erase_person("7", noon);
  CHECK(!book.known_person("7", noon));
  CHECK(erased.rows.empty() || erased.changes.size() > 0);
  return 0;
}
