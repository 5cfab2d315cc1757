// Killed in the middle of asking, approving, granting and ending.
#include <random>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/entropy.h"
#include "db/sqlite.h"
#include "tests/access/grants.h"

namespace mailwarden::access {
namespace {

// What a child has been told is durable.
struct Told {
  std::int64_t grant = 0;
  std::int64_t sequence = 0;
};

// As the daemon does it: grants and ledger in one transaction, then effect, then word of it.
class Worker {
 public:
  Worker(const std::string& path, std::uint64_t seed, int out)
      : random_(seed),
        out_(out),
        database_(db::open_sqlite(path).value()),
        ledger_(ledger::Ledger::open(*database_, "example.com/test", entropy_).value()),
        book_(load_standing(*database_).value()) {
    now_ = std::max(start, book_.time().latest);
  }

  void run_until_killed() {
    while (true) {
      now_ = now_ + static_cast<std::int64_t>(random_() % 900) * second;
      std::vector<GrantChange> changes = book_.expire(now_);
      for (std::uint64_t acts = random_() % 3 + 1; acts > 0; --acts) {
        if (auto change = some_act()) changes.push_back(*std::move(change));
      }
      write(changes);
    }
  }

 private:
  Result<GrantChange> some_act() {
    const std::vector<Actor> people{ada, bob, cid, dan, eve};
    const Actor& by = people[random_() % people.size()];
    const auto last = static_cast<std::int64_t>(book_.standing().states.size());
    const Deed recent{
        .grant = {std::max<std::int64_t>(1, last - static_cast<std::int64_t>(random_() % 6))},
        .by = by,
        .why = "so it is"};
    GrantRequest request = ask(by, std::to_string(random_() % 3));
    switch (random_() % 6) {
      case 0:
      case 1:
        return book_.request(request, by, rules_, now_);
      case 2:
      case 3:
        return book_.approve(recent, rules_, now_);
      case 4:
        return book_.end(recent, rules_, now_);
      default:
        request.duration = hour;
        return book_.break_glass(request, by, rules_, now_);
    }
  }

  void write(const std::vector<GrantChange>& changes) {
    std::vector<ledger::Entry> entries;
    const std::int64_t first = ledger_.size();
    for (const GrantChange& change : changes) entries.push_back({"grant", to_record(change)});
    const auto rows = ledger_.prepare(entries, now_);
    auto transaction = db::Transaction::begin(*database_).value();
    auto entry = first;
    for (const GrantChange& change : changes) {
      if (!store_change(*database_, {entry++, change})) ::_exit(3);
    }
    if (!ledger::Ledger::write(*database_, rows) || !transaction.commit()) ::_exit(4);
    book_.commit();
    for (const GrantChange& change : changes) {
      const Told told{change.after.id.value, change.after.changes};
      if (::write(out_, &told, sizeof told) != sizeof told) ::_exit(5);
    }
  }

  std::mt19937_64 random_;
  int out_;
  crypto::SystemEntropy entropy_;
  std::unique_ptr<db::Database> database_;
  ledger::Ledger ledger_;
  GrantBook book_;
  GrantRules rules_ = test_rules();
  Timestamp now_;
};

class GrantKills : public testing::Test {
 protected:
  void SetUp() override {
    const auto database = db::open_sqlite(path_).value();
    std::vector<db::Migration> all(migrations().begin(), migrations().end());
    all.insert(all.end(), ledger::migrations().begin(), ledger::migrations().end());
    ASSERT_TRUE(db::migrate(*database, all, start));
  }

  // Lets a child work and kills it some time after its first word.
  std::vector<Told> work_and_kill(std::uint64_t seed, useconds_t after) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      Worker(path_, seed, ends[1]).run_until_killed();
    }
    ::close(ends[1]);
    std::vector<Told> told;
    Told one;
    const auto next = [&] { return ::read(ends[0], &one, sizeof one) == sizeof one; };
    if (next()) told.push_back(one);
    ::usleep(after);
    ::kill(child, SIGKILL);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << "it ended by itself with " << WEXITSTATUS(status);
    while (next()) told.push_back(one);
    ::close(ends[0]);
    return told;
  }

