// Random playbooks, what the world outside answers to them, and a plain interpreter that says what
// must come of it.
#pragma once

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "crypto/sha256.h"
#include "respond/flow_walk.h"
#include "tests/respond/flow_fixture.h"

namespace mailwarden::respond::flow {

// How one visit of a step goes, wherever it is asked.
struct Fate {
  std::int64_t vain_tries = 0;      // before one that is answered
  bool has_effect_in_vain = false;  // and nobody learns of it
  bool refused = false;
  bool rejected = false;  // by whoever approves or is asked
  std::int64_t output = 0;
};

// Of "/call#1/lock#2": the same in every run of the same seed.
inline Fate fate_of(std::uint64_t seed, const std::string& name) {
  const auto digest = crypto::sha256(std::to_string(seed) + name);
  const auto roll = [&](std::size_t at, int of) { return std::to_integer<int>(digest[at]) % of; };
  return {.vain_tries = roll(0, 4) == 0 ? 1 + roll(1, 3) : 0,
          .has_effect_in_vain = roll(2, 2) == 0,
          .refused = roll(3, 9) == 0,
          .rejected = roll(4, 5) == 0,
          .output = roll(5, 100)};
}

// Where nobody can ask, and where asking again is no way.
inline bool may_repeat(const Step& step) {
  return step.operation.kind == StepKind::http || step.repeatable;
}

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  // "main", and "sub" where it calls one.
  Playbooks make() {
    Playbooks all;
    all["sub"] = make_one("sub", 1, {"s0", "s1"});
    all["sub"].variables["s0"].external = true;
    Playbook main = make_one("main", 3, {"v0", "v1", "v2", "v3"});
    main.when = When{.rules = {"a"}};
    all["main"] = std::move(main);
    return all;
  }

 private:
  using Names = std::vector<std::string>;

  int roll(int of) { return static_cast<int>(random_() % static_cast<std::uint64_t>(of)); }
  const std::string& pick(const Names& names) {
    return names[static_cast<std::size_t>(roll(static_cast<int>(names.size())))];
  }

  Playbook make_one(const std::string& name, int depth, const Names& variables) {
    playbook_ = {.name = name, .title = name};
    count_ = 0;
    for (const std::string& variable : variables) {
      playbook_.variables[variable] = {.type = VariableType::integer, .value = roll(100)};
    }
    playbook_.start = chain(depth, variables, 2 + roll(3));
    playbook_.undo_on_failure = roll(4) != 0;
    if (roll(3) == 0) playbook_.on_failure = chain(0, variables, 1);
    return playbook_;
  }

  // Steps one after the other; the first one's id.
  std::string chain(int depth, const Names& variables, int length) {
    std::string next;
    for (int i = 0; i < length; ++i) next = step(depth, variables, next);
    return next;
  }

  std::string step(int depth, const Names& variables, const std::string& next) {
    Step step{.id = "x" + std::to_string(count_++), .next = next, .go_on = roll(4) == 0};
    const int kind = roll(depth > 0 ? 13 : 8);
    if (kind < 6) make_operation(step, variables);
    if (kind == 6) make_question(step, variables);
    if (kind == 7) {
      step.kind = StepKind::wait;
      step.wait = std::chrono::seconds(roll(100));
    }
    if (kind == 8) make_if(step, depth, variables);
    if (kind == 9) make_switch(step, depth, variables);
    if (kind == 10) make_while(step, depth, variables);
    if (kind == 11) make_parallel(step, depth, variables);
    if (kind == 12) make_call(step, depth, variables);
    if (roll(6) == 0) step.delay = std::chrono::seconds(5);
    if (roll(6) == 0) step.on_failure = chain(0, variables, 1);
    const std::string id = step.id;
    playbook_.order.push_back(id);
    playbook_.steps[id] = std::move(step);
    return id;
  }

