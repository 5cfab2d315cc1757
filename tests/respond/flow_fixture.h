// Playbooks as structs, a language of a few words for them, and a store under the book.
#pragma once

#include <gtest/gtest.h>

#include "base/text.h"
#include "respond/flow_run.h"
#include "respond/flow_run_table.h"
#include "respond/run_table.h"
#include "tests/db/store.h"

namespace mailwarden::respond::flow {

inline constexpr Timestamp start_time{1'764'000'000'000'000};

inline Result<std::string> fill_in(std::string_view text, const Means::Lookup& lookup) {
  std::string filled;
  while (true) {
    const std::size_t begin = text.find("${");
    filled += text.substr(0, begin);
    if (begin == std::string_view::npos) return filled;
    const std::size_t end = text.find('}', begin);
    const std::string_view name = text.substr(begin + 2, end - begin - 2);
    const json::Value value = lookup(name);
    if (value.is_null()) return fail(Code::not_found, std::string(name) + " has no value");
    filled += value.as_string() != nullptr ? *value.as_string() : json::to_text(value);
    text.remove_prefix(end + 1);
  }
}

// "a < 3" and "a == 3" over integers; "true", "false"; "a" alone where it is a bool.
inline Result<bool> holds_in(std::string_view condition, const Means::Lookup& lookup) {
  if (condition == "true" || condition == "false") return condition == "true";
  const auto words = split(condition, ' ');
  const json::Value value = lookup(words[0]);
  if (value.is_null()) return fail(Code::not_found, std::string(words[0]) + " has no value");
  if (words.size() == 1) return value == json::Value(true);
  if (value.as_integer() == nullptr) return fail(Code::invalid, "it is no number");
  const std::int64_t other = to_integer(words[2]).value();
  return words[1] == "<" ? *value.as_integer() < other : *value.as_integer() == other;
}

inline Result<Operation> fill_operation(Operation operation, const Means::Lookup& lookup) {
  for (std::string* text : {&operation.text, &operation.url}) {
    auto filled = fill_in(*text, lookup);
    if (!filled) return std::unexpected(filled.error());
    *text = *filled;
  }
  for (std::string& argument : operation.command) {
    auto filled = fill_in(argument, lookup);
    if (!filled) return std::unexpected(filled.error());
    if (filled->starts_with("-")) return fail(Code::invalid, "it would read as an option");
    argument = *filled;
  }
  return operation;
}

inline Result<json::Value> read_value(VariableType type, const json::Value& value) {
  const std::string* const text = value.as_string();
  if (type == VariableType::string) return text != nullptr ? value : json::to_text(value);
  if (type == VariableType::boolean) return json::Value(value == json::Value("true"));
  if (value.as_integer() != nullptr) return value;
  const auto number = text != nullptr ? to_integer(*text) : std::nullopt;
  if (!number) return fail(Code::invalid, "it is no integer");
  return json::Value(*number);
}

inline std::string describe_operation(const Operation& operation) {
  std::string text = operation.kind == StepKind::command  ? "run"
                     : operation.kind == StepKind::http   ? operation.method + " " + operation.url
                     : operation.kind == StepKind::notify ? "tell: " + operation.text
                                                          : "do " + operation.action;
  for (const std::string& argument : operation.command) text += " " + argument;
  return text;
}

using Playbooks = std::map<std::string, Playbook, std::less<>>;

// The playbooks must outlive the book.
inline Means means_over(const Playbooks& playbooks) {
  return {.holds = holds_in,
          .fill_text = fill_in,
          .fill_exactly = fill_in,
          .fill_value = [](const json::Value& value,
                           const Means::Lookup& lookup) -> Result<json::Value> {
            auto filled = fill_in(*value.as_string(), lookup);
            if (!filled) return std::unexpected(filled.error());
            return json::Value(*std::move(filled));
          },
          .fill = fill_operation,
          .read = read_value,
          .describe = describe_operation,
          .describe_unguarded = [](const Operation& operation,
                                   const Means::Lookup&) { return describe_operation(operation); },
          .is_repeatable = [](std::string_view action) { return action.starts_with("again"); },
          .incident_values =
              [](const incident::Incident& incident) {
                return json::Object{{"incident.number", incident.number},
                                    {"incident.entity", incident.entity.name}};
              },
          .find = [&playbooks](std::string_view name) -> const Playbook* {
            const auto found = playbooks.find(name);
            return found == playbooks.end() ? nullptr : &found->second;
          }};
}

// Steps follow each other in this order unless they say otherwise or stand in a branch.
inline Playbook playbook_of(std::vector<Step> steps, const std::string& name = "p") {
  Playbook playbook{.name = name, .title = "T", .version = "v1", .when = When{.rules = {"a"}}};
  playbook.start = steps.front().id;
  for (Step& step : steps) {
    playbook.order.push_back(step.id);
    const std::string id = step.id;
    playbook.steps[id] = std::move(step);
  }
  return playbook;
}

inline Step command(const std::string& id, const std::string& next = "") {
  return {.id = id,
          .kind = StepKind::command,
          .next = next,
          .operation = {.kind = StepKind::command, .command = {"/bin/" + id}}};
}
inline Step http(const std::string& id, const std::string& next = "") {
  return {.id = id,
          .kind = StepKind::http,
          .next = next,
          .operation = {.kind = StepKind::http, .method = "POST", .url = "http://h/" + id}};
}
inline Operation undo_of(const std::string& id) {
  return {.kind = StepKind::http, .method = "POST", .url = "http://h/undo-" + id};
}

inline incident::Incident some_incident() {
  return {.number = 7, .title = "t", .entity = {"account", "eve"}, .rules = {"a"}};
}

// Moves are stored as the core stores them: each call's as one.
class FlowStore {
 public:
  FlowStore() { EXPECT_TRUE(db::migrate(*database_, migrations(), start_time)); }

  void store(const RunBook& book, const Moves& moves) {
    auto transaction = db::Transaction::begin(*database_);
    ASSERT_TRUE(transaction);
    for (const StepChange& change : moves.changes) {
      ASSERT_TRUE(store_move(*database_, {.entry = ++entry_,
                                          .run = change.run,
                                          .when = change.when,
                                          .record = to_record(change, *book.find(change.run))}));
    }
    for (const std::int64_t run : moves.runs()) {
      ASSERT_TRUE(store_run(*database_, *book.find(run)));
    }
    ASSERT_TRUE(transaction->commit());
  }
  RunBook load(const Means& means, Timestamp now) {
    auto stored = load_stored(*database_, now);
    EXPECT_TRUE(stored) << stored.error().what;
    return RunBook(means, *std::move(stored));
  }
  db::Database& database() { return *database_; }

 private:
  std::unique_ptr<db::Database> database_ = fresh_store();
  std::int64_t entry_ = 0;
};

using namespace std::chrono_literals;
using Words = std::vector<std::string>;
using Kind = RunAct::Kind;

// "lock:waiting>intended"; of an undo "lock!done>undoing".
inline Words words(const Moves& moves) {
  Words all;
  for (const StepChange& change : moves.changes) {
    all.push_back(change.step + (change.is_undo ? "!" : ":") + change.before + ">" + change.after);
  }
  return all;
}

inline Words keys(const Moves& moves) {
  Words all;
  for (const Effect& effect : moves.effects) {
    all.push_back((effect.kind == Effect::Kind::probe ? "?" : "") + effect.key);
  }
  return all;
}

// A book over a store: each call's moves are stored, and restart() loads them again.
class FlowRun : public testing::Test {
 protected:
  void begin(Playbook playbook) {
    const std::string name = playbook.name;
    playbooks_[name] = std::move(playbook);
    begin_named(name);
  }
  void begin_named(const std::string& name) {
    const std::vector<Playbook> one{playbooks_.at(name)};
    incident::Incident incident = some_incident();
    incident.number = next_incident_++;
    take(book_.start_due(one, incident, now_));
  }
  void take(Moves moves) {
    last_ = std::move(moves);
    effects_.insert(effects_.end(), last_.effects.begin(), last_.effects.end());
    store_.store(book_, last_);
  }
  void restart() {
    book_ = store_.load(means_, now_);
    effects_.clear();
    take(book_.resume(now_));
  }
  // Of the effect that is asked for longest.
  void settle(Result<json::Object> answer) {
    ASSERT_FALSE(effects_.empty());
    const Effect effect = effects_.front();
    effects_.erase(effects_.begin());
    take(book_.settle(outcome_of(effect, std::move(answer)), now_));
  }
  void settle_good() { settle(json::Object{{"exit", 0}}); }
  void pass(Duration time) {
    now_ = now_ + time;
    take(book_.tick(now_));
  }
  Result<void> act(RunAct::Kind kind, const std::string& step, const std::string& value = "") {
    return act({.kind = kind, .run = 1, .step = step, .who = "ann", .why = "w", .value = value});
  }
  Result<void> act(const RunAct& order) {
    auto moves = book_.act(order, now_);
    if (!moves) return std::unexpected(moves.error());
    take(*std::move(moves));
    return {};
  }
  std::string state(const std::string& step, std::int64_t run = 1) const {
    return std::string(to_string(book_.find(run)->steps.at(step).state));
  }
  std::string run_state(std::int64_t run = 1) const {
    return std::string(to_string(book_.find(run)->state));
  }
  json::Value value(const std::string& name) const { return book_.find(1)->values.at(name); }

  Timestamp now_ = start_time;
  Playbooks playbooks_;
  Means means_ = means_over(playbooks_);
  FlowStore store_;
  RunBook book_{means_, {}};
  Moves last_;
  std::vector<Effect> effects_;
  std::int64_t next_incident_ = 7;
};

inline const auto unavailable = std::unexpected(Error{Code::unavailable, "out of time"});
inline const auto denied = std::unexpected(Error{Code::denied, "refused"});
inline const auto not_started = std::unexpected(Error{Code::io, "no such file"});

}  // namespace mailwarden::respond::flow
