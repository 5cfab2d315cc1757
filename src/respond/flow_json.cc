#include "respond/flow_json.h"

#include <algorithm>

#include "respond/flow_words.h"
#include "respond/value_type.h"

namespace mailwarden::respond::flow {
namespace {

using Texts = std::map<std::string, std::string, std::less<>>;

template <class Range>
void put_texts(json::Object& object, const char* name, const Range& texts) {
  if (!texts.empty()) object[name] = json::Array(texts.begin(), texts.end());
}
void put_map(json::Object& object, const char* name, const Texts& texts) {
  if (!texts.empty()) object[name] = json::Object(texts.begin(), texts.end());
}

json::Object rate_json(const Rate& rate) {
  return {{"times", rate.times}, {"per_us", std::int64_t{rate.per.count()}}};
}

// Takes members off an object; what is of another kind, or left over, makes it damaged.
class Taker {
 public:
  explicit Taker(const json::Value& value) {
    if (const auto* object = value.as_object()) {
      left_ = *object;
    } else {
      damaged_ = true;
    }
  }

  std::string text(std::string_view name) { return as<std::string>(name, &json::Value::as_string); }
  bool truth(std::string_view name) { return as<bool>(name, &json::Value::as_bool); }
  std::int64_t integer(std::string_view name) {
    return as<std::int64_t>(name, &json::Value::as_integer);
  }
  Duration time(std::string_view name) { return Duration(integer(name)); }
  json::Object object(std::string_view name) {
    return as<json::Object>(name, &json::Value::as_object);
  }
  json::Value value(std::string_view name) {
    const auto found = left_.find(name);
    if (found == left_.end()) return {};
    json::Value taken = std::move(found->second);
    left_.erase(found);
    return taken;
  }
  bool has(std::string_view name) const { return left_.contains(name); }

  std::vector<std::string> texts(std::string_view name) {
    std::vector<std::string> found;
    for (const json::Value& item : as<json::Array>(name, &json::Value::as_array)) {
      damaged_ = damaged_ || item.as_string() == nullptr;
      if (!damaged_) found.push_back(*item.as_string());
    }
    return found;
  }
  Texts map(std::string_view name) {
    Texts found;
    for (const auto& [key, item] : object(name)) {
      damaged_ = damaged_ || item.as_string() == nullptr;
      if (!damaged_) found[key] = *item.as_string();
    }
    return found;
  }
  Rate rate(std::string_view name) {
    if (!has(name)) return {};
    Taker inner(value(name));
    const Rate rate{.times = inner.integer("times"), .per = inner.time("per_us")};
    damaged_ = damaged_ || !inner.is_whole();
    return rate;
  }
  template <class T>
  T part(std::string_view name, Result<T> (*read)(const json::Value&)) {
    auto read_part = read(value(name));
    damaged_ = damaged_ || !read_part;
    return read_part ? *std::move(read_part) : T();
  }

  void damage() { damaged_ = true; }
  bool is_whole() const { return !damaged_ && left_.empty(); }

 private:
  template <class T>
  T as(std::string_view name, const T* (json::Value::*get)() const) {
    const json::Value taken = value(name);
    if (taken.is_null()) return {};
    const T* const found = (taken.*get)();
    if (found != nullptr) return *found;
    damaged_ = true;
    return {};
  }

