// Directories, registers and times for the tests about people.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/timestamp.h"
#include "identity/google_directory.h"
#include "identity/people_book.h"
#include "identity/people_csv.h"

namespace mailwarden::identity {

inline Timestamp at(std::string_view text) {
  return parse_rfc3339(text).value();
}

inline const Timestamp morning = at("2026-11-24T08:00:00Z");
// The first user of the directories that are made here.
inline const DirectoryKey ada{"google", "1"};

// A user as the API gives one; `more` stands behind the members that are always there.
inline std::string user_json(const std::string& id, const std::string& email,
                             const std::string& more = R"("suspended":false,"archived":false)") {
  return R"({"kind":"admin#directory#user","id":")" + id + R"(","primaryEmail":")" + email + "\"" +
         (more.empty() ? "" : "," + more) + "}";
}

inline std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : ",") + part;
  return all;
}

inline std::string users_page(const std::vector<std::string>& users, const std::string& next = "") {
  return R"({"kind":"admin#directory#users","etag":"\"x\"","users":[)" + joined(users) + "]" +
         (next.empty() ? "" : R"(,"nextPageToken":")" + next + "\"") + "}";
}

inline std::string groups_page(const std::vector<std::string>& groups,
                               const std::string& next = "") {
  return R"({"kind":"admin#directory#groups","groups":[)" + joined(groups) + "]" +
         (next.empty() ? "" : R"(,"nextPageToken":")" + next + "\"") + "}";
}

inline std::string group_json(const std::string& id, const std::string& email) {
  return R"({"kind":"admin#directory#group","id":")" + id + R"(","email":")" + email +
         R"(","name":"Group )" + id + R"(","directMembersCount":"2"})";
}

inline std::string member_json(const std::string& id, const std::string& email,
                               const std::string& type = "USER") {
  return R"({"kind":"admin#directory#member","id":")" + id + R"(","email":")" + email +
         R"(","role":"MEMBER","type":")" + type + R"(","status":"ACTIVE"})";
}

inline std::string members_page(const std::string& group, const std::vector<std::string>& members,
                                const std::string& next = "") {
  return R"({"kind":"admin#directory#members","group":")" + group + R"(","members":[)" +
         joined(members) + "]" + (next.empty() ? "" : R"(,"nextPageToken":")" + next + "\"") + "}";
}

inline DirectorySnapshot directory(const std::string& text, Timestamp time,
                                   const std::string& source = "directory") {
  auto snapshot = read_directory(text, source, time);
  EXPECT_TRUE(snapshot) << snapshot.error().what;
  return snapshot ? *std::move(snapshot) : DirectorySnapshot();
}

inline Register people(const std::string& csv, Timestamp time,
                       const std::string& source = "personnel") {
  auto read = read_people(csv, {source, time});
  EXPECT_TRUE(read) << read.error().what;
  return read ? *std::move(read) : Register();
}

// "kind id what" of each, for short expectations.
inline std::vector<std::string> told(const Applied& applied) {
  std::vector<std::string> all;
  for (const PeopleChange& change : applied.changes) {
    all.push_back(change.kind + " " + change.key.id + " " + std::string(to_string(change.what)));
  }
  return all;
}

}  // namespace mailwarden::identity
