#include "respond/flow_json.h"

#include <algorithm>
#include <array>
#include <optional>

namespace mailwarden::respond::flow {
namespace {

using json::Array;
using json::Object;
using json::Value;

constexpr std::array kinds{std::pair{StepKind::notify, std::string_view("notify")},
                           std::pair{StepKind::command, std::string_view("command")},
                           std::pair{StepKind::http, std::string_view("http")},
                           std::pair{StepKind::action, std::string_view("action")},
                           std::pair{StepKind::manual, std::string_view("manual")},
                           std::pair{StepKind::approval, std::string_view("approval")},
                           std::pair{StepKind::wait, std::string_view("wait")},
                           std::pair{StepKind::if_condition, std::string_view("if")},
                           std::pair{StepKind::switch_condition, std::string_view("switch")},
                           std::pair{StepKind::while_condition, std::string_view("while")},
                           std::pair{StepKind::parallel, std::string_view("parallel")},
                           std::pair{StepKind::playbook, std::string_view("playbook")}};

constexpr std::array types{std::pair{VariableType::boolean, std::string_view("bool")},
                           std::pair{VariableType::dictionary, std::string_view("dictionary")},
                           std::pair{VariableType::floating, std::string_view("float")},
                           std::pair{VariableType::hexstring, std::string_view("hexstring")},
                           std::pair{VariableType::integer, std::string_view("integer")},
                           std::pair{VariableType::ipv4_addr, std::string_view("ipv4-addr")},
                           std::pair{VariableType::ipv6_addr, std::string_view("ipv6-addr")},
                           std::pair{VariableType::list, std::string_view("list")},
                           std::pair{VariableType::long_int, std::string_view("long")},
                           std::pair{VariableType::mac_addr, std::string_view("mac-addr")},
                           std::pair{VariableType::hash, std::string_view("hash")},
                           std::pair{VariableType::sha256_hash, std::string_view("sha256-hash")},
                           std::pair{VariableType::string, std::string_view("string")},
                           std::pair{VariableType::uri, std::string_view("uri")},
                           std::pair{VariableType::uuid, std::string_view("uuid")}};

// What differs from its default.
class Writer {
 public:
  void put(const char* name, const std::string& text) {
    if (!text.empty()) object_[name] = text;
  }
  void put(const char* name, bool truth) {
    if (truth) object_[name] = true;
  }
  void put(const char* name, std::int64_t number, std::int64_t standard) {
    if (number != standard) object_[name] = number;
  }
  void put(const char* name, Duration duration, Duration standard = {}) {
    put(name, std::int64_t{duration.count()}, standard.count());
  }
  void put(const char* name, const Object& object) {
    if (!object.empty()) object_[name] = object;
  }
  void put(const char* name, const Value& value) {
    if (!value.is_null()) object_[name] = value;
  }
  template <class Texts>
  void put_texts(const char* name, const Texts& texts) {
    if (!texts.empty()) object_[name] = Array(texts.begin(), texts.end());
  }
  template <class Texts>
  void put_map(const char* name, const Texts& texts) {
    if (!texts.empty()) object_[name] = Object(texts.begin(), texts.end());
  }
  void put(const char* name, const Rate& rate) {
    if (rate.times != 0) {
      object_[name] = Object{{"per_us", std::int64_t{rate.per.count()}}, {"times", rate.times}};
    }
  }
  Object take() { return std::move(object_); }

