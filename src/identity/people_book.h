// The book of record about people: what each source said last, and what of it is known at a time.
//
// What     apply() takes a snapshot of a directory, a register of personnel or what an event says;
//          of each fact the newest is kept, with who said it. known_*() tell what may be relied on
//          at a time, joined: an account, whose it is, what groups it is in, who its manager is.
// Owns     Its records in memory; its tables are those of people_table.h. What apply() gives is to
//          be stored by the caller (store_rows) in the transaction of whatever it comes with, the
//          same rows again until one holds.
// Threads  One at a time; the const functions together.
// Errors   apply(): invalid, a snapshot from a time to come; conflict, one older than the last of
//          its source; full, more records than the options allow. In each case nothing has changed.
//          known_*(): not_found; conflict, an address of several accounts.
// Limits   PeopleBookOptions.
//
// A snapshot that has all of a list replaces what its source said before: whoever is not in it is
// no more, unless another source than events still says something of it. A snapshot of single users
// says nothing of the others. Facts of different sources do not mix: each is that of one source.
//
// A fact whose time is later than `now` and ahead_max counts for nothing, and anything replaces it,
// so that a clock which ran ahead spoils the book no longer than until the next snapshot.
//
// An account is somebody's where the directory names personnel's id of that person, or one of its
// addresses is one of the person's as a whole; where these lead to two people it is nobody's, and
// conflicts() says so.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "identity/google_directory.h"
#include "identity/observation.h"
#include "identity/people_csv.h"
#include "identity/people_index.h"
#include "identity/people_table.h"
#include "identity/person.h"
#include "json/value.h"

namespace mailwarden::identity {

struct PeopleBookOptions {
  AgeLimits ages;
  std::size_t people_max = 1'000'000;
  std::size_t accounts_max = 1'000'000;
  std::size_t groups_max = 100'000;
  // A use is kept where it is so much later than the last one kept, so that not each event of a
  // busy account is a row.
  Duration use_step = std::chrono::minutes(10);
};

// For the ledger. Uses of accounts are not told: their events are.
struct PeopleChange {
  enum class What : std::uint8_t {
    added,
    changed,
    removed,  // no source says anything of it any more
    erased,   // at erase(); without what was erased
    arose,    // a conflict; `key.id` is its sentence
    settled,
  };

  // What is longer as a record, such as a large group at its first snapshot, is told by its hash.
  static constexpr std::size_t record_bytes_max = 256 * 1024;

  std::string kind;  // "person", "account", "group", "conflict"
  DirectoryKey key;  // without a provider: a person, a conflict
  What what = What::added;
  // The facts that changed, by name; of a group's members those who left, and those who came.
  json::Object before;
  json::Object after;
  Origin origin;  // who said so; at erase() only when
};
std::string_view to_string(PeopleChange::What what);
// With "sha256" of {"after","before"} in place of these where they are too long.
json::Object to_record(const PeopleChange& change);

struct Applied {
  std::vector<PeopleChange> changes;
  std::vector<PeopleRow> rows;
};

// Whose word something rests on, and as of when the oldest of it is.
using Origins = std::map<std::string, Timestamp>;

// All that is known of an account at a time; what is not is absent.
struct KnownAccount {
  Account account;
  std::optional<Person> person;
  std::vector<DirectoryKey> groups;     // that it is in itself
  bool groups_known = false;            // whether that is all of them
  std::optional<DirectoryKey> manager;  // the account of
  Origins origins;                      // of all that is said here
  Timestamp until = Timestamp::latest;  // when the first fact of it will be too old
};

struct KnownGroup {
  Group group;
  std::vector<DirectoryKey> groups;  // that it is in itself
  Origins origins;
  Timestamp until = Timestamp::latest;
};

class PeopleBook {
 public:
  explicit PeopleBook(const PeopleBookOptions& options, PeopleRecords records = {});
  static Result<PeopleBook> load(db::Database& database, const PeopleBookOptions& options);

  Result<Applied> apply(DirectorySnapshot snapshot, Timestamp now);
  Result<Applied> apply(Register people, Timestamp now);
  // Where no account or several have the address, or the event is older than what is known or from
  // a time to come, nothing changes. Events make no accounts.
  Applied apply(const Observation& seen, Timestamp now);
  // Everything of a person: the record, the accounts that are nobody else's, memberships, and the
  // name as somebody's manager. A source that still says it will say it again.
  Applied erase_person(const std::string& id, Timestamp now);

  Result<Person> known_person(const std::string& id, Timestamp now) const;
  Result<KnownAccount> known_account(const DirectoryKey& key, Timestamp now) const;
  Result<KnownAccount> known_email(std::string_view provider, std::string_view email,
                                   Timestamp now) const;
  Result<KnownGroup> known_group(const DirectoryKey& key, Timestamp now) const;

  // Whether nobody else of the provider claims the address; deleted accounts do not.
  bool is_only_account(std::string_view provider, std::string_view email) const;
  bool is_only_group(std::string_view provider, std::string_view email) const;

  // With facts of any age.
  const PeopleRecords& records() const { return *records_; }
  const PeopleBookOptions& options() const { return options_; }
  // A sentence each.
  const std::set<std::string>& conflicts() const { return conflicts_; }

 private:
  Result<void> check_time(const Origin& origin, ListKind kind, Timestamp now) const;
  template <class Record>
  void apply_records(std::map<DirectoryKey, Record>& held, std::vector<Record> said,
                     const std::string& provider, bool all, const Origin& origin, Timestamp now,
                     Applied& applied);
  void set_list(const ListKey& key, const std::string& provider, Timestamp time, Applied& applied);
  void index(const Origin& origin, Applied& applied);
  void note(const Account& known, Account said, const Origin& origin, Timestamp now,
            Applied& applied);
  KnownAccount known(const Account& account, Timestamp now) const;
  std::vector<DirectoryKey> known_groups(const std::vector<Membership>& memberships, Timestamp now,
                                         Timestamp& until, Origins& origins) const;
  std::optional<DirectoryKey> manager_of(const KnownAccount& account, Timestamp now) const;

  PeopleBookOptions options_;
  std::unique_ptr<PeopleRecords> records_;  // which the index points into
  PeopleIndex index_;
  std::set<std::string> conflicts_;
};

}  // namespace mailwarden::identity
