// Random playbooks to their end: against a plain interpreter, and over a crash at every durable
// edge.
#include "tests/respond/flow_random.h"

#include <cstdlib>

namespace mailwarden::respond::flow {
namespace {

// Everything outside the daemon: it does not crash with it.
class World {
 public:
  explicit World(std::uint64_t seed) : seed_(seed) {}

  Result<json::Object> answer(const Effect& effect, const std::string& name, const Step& step) {
    if (effect.kind == Effect::Kind::probe) {
      const bool is_there = effects_[name] > 0 && undone_[name] == 0;
      return json::Object{{"exit", is_there ? 0 : 1}};
    }
    std::map<std::string, int>& done = effect.is_undo ? undone_ : effects_;
    const Fate fate = effect.is_undo ? Fate{} : fate_of(seed_, name);
    const bool knows_key = may_repeat(step);
    const auto have_effect = [&] {
      int& times = done[name];
      if (!knows_key || times == 0) ++times;
    };
    if (effect.tries <= fate.vain_tries) {
      if (!knows_key && fate.has_effect_in_vain) have_effect();
      return fail(Code::unavailable, "out of time");
    }
    if (fate.refused) return fail(Code::denied, "refused");
    have_effect();
    return json::Object{{"output", fate.output}};
  }

  bool is_there(const std::string& name, bool is_undo) {
    return (is_undo ? undone_ : effects_)[name] > 0;
  }
  const std::map<std::string, int>& effects() const { return effects_; }
  const std::map<std::string, int>& undone() const { return undone_; }

 private:
  std::uint64_t seed_;
  std::map<std::string, int> effects_;
  std::map<std::string, int> undone_;
};

// A daemon that works on one run of "main", and is killed at one of its edges.
class Daemon {
 public:
  static constexpr std::int64_t never = -1;

  Daemon(std::uint64_t seed, const Playbooks& playbooks, std::int64_t crash_at)
      : seed_(seed),
        means_(means_over(playbooks)),
        world_(seed),
        random_(seed),
        crash_at_(crash_at) {
    const std::vector<Playbook> one{playbooks.at("main")};
    if (!take(book_.start_due(one, some_incident(), now_))) {
      // The incident's change was not stored with it, and comes again.
      crash();
      take(book_.start_due(one, some_incident(), now_));
    }
  }

  // False where it stands still.
  bool work() {
    for (int turn = 0; turn < 5000; ++turn) {
      if (const Run* const run = book_.find(1); run != nullptr && is_over(run->state)) return true;
      if (!step()) return false;
    }
    return false;
  }

  const World& world() const { return world_; }
  const Run& run() const { return *book_.find(1); }
  std::int64_t edges() const { return edge_; }
  // In the order in which they were intended for the first time.
  const std::vector<std::string>& intended() const { return intended_; }
  const std::vector<std::string>& done() const { return done_; }
  const std::vector<std::string>& undone() const { return undone_; }

 private:
  // Whether the daemon dies here.
  bool edge() { return edge_++ == crash_at_; }

  void crash() {
    effects_.clear();
    book_ = store_.load(means_, now_);
    take(book_.resume(now_));
    if (book_.find(1) != nullptr) return;
    // It is over, or has not begun.
    if (auto family = load_family(store_.database(), 1)) book_.recall(*std::move(family));
  }

  // False where it died before the moves were stored.
  bool take(const Moves& moves) {
    if (edge()) return false;
    store_.store(book_, moves);
    for (const Effect& effect : moves.effects) effects_.push_back(effect);
    for (const StepChange& change : moves.changes) note(change);
    if (edge()) crash();
    return true;
  }
  void note(const StepChange& change) {
    if (change.step.empty()) return;
    const std::string name = name_of(change.run, change.step, change.visit);
    const bool is_new = std::ranges::find(intended_, name) == intended_.end();
    if (change.after == "intended" && is_new) intended_.push_back(name);
    if (change.after == "done" && !change.is_undo) done_.push_back(name);
    if (change.after == "undone") undone_.push_back(name);
  }
  void take_or_crash(const Moves& moves) {
    if (!take(moves)) crash();
  }

