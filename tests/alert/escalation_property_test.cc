// Random chains on an incident against an oracle that goes through them minute by minute. It knows
// nothing of rounds in progress or of next steps: it lists what is due, and strikes out what the
// manual page says does not come.
#include <map>
#include <random>
#include <set>

#include "alert/escalation_table.h"
#include "incident/incident_table.h"
#include "tests/alert/escalation_world.h"
#include "tests/db/store.h"

namespace mailwarden::alert {
namespace {

using std::chrono::minutes;

struct Plan {
  std::vector<int> after;  // minutes
  int repeat = 0;
  int repeat_after = 0;
};

using Place = std::pair<int, int>;  // round and step, from 0

// What of one beginning must have been told by the ticks so far.
class Oracle {
 public:
  Oracle(Plan plan, int began) : plan_(std::move(plan)), began_(began), looked_(began - 1) {}

  // In order; what came due since the last tick, without rounds that were missed as a whole.
  std::vector<Place> tick(int now) {
    for (int minute = looked_ + 1; minute <= now; ++minute) {
      for (int round = 0; round <= plan_.repeat; ++round) {
        for (int step = 0; step < steps(); ++step) {
          if (due(round, step) == minute) waiting_.emplace(round, step);
        }
      }
    }
    looked_ = std::max(looked_, now);
    for (int round = 0; round < plan_.repeat; ++round) {
      const bool begun = told_.contains({round, 0}) || struck_.contains(round);
      if (begun || due(round + 1, 0) > now) continue;
      struck_.insert(round);
      for (int step = 0; step < steps(); ++step) waiting_.erase({round, step});
    }
    std::vector<Place> told(waiting_.begin(), waiting_.end());
    told_.insert(told.begin(), told.end());
    waiting_.clear();
    if (!told.empty()) last_ = now;
    return told;
  }
  // Whether it has come to its end unanswered by then.
  bool is_exhausted(int now) const {
    return told_.contains({plan_.repeat, steps() - 1}) &&
           now >= last_ + plan_.repeat_after - plan_.after.back();
  }

 private:
  int steps() const { return static_cast<int>(plan_.after.size()); }
  int due(int round, int step) const {
    return began_ + round * plan_.repeat_after + plan_.after[static_cast<std::size_t>(step)];
  }

  Plan plan_;
  int began_;
  int looked_;
  int last_ = 0;
  std::set<Place> waiting_;
  std::set<Place> told_;
  std::set<int> struck_;
};

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  int below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(engine_); }
  bool once_in(int times) { return below(times) == 0; }

  Plan plan() {
    Plan made;
    int after = below(3) * 5;
    for (int i = 0; i <= below(4); ++i) {
      made.after.push_back(after);
      after += 1 + below(20);
    }
    made.repeat = below(4);
    made.repeat_after = made.after.back() + 1 + below(30);
    return made;
  }

 private:
  std::mt19937_64 engine_;
};

std::string yaml_of(const Plan& plan) {
  std::string text = "chains:\n- name: c\n  repeat: " + std::to_string(plan.repeat) +
                     "\n  repeat_after: " + std::to_string(plan.repeat_after) + "m\n  steps:\n";
  for (const int after : plan.after) {
    text +=
        "  - {" + (after == 0 ? "" : "after: " + std::to_string(after) + "m, ") + "to: [spool]}\n";
  }
  return text;
}

// A life of one incident: answered, raised, with restarts and a clock that jumps.
class Life {
 public:
  explicit Life(std::uint64_t seed)
      : random_(seed), plan_(random_.plan()), world_(yaml_of(plan_)), store_(fresh_store()) {
    std::vector<db::Migration> all(incident::migrations().begin(), incident::migrations().end());
    all.insert(all.end(), escalation_migrations().begin(), escalation_migrations().end());
    EXPECT_TRUE(db::migrate(*store_, all, {0}));
  }

  void run() {
    keep(world_.open());
    oracle_.emplace(plan_, 0);
    while (minute_ < 600 && !testing::Test::HasFailure()) {
      minute_ += random_.once_in(20) ? 1 + random_.below(150) : 1;
      world_.now_ = world_start + minutes(minute_);
      if (random_.once_in(60)) answer();
      if (random_.once_in(150)) raise();
      tick();
      if (random_.once_in(15)) restart();
    }
    EXPECT_EQ(keys_.size(), told_);
  }

 private:
  void keep(const std::vector<EscalationMove>& moves) {
    for (const EscalationMove& move : moves) {
      ASSERT_TRUE(store_escalation(*store_, move.escalation));
    }
  }

  void answer() {
    if (world_.incident_.acknowledged != Timestamp()) return;
    keep(world_.acknowledge());
    oracle_.reset();
  }
  void raise() {
    if (world_.incident_.severity == incident::Severity::extreme) return;
    keep(world_.raise(
        static_cast<incident::Severity>(static_cast<int>(world_.incident_.severity) + 1)));
    oracle_.emplace(plan_, minute_);
  }

  void tick() {
    const auto moves = world_.tick();
    keep(moves);
    std::vector<Place> told;
    bool is_exhausted = false;
    for (const EscalationMove& move : moves) {
      is_exhausted = is_exhausted || move.kind == EscalationMove::Kind::exhausted;
      if (move.kind != EscalationMove::Kind::reached) continue;
      told.emplace_back(static_cast<int>(move.round), static_cast<int>(move.step));
      EXPECT_LE(move.due, world_.now_) << "early";
      for (const Alert& alert : world_.alerts(move)) {
        EXPECT_TRUE(keys_.insert(alert.key).second) << alert.key << " twice";
        ++told_;
      }
    }
    const auto expected = oracle_ ? oracle_->tick(minute_) : std::vector<Place>();
    EXPECT_EQ(told, expected) << "minute " << minute_ << "\n" << yaml_of(plan_);
    EXPECT_EQ(is_exhausted, oracle_ && oracle_->is_exhausted(minute_)) << "minute " << minute_;
    if (is_exhausted) oracle_.reset();
  }

  // What is not in the table is lost; another file must not matter, either.
  void restart() {
    incident::Incident open = world_.incident_;
    ASSERT_TRUE(incident::store_incident(*store_, open));
    auto loaded = load_escalations(*store_);
    ASSERT_TRUE(loaded) << loaded.error().what;
    world_.book_ = EscalationBook(*std::move(loaded));
  }

  Random random_;
  Plan plan_;
  World world_;
  std::unique_ptr<db::Database> store_;
  std::optional<Oracle> oracle_;
  int minute_ = 0;
  std::set<std::string> keys_;
  std::size_t told_ = 0;
};

TEST(EscalationProperty, EveryStepIsToldOnceNeverEarlyAndNotBehindAnAnswer) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life(seed).run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace mailwarden::alert