  json::Object left_;
  bool damaged_ = false;
};

std::unexpected<Error> damaged(const std::string& what) {
  return fail(Code::corrupt, "a stored " + what + " is damaged");
}

json::Object to_json(const Variable& variable) {
  json::Object object{{"type", respond::to_string(variable.type)}};
  put(object, "meaning", variable.meaning);
  if (!variable.value.is_null()) object["value"] = variable.value;
  put(object, "constant", variable.constant);
  put(object, "external", variable.external);
  put(object, "from", variable.from);
  return object;
}

Result<Variable> variable_from_json(const json::Value& value) {
  Taker taker(value);
  const auto type = parse_variable_type(taker.text("type"));
  Variable variable{.type = type.value_or(VariableType::string),
                    .meaning = taker.text("meaning"),
                    .value = taker.value("value"),
                    .constant = taker.truth("constant"),
                    .external = taker.truth("external"),
                    .from = taker.text("from")};
  // A number without a fraction is written as an integer.
  if (type == VariableType::floating && variable.value.as_integer() != nullptr) {
    variable.value = static_cast<double>(*variable.value.as_integer());
  }
  if (!type || !taker.is_whole()) return damaged("variable");
  return variable;
}

json::Object to_json(const Probe& probe) {
  return {{"operation", to_json(probe.operation)}, {"holds", probe.holds}};
}

Result<Probe> probe_from_json(const json::Value& value) {
  Taker taker(value);
  Probe probe{.operation = taker.part("operation", operation_from_json),
              .holds = taker.text("holds")};
  if (!taker.is_whole()) return damaged("probe");
  return probe;
}

void put_doing(json::Object& object, const Step& step) {
  if (step.operation != Operation()) object["operation"] = to_json(step.operation);
  put(object, "repeatable", step.repeatable);
  if (step.probe) object["probe"] = to_json(*step.probe);
  if (step.undo) object["undo"] = to_json(*step.undo);
  if (step.retry != Retry()) {
    object["retry"] = json::Object{{"tries", step.retry.tries},
                                   {"pause_us", std::int64_t{step.retry.pause.count()}},
                                   {"pause_max_us", std::int64_t{step.retry.pause_max.count()}}};
  }
  if (step.rate != Rate()) object["rate"] = rate_json(step.rate);
  put_map(object, "set", step.set);
}

void take_doing(Taker& taker, Step& step) {
  if (taker.has("operation")) step.operation = taker.part("operation", operation_from_json);
  step.repeatable = taker.truth("repeatable");
  if (taker.has("probe")) step.probe = taker.part("probe", probe_from_json);
  if (taker.has("undo")) step.undo = taker.part("undo", operation_from_json);
  if (taker.has("retry")) {
    Taker inner(taker.value("retry"));
    step.retry = {.tries = inner.integer("tries"),
                  .pause = inner.time("pause_us"),
                  .pause_max = inner.time("pause_max_us")};
    if (!inner.is_whole()) taker.damage();
  }
  step.rate = taker.rate("rate");
  step.set = taker.map("set");
}

void put_choosing(json::Object& object, const Step& step) {
  put(object, "condition", step.condition);
  put(object, "then", step.then);
  put(object, "otherwise", step.otherwise);
  put_map(object, "cases", step.cases);
  put(object, "default_case", step.default_case);
  if (step.rounds_max != 0) object["rounds_max"] = step.rounds_max;
  put_texts(object, "branches", step.branches);
  put(object, "playbook", step.playbook);
  put_map(object, "with", step.with);
}

void take_choosing(Taker& taker, Step& step) {
  step.condition = taker.text("condition");
  step.then = taker.text("then");
  step.otherwise = taker.text("otherwise");
  step.cases = taker.map("cases");
  step.default_case = taker.text("default_case");
  step.rounds_max = taker.integer("rounds_max");
  step.branches = taker.texts("branches");
  step.playbook = taker.text("playbook");
  step.with = taker.map("with");
}

json::Object to_json(const When& when) {
  json::Object object{{"severity_from", static_cast<std::int64_t>(when.severity_from)}};
  put_texts(object, "rules", when.rules);
  put_texts(object, "types", when.types);
  return object;
}

Result<When> when_from_json(const json::Value& value) {
  Taker taker(value);
  const auto rules = taker.texts("rules");
  const auto types = taker.texts("types");
  const std::int64_t severity = taker.integer("severity_from");
  if (!taker.is_whole() || severity < 0 || severity > 3) return damaged("playbook");
  return When{.rules = {rules.begin(), rules.end()},
              .types = {types.begin(), types.end()},
              .severity_from = static_cast<incident::Severity>(severity)};
}

}  // namespace

void put(json::Object& object, const char* name, bool truth) {
  if (truth) object[name] = true;
}
void put(json::Object& object, const char* name, std::int64_t number) {
  if (number != 0) object[name] = number;
}
void put(json::Object& object, const char* name, Duration time) {
  put(object, name, std::int64_t{time.count()});
}
void put(json::Object& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}
void put(json::Object& object, const char* name, const json::Object& members) {
  if (!members.empty()) object[name] = members;
}

std::string_view to_string(StepKind kind) {
  return word_of(kind);
}

std::optional<StepKind> parse_step_kind(std::string_view text) {
  for (const StepKind kind : all_step_kinds) {
    if (word_of(kind) == text) return kind;
  }
  return std::nullopt;
}

json::Object to_json(const Operation& operation) {
  json::Object object{{"kind", to_string(operation.kind)}};
  put_texts(object, "to", operation.to);
  put(object, "text", operation.text);
  put_texts(object, "command", operation.command);
  put(object, "method", operation.method);
  put(object, "url", operation.url);
  put(object, "headers", operation.headers);
  if (!operation.body.is_null()) object["body"] = operation.body;
  put(object, "sign_with", operation.sign_with);
  put(object, "action", operation.action);
  put(object, "arguments", operation.arguments);
  object["time_out_us"] = std::int64_t{operation.time_out.count()};
  return object;
}

Result<Operation> operation_from_json(const json::Value& value) {
  Taker taker(value);
  const auto kind = parse_step_kind(taker.text("kind"));
  Operation operation{.kind = kind.value_or(StepKind::command),
                      .to = taker.texts("to"),
                      .text = taker.text("text"),
                      .command = taker.texts("command"),
                      .method = taker.text("method"),
                      .url = taker.text("url"),
                      .headers = taker.object("headers"),
                      .body = taker.value("body"),
                      .sign_with = taker.text("sign_with"),
                      .action = taker.text("action"),
                      .arguments = taker.object("arguments"),
                      .time_out = taker.time("time_out_us")};
  if (!kind || !taker.is_whole()) return damaged("operation");
  return operation;
}

json::Object to_json(const Step& step) {
  json::Object object{{"id", step.id}, {"kind", to_string(step.kind)}};
  put(object, "name", step.name);
  put(object, "description", step.description);
  put(object, "next", step.next);
  put(object, "on_failure", step.on_failure);
  put(object, "go_on", step.go_on);
  put(object, "delay_us", step.delay);
  put(object, "approval", step.approval);
  put_doing(object, step);
  put(object, "text", step.text);
  put(object, "within_us", step.within);
  put(object, "wait_us", step.wait);
  put_choosing(object, step);
  put(object, "cacao", step.cacao);
  return object;
}

Result<Step> step_from_json(const json::Value& value) {
  Taker taker(value);
  const auto kind = parse_step_kind(taker.text("kind"));
  Step step{.id = taker.text("id"),
            .kind = kind.value_or(StepKind::manual),
            .name = taker.text("name"),
            .description = taker.text("description"),
            .next = taker.text("next"),
            .on_failure = taker.text("on_failure"),
            .go_on = taker.truth("go_on"),
            .delay = taker.time("delay_us"),
            .approval = taker.text("approval")};
  take_doing(taker, step);
  step.text = taker.text("text");
  step.within = taker.time("within_us");
  step.wait = taker.time("wait_us");
  take_choosing(taker, step);
  step.cacao = taker.object("cacao");
  if (!kind || step.id.empty() || !taker.is_whole()) return damaged("step");
  return step;
}

json::Object to_json(const Playbook& playbook) {
  json::Object object{{"name", playbook.name}, {"start", playbook.start}};
  put(object, "title", playbook.title);
  put(object, "description", playbook.description);
  put(object, "file", playbook.file);
  put(object, "version", playbook.version);
  if (playbook.when) object["when"] = to_json(*playbook.when);
  put(object, "dry_run", playbook.dry_run);
  put(object, "undo_on_failure", playbook.undo_on_failure);
  put(object, "on_failure", playbook.on_failure);
  if (playbook.rate != Rate()) object["rate"] = rate_json(playbook.rate);
  json::Object variables;
  for (const auto& [name, variable] : playbook.variables) variables[name] = to_json(variable);
  put(object, "variables", variables);
  json::Array steps;
  for (const auto& [id, step] : playbook.steps) steps.emplace_back(to_json(step));
  object["steps"] = std::move(steps);
  put_texts(object, "order", playbook.order);
  put(object, "cacao", playbook.cacao);
  return object;
}

Result<Playbook> playbook_from_json(const json::Value& value) {
  Taker taker(value);
  Playbook playbook{.name = taker.text("name"),
                    .title = taker.text("title"),
                    .description = taker.text("description"),
                    .file = taker.text("file"),
                    .version = taker.text("version")};
  if (taker.has("when")) playbook.when = taker.part("when", when_from_json);
  playbook.dry_run = taker.truth("dry_run");
  playbook.undo_on_failure = taker.truth("undo_on_failure");
  playbook.on_failure = taker.text("on_failure");
  playbook.rate = taker.rate("rate");
  for (const auto& [name, variable] : taker.object("variables")) {
    auto read = variable_from_json(variable);
    if (!read) return std::unexpected(read.error());
    playbook.variables[name] = *std::move(read);
  }
  playbook.start = taker.text("start");
  const json::Value steps = taker.value("steps");
  if (steps.as_array() == nullptr || steps.as_array()->size() > FlowLimits::steps_max) {
    return damaged("playbook");
  }
  for (const json::Value& item : *steps.as_array()) {
    auto step = step_from_json(item);
    if (!step) return std::unexpected(step.error());
    const std::string id = step->id;
    if (!playbook.steps.emplace(id, *std::move(step)).second) return damaged("playbook");
  }
  playbook.order = taker.texts("order");
  playbook.cacao = taker.object("cacao");
  if (playbook.name.empty() || !taker.is_whole()) return damaged("playbook");
  return playbook;
}

}  // namespace mailwarden::respond::flow