 private:
  Object object_;
};

std::vector<std::string> texts_of(const Value& value) {
  std::vector<std::string> texts;
  if (value.as_array() == nullptr) return texts;
  for (const Value& item : *value.as_array()) {
    if (item.as_string() != nullptr) texts.push_back(*item.as_string());
  }
  return texts;
}

std::map<std::string, std::string, std::less<>> map_of(const Value& value) {
  std::map<std::string, std::string, std::less<>> texts;
  if (value.as_object() == nullptr) return texts;
  for (const auto& [name, item] : *value.as_object()) {
    if (item.as_string() != nullptr) texts[name] = *item.as_string();
  }
  return texts;
}

Object object_of(const Value& value) {
  return value.as_object() == nullptr ? Object() : *value.as_object();
}

bool truth_of(const Value& value) {
  return value == Value(true);
}

Duration duration_of(const Value& value, std::string_view name, Duration standard = {}) {
  return Duration(value.integer(name, standard.count()));
}

Rate rate_of(const Value& value) {
  return {.times = value.integer("times"), .per = duration_of(value, "per_us")};
}

template <class Names>
auto found_in(const Names& names, const std::string& name) {
  const auto* const found = std::ranges::find(names, name, [](const auto& n) { return n.second; });
  return found == names.end() ? std::nullopt : std::optional(found->first);
}

std::unexpected<Error> damaged() {
  return fail(Code::corrupt, "a stored playbook is damaged");
}

void put_branches(Writer& writer, const Step& step) {
  writer.put("condition", step.condition);
  writer.put("then", step.then);
  writer.put("otherwise", step.otherwise);
  writer.put_map("cases", step.cases);
  writer.put("default_case", step.default_case);
  writer.put("rounds_max", step.rounds_max, 0);
  writer.put_texts("branches", step.branches);
  writer.put("playbook", step.playbook);
  writer.put_map("with", step.with);
}

void read_branches(const Value& value, Step& step) {
  step.condition = value.text("condition");
  step.then = value.text("then");
  step.otherwise = value.text("otherwise");
  step.cases = map_of(value["cases"]);
  step.default_case = value.text("default_case");
  step.rounds_max = value.integer("rounds_max");
  step.branches = texts_of(value["branches"]);
  step.playbook = value.text("playbook");
  step.with = map_of(value["with"]);
}

Result<void> read_operations(const Value& value, Step& step) {
  if (!value["operation"].is_null()) {
    auto operation = operation_from_json(value["operation"]);
    if (!operation) return std::unexpected(operation.error());
    step.operation = *std::move(operation);
  }
  if (!value["undo"].is_null()) {
    auto undo = operation_from_json(value["undo"]);
    if (!undo) return std::unexpected(undo.error());
    step.undo = *std::move(undo);
  }
  if (!value["probe"].is_null()) {
    auto probe = operation_from_json(value["probe"]["operation"]);
    if (!probe) return std::unexpected(probe.error());
    step.probe = Probe{.operation = *std::move(probe), .holds = value["probe"].text("holds")};
  }
  return {};
}

Result<Step> step_from_json(const std::string& id, const Value& value) {
  const auto kind = found_in(kinds, value.text("kind"));
  if (!kind) return damaged();
  Step step{.id = id,
            .kind = *kind,
            .name = value.text("name"),
            .description = value.text("description"),
            .next = value.text("next"),
            .on_failure = value.text("on_failure"),
            .go_on = truth_of(value["go_on"]),
            .delay = duration_of(value, "delay_us"),
            .approval = value.text("approval"),
            .repeatable = truth_of(value["repeatable"]),
            .rate = rate_of(value["rate"]),
            .set = map_of(value["set"]),
            .text = value.text("text"),
            .within = duration_of(value, "within_us"),
            .wait = duration_of(value, "wait_us"),
            .cacao = object_of(value["cacao"])};
  const Value& retry = value["retry"];
  step.retry = {.tries = retry.integer("tries", step.retry.tries),
                .pause = duration_of(retry, "pause_us", step.retry.pause),
                .pause_max = duration_of(retry, "pause_max_us", step.retry.pause_max)};
  read_branches(value, step);
  if (auto read = read_operations(value, step); !read) return std::unexpected(read.error());
  return step;
}

std::string_view name_of(VariableType type) {
  return std::ranges::find(types, type, [](const auto& t) { return t.first; })->second;
}

Object to_json(const Variable& variable) {
  Writer writer;
  writer.put("type", std::string(name_of(variable.type)));
  writer.put("meaning", variable.meaning);
  writer.put("value", variable.value);
  writer.put("constant", variable.constant);
  writer.put("external", variable.external);
  writer.put("from", variable.from);
  return writer.take();
}

Result<Variables> variables_from_json(const Object& members) {
  Variables variables;
  for (const auto& [name, value] : members) {
    const auto type = found_in(types, value.text("type"));
    if (!type) return damaged();
    variables[name] = {.type = *type,
                       .meaning = value.text("meaning"),
                       .value = value["value"],
                       .constant = truth_of(value["constant"]),
                       .external = truth_of(value["external"]),
                       .from = value.text("from")};
  }
  return variables;
}

}  // namespace

std::string_view to_string(StepKind kind) {
  return std::ranges::find(kinds, kind, [](const auto& k) { return k.first; })->second;
}

Object to_json(const Operation& operation) {
  Writer writer;
  writer.put("kind", std::string(to_string(operation.kind)));
  writer.put_texts("to", operation.to);
  writer.put("text", operation.text);
  writer.put_texts("command", operation.command);
  writer.put("method", operation.method);
  writer.put("url", operation.url);
  writer.put("headers", operation.headers);
  writer.put("body", operation.body);
  writer.put("sign_with", operation.sign_with);
  writer.put("action", operation.action);
  writer.put("arguments", operation.arguments);
  writer.put("time_out_us", operation.time_out, Operation().time_out);
  return writer.take();
}

Result<Operation> operation_from_json(const Value& value) {
  const auto kind = found_in(kinds, value.text("kind"));
  if (!kind) return damaged();
  return Operation{.kind = *kind,
                   .to = texts_of(value["to"]),
                   .text = value.text("text"),
                   .command = texts_of(value["command"]),
                   .method = value.text("method"),
                   .url = value.text("url"),
                   .headers = object_of(value["headers"]),
                   .body = value["body"],
                   .sign_with = value.text("sign_with"),
                   .action = value.text("action"),
                   .arguments = object_of(value["arguments"]),
                   .time_out = duration_of(value, "time_out_us", Operation().time_out)};
}

Object to_json(const Step& step) {
  Writer writer;
  writer.put("kind", std::string(to_string(step.kind)));
  writer.put("name", step.name);
  writer.put("description", step.description);
  writer.put("next", step.next);
  writer.put("on_failure", step.on_failure);
  writer.put("go_on", step.go_on);
  writer.put("delay_us", step.delay);
  writer.put("approval", step.approval);
  writer.put("operation", step.operation == Operation() ? Object() : to_json(step.operation));
  writer.put("repeatable", step.repeatable);
  if (step.probe) {
    writer.put("probe",
               Object{{"holds", step.probe->holds}, {"operation", to_json(step.probe->operation)}});
  }
  if (step.undo) writer.put("undo", to_json(*step.undo));
  Writer retry;
  retry.put("tries", step.retry.tries, Retry().tries);
  retry.put("pause_us", step.retry.pause, Retry().pause);
  retry.put("pause_max_us", step.retry.pause_max, Retry().pause_max);
  writer.put("retry", retry.take());
  writer.put("rate", step.rate);
  writer.put_map("set", step.set);
  writer.put("text", step.text);
  writer.put("within_us", step.within);
  writer.put("wait_us", step.wait);
  put_branches(writer, step);
  writer.put("cacao", step.cacao);
  return writer.take();
}

Object to_json(const Playbook& playbook) {
  Writer writer;
  writer.put("name", playbook.name);
  writer.put("title", playbook.title);
  writer.put("description", playbook.description);
  writer.put("file", playbook.file);
  writer.put("version", playbook.version);
  if (playbook.when) {
    Writer when;
    when.put_texts("rules", playbook.when->rules);
    when.put_texts("types", playbook.when->types);
    when.put("severity_from", static_cast<std::int64_t>(playbook.when->severity_from), -1);
    writer.put("when", when.take());
  }
  writer.put("dry_run", playbook.dry_run);
  writer.put("undo_on_failure", playbook.undo_on_failure);
  writer.put("on_failure", playbook.on_failure);
  writer.put("rate", playbook.rate);
  Object variables;
  for (const auto& [name, variable] : playbook.variables) variables[name] = to_json(variable);
  writer.put("variables", variables);
  writer.put("start", playbook.start);
  Object steps;
  for (const auto& [id, step] : playbook.steps) steps[id] = to_json(step);
  writer.put("steps", steps);
  writer.put_texts("order", playbook.order);
  writer.put("cacao", playbook.cacao);
  return writer.take();
}

Result<Playbook> playbook_from_json(const Value& value) {
  const auto* const steps = value["steps"].as_object();
  if (steps == nullptr) return damaged();
  Playbook playbook{.name = value.text("name"),
                    .title = value.text("title"),
                    .description = value.text("description"),
                    .file = value.text("file"),
                    .version = value.text("version"),
                    .dry_run = truth_of(value["dry_run"]),
                    .undo_on_failure = truth_of(value["undo_on_failure"]),
                    .on_failure = value.text("on_failure"),
                    .rate = rate_of(value["rate"]),
                    .start = value.text("start"),
                    .order = texts_of(value["order"]),
                    .cacao = object_of(value["cacao"])};
  if (const Value& when = value["when"]; !when.is_null()) {
    const auto rules = texts_of(when["rules"]);
    const auto names = texts_of(when["types"]);
    playbook.when =
        When{.rules = {rules.begin(), rules.end()},
             .types = {names.begin(), names.end()},
             .severity_from = static_cast<incident::Severity>(when.integer("severity_from"))};
  }
  auto variables = variables_from_json(object_of(value["variables"]));
  if (!variables) return std::unexpected(variables.error());
  playbook.variables = *std::move(variables);
  for (const auto& [id, step] : *steps) {
    auto read = step_from_json(id, step);
    if (!read) return std::unexpected(read.error());
    playbook.steps[id] = *std::move(read);
  }
  return playbook;
}

}  // namespace mailwarden::respond::flow