  // What a start finds: rows and changes agree, entries are there, what is live may be.
  void check(const std::vector<Told>& told) {
    const auto database = db::open_sqlite(path_).value();
    const auto standing = load_standing(*database);
    ASSERT_TRUE(standing) << standing.error().what;
    const GrantBook book(*standing);
    std::size_t changes_seen = 0;
    for (std::int64_t i = 1; i <= static_cast<std::int64_t>(standing->states.size()); ++i) {
      const Grant grant = load_grant(*database, {i}).value();
      const auto changes = load_changes(*database, GrantId{i}).value();
      ASSERT_EQ(static_cast<std::int64_t>(changes.size()), grant.changes);
      ASSERT_EQ(changes.back().change.after, grant) << "the row is its last change";
      changes_seen += changes.size();
      for (const GrantChangeRow& row : changes) check_entry(*database, row);
      if (HasFatalFailure()) return;
      check_live(book, grant, changes);
    }
    ASSERT_EQ(database->integer("SELECT COUNT(*) FROM grant_changes").value(),
              static_cast<std::int64_t>(changes_seen));
    ASSERT_EQ(database->integer("SELECT COUNT(*) FROM ledger_entry").value(),
              static_cast<std::int64_t>(changes_seen));
    for (const Told& one : told) {
      ASSERT_EQ(database
                    ->integer("SELECT COUNT(*) FROM grant_changes WHERE number = $1"
                              " AND sequence = $2",
                              {one.grant, one.sequence})
                    .value(),
                1)
          << "what was told has been lost";
    }
    changes_ = changes_seen;
  }

  static void check_entry(db::Database& database, const GrantChangeRow& row) {
    const auto entries = ledger::load_entries(database, row.entry, 1).value();
    ASSERT_EQ(entries.size(), 1U);
    const auto record = json::parse(entries[0].record).value();
    ASSERT_EQ(record.text("kind"), "grant");
    ASSERT_EQ(change_from_record(record, row.change.at).value(), row.change);
  }

  void check_live(const GrantBook& book, const Grant& grant,
                  const std::vector<GrantChangeRow>& changes) {
    const Timestamp latest = book.time().latest;
    const auto view = book.view();
    const bool is_live = std::ranges::any_of(
        view->all(grant.person, grant.system),
        [&](const Grant& one) { return one.id == grant.id && view->is_live(one, latest); });
    const bool opened = std::ranges::any_of(
        changes, [](const GrantChangeRow& row) { return row.change.opens_access(); });
    const bool closed = std::ranges::any_of(
        changes, [](const GrantChangeRow& row) { return row.change.closes_access(); });
    ASSERT_EQ(is_live, opened && !closed && latest < grant.until);
    const bool lives_on = std::ranges::any_of(
        view->all(grant.person, grant.system),
        [&](const Grant& one) { return one.id == grant.id && view->is_live(one, grant.until); });
    ASSERT_FALSE(lives_on) << "it outlives its end";
    live_seen_ += is_live ? 1 : 0;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.path("grants.db");
  std::size_t changes_ = 0;
  int live_seen_ = 0;
};

TEST_F(GrantKills, FiftyKillsLeaveNoGrantWithoutRecordAndNoRecordWithoutEffect) {
  std::mt19937_64 random(20261130);
  std::size_t told = 0;
  for (int i = 0; i < 50; ++i) {
    const auto words = work_and_kill(random(), static_cast<useconds_t>(random() % 30'000));
    ASSERT_FALSE(words.empty());
    told += words.size();
    check(words);
    if (HasFatalFailure()) return;
  }
  std::printf("50 kills: %zu changes written, %zu told, %d times live\n", changes_, told,
              live_seen_);
  EXPECT_GE(changes_, told);
  EXPECT_GT(live_seen_, 50);
}

}  // namespace
}  // namespace mailwarden::access