  void make_operation(Step& step, const Names& variables) {
    const int way = roll(5);
    step.kind = way < 2 ? StepKind::http : StepKind::command;
    step.operation = {.kind = step.kind, .url = "http://h/"};
    if (step.kind == StepKind::command) step.operation.command = {"/bin/do"};
    step.repeatable = way == 2;
    if (way == 3) {
      step.probe = Probe{.operation = {.command = {"/bin/look"}}, .holds = "exit == 0"};
    }
    step.retry = {.tries = 1 + roll(4), .pause = std::chrono::seconds(1)};
    if (roll(5) == 0) step.approval = "Really?";
    // What a probe or a person says of it has no answer to set.
    if (may_repeat(step) && roll(2) == 0) step.set[pick(variables)] = "output";
    if (roll(2) == 0) {
      step.undo = step.operation;
      step.undo->text = "undo";
    }
  }

  void make_question(Step& step, const Names& variables) {
    step.kind = roll(2) == 0 ? StepKind::manual : StepKind::approval;
    step.text = "?";
    if (roll(2) == 0) step.set[pick(variables)] = "answer";
  }

  void make_if(Step& step, int depth, const Names& variables) {
    step.kind = StepKind::if_condition;
    step.condition = pick(variables) + " < " + std::to_string(roll(100));
    step.then = chain(depth - 1, variables, 1 + roll(2));
    if (roll(2) == 0) step.otherwise = chain(depth - 1, variables, 1);
  }

  void make_switch(Step& step, int depth, const Names& variables) {
    step.kind = StepKind::switch_condition;
    step.condition = "${" + pick(variables) + "}";
    for (int i = 0; i < 40; i += 20) {
      step.cases[std::to_string(i + roll(20))] = chain(depth - 1, variables, 1);
    }
    if (roll(2) == 0) step.default_case = chain(depth - 1, variables, 1);
  }

  void make_while(Step& step, int depth, const Names& variables) {
    step.kind = StepKind::while_condition;
    step.condition = pick(variables) + " < " + std::to_string(30 + roll(60));
    step.rounds_max = 1 + roll(3);
    step.then = chain(depth - 1, variables, 1 + roll(2));
  }

  // Each branch has its own variables, so that their order changes nothing.
  void make_parallel(Step& step, int depth, const Names& variables) {
    if (variables.size() < 2) return make_if(step, depth, variables);
    step.kind = StepKind::parallel;
    const auto middle = variables.begin() + static_cast<std::ptrdiff_t>(variables.size() / 2);
    step.branches = {chain(depth - 1, Names(variables.begin(), middle), 1 + roll(2)),
                     chain(depth - 1, Names(middle, variables.end()), 1 + roll(2))};
  }

  void make_call(Step& step, int depth, const Names& variables) {
    if (playbook_.name == "sub") return make_if(step, depth, variables);
    step.kind = StepKind::playbook;
    step.playbook = "sub";
    step.with = {{"s0", "${" + pick(variables) + "}"}};
    if (roll(2) == 0) step.set[pick(variables)] = "s1";
  }

  std::mt19937_64 random_;
  Playbook playbook_;
  int count_ = 0;
};

// What must happen, and in which order: a leaf is one effect; what stands beside each other has no
// order.
struct Order {
  std::string effect;
  bool is_beside = false;
  std::vector<Order> parts;
};

// Walks the playbooks by recursion, with nothing of the engine.
class Interpreter {
 public:
  Interpreter(std::uint64_t seed, const Playbooks& playbooks) : seed_(seed), books_(playbooks) {}

  struct Undo {
    std::string effect;  // "" for all of a run's
    std::vector<Undo> inner;
  };
  struct Ran {
    bool good = false;
    json::Object values;
    std::vector<Undo> undos;  // what can still be taken back
    Order order;
  };

  Ran run(const std::string& playbook, const std::string& path, json::Object values) {
    const Playbook& book = books_.at(playbook);
    Frame frame{.book = book, .path = path, .values = std::move(values)};
    Order order;
    const bool good = chain(frame, book.start, order);
    if (!good && !book.on_failure.empty()) chain(frame, book.on_failure, order);
    if (!good && book.undo_on_failure) {
      for (const Undo& undo : frame.undos) take_back(undo);
      frame.undos.clear();
    }
    return {good, frame.values, frame.undos, order};
  }

  const std::map<std::string, int>& effects() const { return effects_; }  // 1 where it is there
  const std::set<std::string>& undone() const { return undone_; }

 private:
  struct Frame {
    const Playbook& book;
    std::string path;
    json::Object values;
    std::map<std::string, int> visits = {};
    std::vector<Undo> undos = {};
  };

