// Directories of Google Workspace as their API tells them.
//
// What     A DirectoryReader takes pages of users.list, groups.list and members.list, or single
//          users and groups, and gives a DirectorySnapshot: accounts and groups whose facts have
//          its source and time. read_directory() does it for one text: one page, several behind
//          each other, or an array of them.
// Owns     The snapshot.
// Threads  Values.
// Errors   invalid, all mistakes of all pages in one sentence each: what is no JSON or no such
//          page, members of the wrong type, texts too long, a list of which a page is missing, one
//          account told twice and differently. full, beyond a limit. Nothing is taken from a text
//          with a mistake.
// Limits   DirectoryLimits.
// Source   Google's Admin SDK, Directory API directory_v1: users, groups, members.
//
// What is read of a user: id, primaryEmail, aliases, nonEditableAliases, name.fullName, customerId,
// suspended, suspensionReason, archived, deletionTime, isAdmin, isDelegatedAdmin, isEnrolledIn2Sv,
// isEnforcedIn2Sv, lastLoginTime, orgUnitPath; of externalIds the one of type "organization" (whose
// account it is); of relations the one of type "manager"; of organizations title and department of
// the primary or only one. All else, customSchemas too, is not looked at. What is absent, null or
// "" stays unknown, truths above all; what is there twice where one is meant, too. id and
// primaryEmail must be there.
//
// lastLoginTime is 1970-01-01T00:00:00.000Z where there was none, and now and then where there was.
//
// Two members are ours, since the API's answers do not say them: "group", which a page of members
// must have (the group's id or address), and "generated", when a page was asked for (RFC 3339).
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/mistakes.h"
#include "identity/person.h"
#include "json/value.h"

namespace mailwarden::identity {

// The provider of Google's accounts, for DirectoryKey.
inline constexpr std::string_view google_provider = "google";

class JsonFields;

struct DirectoryLimits {
  std::size_t bytes_max = std::size_t{1024} * 1024 * 1024;  // of all pages
  std::size_t page_bytes_max = 16 * 1024 * 1024;
  std::size_t pages_max = 100'000;
  std::size_t users_max = 1'000'000;
  std::size_t groups_max = 100'000;
  std::size_t members_max = 5'000'000;  // of all groups
  std::size_t aliases_max = 200;        // of one user
  std::size_t text_bytes_max = 1024;    // of one value
};

struct DirectorySnapshot {
  std::string provider;
  Origin origin;
  // Whether all accounts, or all groups, are in it: one that is not is no more.
  bool all_accounts = false;
  bool all_groups = false;
  std::vector<Account> accounts;
  std::vector<Group> groups;
};

class DirectoryReader {
 public:
  explicit DirectoryReader(const DirectoryLimits& limits = {}) : limits_(limits) {}

  // One page or one user or group. `group` is whose members these are, where the page does not say
  // it. Gives the page's nextPageToken, "" where there is none; mistakes wait for finish().
  std::string add(std::string_view json, std::string_view group = {});

  // The groups of the pages so far.
  const std::vector<Group>& groups() const { return groups_; }
  // Whether a mistake or a limit has spoiled it, so that more pages would be in vain.
  bool is_spoiled() const { return mistakes_.any() || full_.has_value(); }

  // `time` is when the snapshot was taken. Where it is not told the pages must say it themselves;
  // where several times are said, the earliest counts, since all of it is at least that old.
  Result<DirectorySnapshot> finish(std::string source, std::optional<Timestamp> time);

 private:
  // A list that comes in pages.
  struct List {
    std::string name;
    bool goes_on = false;  // the last page that came names a next one
  };
  struct MemberList {
    List pages;
    std::vector<Member> members;
  };

  void add_users(const json::Value& page);
  void add_groups(const json::Value& page);
  void add_members(const json::Value& page, std::string_view group);
  void go_on(List& list, bool is_new, JsonFields& fields);
  void add_user(const json::Value& user, std::size_t number);
  void add_group(const json::Value& group, std::size_t number);
  void read_generated(const json::Value& page);
  void end_list(const List& list);
  void join_members();
  template <class Record>
  void join_doubles(std::vector<Record>& records, std::string_view what);
  std::string here() const { return "page " + std::to_string(pages_); }

  DirectoryLimits limits_;
  Mistakes mistakes_;
  std::optional<Error> full_;
  std::size_t pages_ = 0;
  std::size_t bytes_ = 0;
  std::size_t member_count_ = 0;
  std::optional<Timestamp> generated_;
  bool all_dated_ = true;  // each page says when it was asked for
  std::optional<List> user_pages_;
  std::optional<List> group_pages_;
  std::map<std::string, MemberList, std::less<>> members_;  // by group, as the page names it
  std::vector<Account> accounts_;
  std::vector<Group> groups_;
};

Result<DirectorySnapshot> read_directory(std::string_view text, std::string source,
                                         std::optional<Timestamp> time,
                                         const DirectoryLimits& limits = {});

}  // namespace mailwarden::identity
