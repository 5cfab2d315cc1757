// people_bench [ACCOUNTS]: how long a directory takes from its text to entities and into a store.
//
// Each account has a name, a second factor, a person of personnel's and one of a hundred groups.
// Beside reading stands the floor: the same text parsed as JSON and thrown away.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "base/check.h"
#include "db/sqlite.h"
#include "identity/entity_facts.h"
#include "identity/people_book.h"
#include "tests/identity/people_maker.h"

namespace mailwarden::identity {
namespace {

double milliseconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

struct Company {
  std::vector<std::string> pages;
  std::string text;
  std::string csv = "id,email,employed_from,employed_until,trained_until\n";
};

Company company_of(int accounts) {
  Company company;
  std::vector<std::string> groups;
  for (int i = 0; i < 100; ++i) {
    const std::string id = std::to_string(i);
    groups.push_back(group_json("g" + id, "group" + id + "@example.com"));
  }
  std::vector<std::vector<std::string>> members(groups.size());
  for (int begin = 0; begin < accounts; begin += 500) {
    std::vector<std::string> users;
    for (int i = begin; i < std::min(begin + 500, accounts); ++i) {
      const std::string id = std::to_string(i);
      const std::string email = "user" + id + "@example.com";
      users.push_back(user_json(
          id, email,
          R"("suspended":false,"archived":false,"isEnrolledIn2Sv":true,"isEnforcedIn2Sv":true,)"
          R"("name":{"givenName":"User","familyName":")" +
              id + R"(","fullName":"User )" + id +
              R"("},"externalIds":[{"type":"organization","value":"p)" + id +
              R"("}],"lastLoginTime":"2026-11-23T07:00:00.000Z","orgUnitPath":"/")"));
      members[static_cast<std::size_t>(i) % members.size()].push_back(member_json(id, email));
      company.csv += "p" + id + "," + email + ",2024-01-01,,2027-01-01\n";
    }
    company.pages.push_back(users_page(users, begin + 500 < accounts ? "more" : ""));
  }
  company.pages.push_back(groups_page(groups));
  for (std::size_t i = 0; i < members.size(); ++i) {
    company.pages.push_back(members_page("g" + std::to_string(i), members[i]));
  }
  for (const std::string& page : company.pages) company.text += page;
  return company;
}

void measure(int accounts) {
  const Company company = company_of(accounts);
  std::printf("%d accounts, %zu MB of JSON\n", accounts, company.text.size() / 1'000'000);
  const double floor = milliseconds_of([&] {
    for (const std::string& page : company.pages) CHECK(json::parse(page));
  });
  DirectorySnapshot snapshot;
  const double reading =
      milliseconds_of([&] { snapshot = *read_directory(company.text, "directory", morning); });
  std::printf("read              %8.0f ms, parsed as JSON alone %.0f ms, ratio %.2f\n", reading,
              floor, reading / floor);
  PeopleBook book({});
  const DirectorySnapshot again = snapshot;
  Applied applied;
  std::printf("applied           %8.0f ms\n",
              milliseconds_of([&] { applied = *book.apply(std::move(snapshot), morning); }));
  std::printf("applied again     %8.0f ms\n",
              milliseconds_of([&] { CHECK(book.apply(again, morning)->changes.empty()); }));
  Register register_of;
  std::printf("people read       %8.0f ms\n", milliseconds_of([&] {
                register_of = *read_people(company.csv, {"personnel", morning});
              }));
  std::printf("people applied    %8.0f ms\n", milliseconds_of([&] {
                const auto more = book.apply(std::move(register_of), morning);
                applied.rows.insert(applied.rows.end(), more->rows.begin(), more->rows.end());
              }));
  const auto database = db::open_sqlite(":memory:").value();
  CHECK(db::migrate(*database, migrations(), morning));
  std::printf("stored            %8.0f ms, %zu rows\n", milliseconds_of([&] {
                auto transaction = db::Transaction::begin(*database);
                CHECK(store_rows(*database, applied.rows));
                CHECK(transaction->commit());
              }),
              applied.rows.size());
  std::printf("loaded            %8.0f ms\n", milliseconds_of([&] {
                CHECK(PeopleBook::load(*database, {})->records().accounts.size() ==
                      static_cast<std::size_t>(accounts));
              }));
  std::size_t entities = 0;
  std::printf("entities          %8.0f ms", milliseconds_of([&] {
                each_entity(book, {}, morning, [&](const EntityFacts&) { ++entities; });
              }));
  std::printf(", %zu of them\n", entities);
  std::printf("one entity        %8.4f ms\n",
              milliseconds_of([&] { CHECK(user_entity(book, {"google", "7"}, {}, morning)); }));
}

}  // namespace
}  // namespace mailwarden::identity

int main(int argc, char** argv) {
  mailwarden::identity::measure(argc > 1 ? std::atoi(argv[1]) : 100'000);
}