  std::string name_of(std::int64_t number, const std::string& step, std::int64_t visit) {
    const Run& run = *book_.find(number);
    std::string path;
    if (run.parent != 0) {
      const Run& parent = *book_.find(run.parent);
      path = paths_
                 .try_emplace(number, name_of(run.parent, run.parent_step,
                                              parent.steps.at(run.parent_step).visit))
                 .first->second;
    }
    return path + "/" + step + "#" + std::to_string(visit);
  }

  bool step() {
    if (!effects_.empty() && random_() % 4 != 0) {
      do_effect();
      return true;
    }
    if (answer_somebody()) return true;
    if (!effects_.empty()) {
      do_effect();
      return true;
    }
    const auto due = book_.next_due();
    if (!due) return false;
    now_ = std::max(now_, *due);
    take_or_crash(book_.tick(now_));
    return true;
  }

  void do_effect() {
    const auto at = static_cast<std::ptrdiff_t>(random_() % effects_.size());
    const Effect effect = effects_[static_cast<std::size_t>(at)];
    effects_.erase(effects_.begin() + at);
    const std::string name = name_of(effect.run, effect.step, effect.visit);
    const Step& step = book_.find(effect.run)->graph->step(effect.step);
    auto answer = world_.answer(effect, name, step);
    if (edge()) return crash();
    take_or_crash(book_.settle(outcome_of(effect, std::move(answer)), now_));
  }

  // Who looks, says what there is.
  RunAct act_of(const Run& run, const Standing& standing) {
    using Kind = RunAct::Kind;
    const std::string name = name_of(run.number, standing.step, standing.visit);
    const Fate fate = fate_of(seed_, name);
    RunAct act{.run = run.number, .step = standing.step, .who = "ann", .why = "looked"};
    act.value = std::to_string(fate.output);
    if (standing.state == StepState::needs_approval) {
      act.kind = fate.rejected ? Kind::reject : Kind::approve;
    } else if (standing.state == StepState::needs_person) {
      act.kind = fate.rejected ? Kind::failed : Kind::done;
    } else {
      act.kind = world_.is_there(name, standing.is_undo) ? Kind::done : Kind::again;
    }
    return act;
  }

  bool answer_somebody() {
    for (std::int64_t number = 1; number < 200; ++number) {
      const Run* const run = book_.find(number);
      if (run == nullptr) continue;
      std::vector<Standing> all(run->undos.begin(), run->undos.end());
      for (const auto& [id, standing] : run->steps) all.push_back(standing);
      for (const Standing& standing : all) {
        if (!waits_for_person(standing.state)) continue;
        auto moves = book_.act(act_of(*run, standing), now_);
        EXPECT_TRUE(moves) << moves.error().what;
        if (!moves) return false;
        take_or_crash(*moves);
        return true;
      }
    }
    return false;
  }

