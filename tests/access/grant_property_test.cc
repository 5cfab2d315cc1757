// Random acts at random times, held against what the tables say.
#include <map>
#include <random>

#include "tests/access/grants.h"
#include "tests/db/store.h"

namespace mailwarden::access {
namespace {

class RandomActs : public GrantsTest {
 protected:
  std::uint64_t below(std::uint64_t most) { return random_() % most; }

  const Actor& somebody() {
    static const std::vector<Actor> people{ada, bob, cid, dan, eve};
    return people[below(people.size())];
  }

  Deed some_deed() {
    const auto last = static_cast<std::uint64_t>(load_last());
    return {.grant = {static_cast<std::int64_t>(below(last + 2))},
            .by = below(20) == 0 ? Actor::daemon() : somebody(),
            .why = below(10) == 0 ? "." : "so it is"};
  }

  std::int64_t load_last() const {
    return static_cast<std::int64_t>(book_->standing().states.size());
  }

  Result<GrantChange> some_act() {
    const Actor& by = somebody();
    GrantRequest request = ask(below(3) == 0 ? somebody() : by, below(2) == 0 ? "a" : "b");
    request.duration = static_cast<std::int64_t>(below(9 * 3600)) * second;
    if (below(3) == 0) request.purpose = "legal_duty";
    switch (below(9)) {
      case 0:
      case 1:
        return book_->request(request, by, rules_, now());
      case 2:
      case 3:
      case 4:
        return book_->approve(some_deed(), rules_, now());
      case 5:
        return below(2) == 0 ? book_->refuse(some_deed(), rules_, now())
                             : book_->withdraw(some_deed(), now());
      case 6:
        return book_->end(some_deed(), rules_, now());
      case 7:
        request.duration = static_cast<std::int64_t>(below(4000)) * second;
        return book_->break_glass(request, by, rules_, now());
      default:
        return book_->review(some_deed(), rules_, now());
    }
  }

  // What the changes of the store allow, and nothing of the book's own making.
  void check_against_rows() {
    const auto changes = load_changes(*database_, ledger::EntryRange{});
    ASSERT_TRUE(changes) << changes.error().what;
    std::map<std::int64_t, std::vector<const GrantChange*>> by_grant;
    for (const GrantChangeRow& row : *changes) {
      by_grant[row.change.after.id.value].push_back(&row.change);
    }
    for (const auto& [number, list] : by_grant) {
      ASSERT_EQ(load_grant(*database_, {number}).value(), list.back()->after);
      for (std::size_t i = 0; i < list.size(); ++i) {
        ASSERT_EQ(list[i]->after.changes, static_cast<std::int64_t>(i) + 1);
        ASSERT_EQ(list[i]->before.has_value(), i > 0);
        ASSERT_TRUE(i == 0 || *list[i]->before == list[i - 1]->after);
      }
    }
    for (const Actor& person : {ada, bob, cid, dan, eve}) {
      for (const char* system : {"a", "b"}) {
        const Grant* const grant = live(person, system);
        if (grant != nullptr) check_live(*grant, by_grant[grant->id.value]);
      }
    }
  }

  void check_live(const Grant& grant, const std::vector<const GrantChange*>& changes) {
    ASSERT_LT(now(), grant.until);
    std::set<std::string> approvers;
    bool broke = false;
    for (const GrantChange* const change : changes) {
      if (change->act == GrantAct::approve) approvers.insert(change->who);
      broke = broke || change->act == GrantAct::break_glass;
      ASSERT_FALSE(is_over(change->after.state));
    }
    ASSERT_FALSE(approvers.contains(grant.person));
    ASSERT_FALSE(approvers.contains(grant.requested_by));
    ASSERT_EQ(broke, grant.break_glass);
    const std::size_t needed = grant.purpose == "legal_duty" ? 2 : 1;
    ASSERT_GE(approvers.size(), broke ? 0 : needed);
    ASSERT_LE(grant.until - grant.from, broke ? hour : 24 * hour);
    ++lives_;
  }

  std::mt19937_64 random_{20261129};
  std::int64_t lives_ = 0;
  std::int64_t writes_ = 0;
};

TEST_F(RandomActs, NeverGiveAccessThatNoRowAllows) {
  for (int round = 0; round < 12; ++round) {
    clock_.set(start);
    database_ = fresh_store();
    ASSERT_TRUE(db::migrate(*database_, migrations(), start));
    reopen();
    std::vector<GrantChange> staged;
    for (int i = 0; i < 300; ++i) {
      clock_.advance(static_cast<std::int64_t>(below(1200)) * second);
      if (below(40) == 0) clock_.advance(-static_cast<std::int64_t>(below(7200)) * second);
      if (auto change = some_act()) staged.push_back(*std::move(change));
      if (below(10) == 0) {
        for (GrantChange& change : book_->expire(now())) staged.push_back(std::move(change));
      }
      const std::uint64_t fate = below(10);
      if (fate == 0) {
        book_->discard();
        staged.clear();
      } else if (fate < 6) {
        writes_ += static_cast<std::int64_t>(staged.size());
        ASSERT_TRUE(write(*database_, *book_, staged, ++entry_));
        staged.clear();
      }
      if (below(30) == 0 && staged.empty()) {
        const Standing before = book_->standing();
        reopen();
        // What was seen since the last change is not in the store.
        ASSERT_EQ(book_->standing().open, before.open);
        ASSERT_EQ(book_->standing().states, before.states);
      }
      if (i % 10 == 0) check_against_rows();
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(writes_, 500);
  EXPECT_GT(lives_, 100) << "the test looks at nothing";
}

}  // namespace
}  // namespace mailwarden::access