  void take_back(const Undo& undo) {
    for (const Undo& inner : undo.inner) take_back(inner);
    if (!undo.effect.empty()) undone_.insert(undo.effect);
  }

  bool chain(Frame& frame, std::string id, Order& order) {
    while (!id.empty()) {
      const Step& step = frame.book.steps.find(id)->second;
      const bool good = visit(frame, step, order);
      if (!good && !step.on_failure.empty()) {
        id = step.on_failure;
      } else if (good || step.go_on) {
        id = step.next;
      } else {
        return false;
      }
    }
    return true;
  }

  static Means::Lookup lookup(const Frame& frame) {
    return [&](std::string_view name) { return frame.values.find(name)->second; };
  }

  bool visit(Frame& frame, const Step& step, Order& order) {
    const std::string name =
        frame.path + "/" + step.id + "#" + std::to_string(++frame.visits[step.id]);
    const Fate fate = fate_of(seed_, name);
    const auto set = [&](std::int64_t value) {
      for (const auto& [variable, from] : step.set) frame.values[variable] = value;
    };
    switch (step.kind) {
      case StepKind::wait:
        return true;
      case StepKind::manual:
      case StepKind::approval:
        if (fate.rejected) return false;
        set(fate.output);
        return true;
      case StepKind::if_condition:
        return chain(frame,
                     holds_in(step.condition, lookup(frame)).value() ? step.then : step.otherwise,
                     order);
      case StepKind::switch_condition: {
        const auto found = step.cases.find(fill_in(step.condition, lookup(frame)).value());
        return chain(frame, found != step.cases.end() ? found->second : step.default_case, order);
      }
      case StepKind::while_condition:
        return loop(frame, step, order);
      case StepKind::parallel:
        return beside(frame, step, order);
      case StepKind::playbook:
        return call(frame, step, name, order);
      default:
        return operate(frame, step, name, order);
    }
  }

  bool loop(Frame& frame, const Step& step, Order& order) {
    for (int round = 0; holds_in(step.condition, lookup(frame)).value(); ++round) {
      if (round == step.rounds_max || !chain(frame, step.then, order)) return false;
    }
    return true;
  }

  bool beside(Frame& frame, const Step& step, Order& order) {
    Order both{.effect = "", .is_beside = true, .parts = {}};
    bool good = true;
    for (const std::string& first : step.branches) {
      Order branch;
      good &= chain(frame, first, branch);
      both.parts.push_back(std::move(branch));
    }
    order.parts.push_back(std::move(both));
    return good;
  }

  bool call(Frame& frame, const Step& step, const std::string& name, Order& order) {
    json::Object values;
    for (const auto& [variable, known] : books_.at(step.playbook).variables) {
      values[variable] = known.value;
    }
    for (const auto& [variable, text] : step.with) {
      values[variable] = to_integer(fill_in(text, lookup(frame)).value()).value();
    }
    Ran ran = run(step.playbook, name, std::move(values));
    order.parts.push_back(std::move(ran.order));
    if (!ran.undos.empty()) frame.undos.push_back({"", std::move(ran.undos)});
    if (!ran.good) return false;
    for (const auto& [variable, from] : step.set) frame.values[variable] = ran.values.at(from);
    return true;
  }

  bool operate(Frame& frame, const Step& step, const std::string& name, Order& order) {
    const Fate fate = fate_of(seed_, name);
    if (!step.approval.empty() && fate.rejected) return true;
    order.parts.push_back({.effect = name, .is_beside = false, .parts = {}});
    const bool may_be_lost = !may_repeat(step);
    effects_[name] = 0;
    if (fate.vain_tries > 0 && may_be_lost && fate.has_effect_in_vain) {
      effects_[name] = 1;
    } else if (fate.vain_tries >= step.retry.tries && (!may_be_lost || step.probe)) {
      return false;
    } else if (fate.refused) {
      return false;
    } else {
      effects_[name] = 1;
    }
    for (const auto& [variable, from] : step.set) frame.values[variable] = fate.output;
    if (step.undo) frame.undos.push_back({name, {}});
    return true;
  }

  std::uint64_t seed_;
  const Playbooks& books_;
  std::map<std::string, int> effects_;
  std::set<std::string> undone_;
};

}  // namespace mailwarden::respond::flow