  std::uint64_t seed_;
  Means means_;
  World world_;
  std::mt19937_64 random_;
  std::int64_t crash_at_;
  std::int64_t edge_ = 0;
  Timestamp now_ = start_time;
  FlowStore store_;
  RunBook book_{means_, {}};
  std::vector<Effect> effects_;
  std::vector<std::string> intended_;
  std::vector<std::string> done_;
  std::vector<std::string> undone_;
  std::map<std::int64_t, std::string> paths_;
};

// The first and the last place among what was intended; the same for what has no effects.
using Span = std::optional<std::pair<std::size_t, std::size_t>>;

// `is_part`: not everything has to be among them.
Span check_order(const Order& order, const std::vector<std::string>& intended,
                 bool is_part = false) {
  Span span;
  if (!order.effect.empty()) {
    const auto at = std::ranges::find(intended, order.effect);
    if (is_part && at == intended.end()) return std::nullopt;
    EXPECT_NE(at, intended.end()) << order.effect;
    const auto place = static_cast<std::size_t>(at - intended.begin());
    return std::pair{place, place};
  }
  for (const Order& part : order.parts) {
    const Span inner = check_order(part, intended, is_part);
    if (!inner) continue;
    if (span && !order.is_beside) {
      EXPECT_LT(span->second, inner->first);
    }
    span =
        span ? std::pair{std::min(span->first, inner->first), std::max(span->second, inner->second)}
             : *inner;
  }
  return span;
}

struct Expected {
  Interpreter::Ran ran;
  std::map<std::string, int> effects;
  std::set<std::string> undone;
};

Expected interpret(std::uint64_t seed, const Playbooks& playbooks) {
  Interpreter interpreter(seed, playbooks);
  json::Object values;
  for (const auto& [name, variable] : playbooks.at("main").variables) values[name] = variable.value;
  auto ran = interpreter.run("main", "", std::move(values));
  return {std::move(ran), interpreter.effects(), interpreter.undone()};
}

void expect_same(Daemon& daemon, const Expected& expected) {
  EXPECT_EQ(daemon.run().state, expected.ran.good ? RunState::done : RunState::failed);
  for (const auto& [name, value] : expected.ran.values) {
    EXPECT_EQ(daemon.run().values.at(name), value) << name;
  }
  for (const auto& [name, times] : daemon.world().effects()) {
    EXPECT_TRUE(expected.effects.contains(name)) << name;
    EXPECT_LE(times, 1) << name << " was done twice";
  }
  for (const auto& [name, times] : expected.effects) {
    const auto found = daemon.world().effects().find(name);
    EXPECT_EQ(found == daemon.world().effects().end() ? 0 : found->second, times) << name;
  }
  std::set<std::string> undone;
  for (const auto& [name, times] : daemon.world().undone()) {
    EXPECT_LE(times, 1) << name << " was taken back twice";
    if (times > 0) undone.insert(name);
  }
  EXPECT_EQ(undone, expected.undone);
}

// What a run takes back, it takes back the last first, but what stood beside each other.
std::map<std::string, std::vector<std::string>> undone_by_run(const Daemon& daemon) {
  std::map<std::string, std::vector<std::string>> backwards;
  for (const std::string& name : daemon.undone()) {
    std::vector<std::string>& of_run = backwards[name.substr(0, name.rfind('/'))];
    of_run.insert(of_run.begin(), name);
  }
  return backwards;
}

int wanted(int few, int many) {
  const char* const edges = std::getenv("MAILWARDEN_EDGES");
  return edges != nullptr && std::string_view(edges) == "all" ? many : few;
}

TEST(FlowRandom, DoesWhatAPlainInterpreterSays) {
  std::size_t effects = 0;
  std::size_t undone = 0;
  const int count = wanted(300, 5000);
  for (int seed = 1; seed <= count; ++seed) {
    SCOPED_TRACE(seed);
    const Playbooks playbooks = Generator(static_cast<std::uint64_t>(seed)).make();
    const Expected expected = interpret(static_cast<std::uint64_t>(seed), playbooks);
    Daemon daemon(static_cast<std::uint64_t>(seed), playbooks, Daemon::never);
    ASSERT_TRUE(daemon.work()) << "it stands still";
    expect_same(daemon, expected);
    check_order(expected.ran.order, daemon.intended());
    for (const auto& [run, backwards] : undone_by_run(daemon)) {
      check_order(expected.ran.order, backwards, true);
    }
    ASSERT_FALSE(testing::Test::HasFailure());
    effects += expected.effects.size();
    undone += expected.undone.size();
  }
  std::printf("%d playbooks, %zu effects, %zu taken back\n", count, effects, undone);
  EXPECT_GT(undone, 50U);
}

// A crash at any edge changes nothing of what comes of a run: before and behind each commit, and
// between an effect and the news of it.
TEST(FlowRandom, ComesToTheSameOverACrashAtEveryEdge) {
  std::int64_t crashes = 0;
  const int count = wanted(12, 200);
  for (int seed = 1; seed <= count; ++seed) {
    const Playbooks playbooks = Generator(static_cast<std::uint64_t>(seed)).make();
    const Expected expected = interpret(static_cast<std::uint64_t>(seed), playbooks);
    Daemon undisturbed(static_cast<std::uint64_t>(seed), playbooks, Daemon::never);
    ASSERT_TRUE(undisturbed.work());
    for (std::int64_t at = 0; at < undisturbed.edges(); ++at) {
      SCOPED_TRACE("playbook " + std::to_string(seed) + ", edge " + std::to_string(at));
      Daemon daemon(static_cast<std::uint64_t>(seed), playbooks, at);
      ASSERT_TRUE(daemon.work()) << "it stands still";
      expect_same(daemon, expected);
      ASSERT_FALSE(testing::Test::HasFailure());
      ++crashes;
    }
  }
  std::printf("%d playbooks, %lld edges crashed\n", count, static_cast<long long>(crashes));
  EXPECT_GT(crashes, 100);
}

}  // namespace
}  // namespace mailwarden::respond::flow
