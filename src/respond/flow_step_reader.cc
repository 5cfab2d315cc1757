#include "respond/flow_step_reader.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "respond/condition_tree.h"
#include "respond/fill.h"
#include "respond/flow_file.h"
#include "respond/flow_words.h"

namespace mailwarden::respond::flow {
namespace {

using yaml::Node;
using yaml::Reader;

constexpr std::array methods{"GET", "POST", "PUT", "PATCH", "DELETE"};

// Which members a step may have besides those that every step has.
std::vector<std::string_view> members_of(StepKind kind) {
  switch (kind) {
    case StepKind::notify:
      return {"text", "approval", "undo", "rate", "retry", "repeatable", "time_out"};
    case StepKind::command:
      return {"approval",   "undo",     "rate",  "retry", "tries_max",
              "repeatable", "time_out", "probe", "set"};
    case StepKind::http:
      return {"url",   "headers",   "body",       "sign_with", "approval", "undo", "rate",
              "retry", "tries_max", "repeatable", "time_out",  "probe",    "set"};
    case StepKind::action:
      return {"with",       "approval", "undo",  "rate", "retry",
              "repeatable", "time_out", "probe", "set"};
    case StepKind::manual:
      return {"approval", "within", "set"};
    case StepKind::approval:
      return {"within"};
    case StepKind::wait:
      return {};
    case StepKind::if_condition:
      return {"then", "else"};
    case StepKind::switch_condition:
      return {"cases", "default"};
    case StepKind::while_condition:
      return {"at_most", "do"};
    case StepKind::parallel:
      return {};
    case StepKind::playbook:
      return {"with", "set", "approval", "rate"};
  }
  return {};
}

constexpr std::array common_members{"id",         "name",  "description", "next",
                                    "on_failure", "go_on", "delay",       "cacao"};

bool is_absolute_program(const std::string& path) {
  return path.starts_with('/') && !path.contains("${");
}

void check_template(Reader& reader, const Node& node) {
  if (node.scalar.size() > text_bytes_max) {
    reader.mistake(node, "a text has at most " + std::to_string(text_bytes_max) + " bytes");
  }
  if (const auto names = variables_in(node.scalar); !names) {
    reader.mistake(node, names.error().what);
  }
}

std::vector<std::string> read_templates(Reader& reader, const Node& map, std::string_view name) {
  std::vector<std::string> texts = reader.texts(map, name);
  const Node* const list = map.find(name);
  if (list != nullptr) {
    for (const Node& item : list->items) check_template(reader, item);
  }
  return texts;
}

json::Object read_object(Reader& reader, const Node& map, std::string_view name) {
  const Node* const node = map.find(name);
  if (node == nullptr) return {};
  const json::Value value = read_json(reader, *node, true);
  if (const auto* object = value.as_object()) return *object;
  reader.mistake(*node, "'" + std::string(name) + "' must be a map");
  return {};
}

void read_command(Reader& reader, const Node& node, Operation& operation) {
  operation.command = read_templates(reader, node, "command");
  if (operation.command.empty()) return;
  const Node& list = *node.find("command");
  if (!is_absolute_program(operation.command.front())) {
    reader.mistake(list, "the executable must be an absolute path without variables");
  }
  if (operation.command.size() > FlowLimits::arguments_max) {
    reader.mistake(list, "too many arguments");
  }
}

void read_http(Reader& reader, const Node& node, Operation& operation) {
  operation.method = reader.text(node, "http");
  operation.url = read_template(reader, node, "url");
  if (std::ranges::find(methods, operation.method) == methods.end()) {
    reader.mistake(*node.find("http"), "'http' must be GET, POST, PUT, PATCH or DELETE");
  }
  const std::string& url = operation.url;
  const std::size_t scheme = url.find("://");
  const std::size_t path = url.find_first_of("/?#", scheme == std::string::npos ? 0 : scheme + 3);
  const bool http = url.starts_with("http://") || url.starts_with("https://");
  // A variable in the host would let whoever writes log lines choose the server.
  if (!url.empty() && (!http || url.substr(0, path).contains("${"))) {
    reader.mistake(*node.find("url"),
                   "'url' must begin with https:// or http:// and a host without variables");
  }
  operation.headers = read_object(reader, node, "headers");
  for (const auto& [name, value] : operation.headers) {
    if (value.as_string() == nullptr) reader.mistake(*node.find("headers"), "a header is a text");
  }
  if (const Node* const body = node.find("body")) operation.body = read_json(reader, *body, true);
  operation.sign_with = reader.text(node, "sign_with", "");
}

Operation read_operation(Reader& reader, const Node& node, StepKind kind) {
  Operation operation;
  operation.kind = kind;
  switch (kind) {
    case StepKind::notify:
      operation.to = reader.texts(node, "notify");
      operation.text = read_template(reader, node, "text");
      break;
    case StepKind::command:
      read_command(reader, node, operation);
      break;
    case StepKind::http:
      read_http(reader, node, operation);
      break;
    default:
      operation.action = reader.text(node, "action");
      operation.arguments = read_object(reader, node, "with");
      break;
  }
  operation.time_out = reader.duration(node, "time_out", operation.time_out);
  return operation;
}

// The operation of an undo or a probe: a map of its own, with the members of its kind.
Operation read_inner(Reader& reader, const Node& node, std::string_view what,
                     std::initializer_list<std::string_view> more) {
  std::vector<StepKind> named;
  for (const StepKind kind : all_step_kinds) {
    if (is_operation(kind) && node.find(word_of(kind)) != nullptr) named.push_back(kind);
  }
  if (!node.is_map() || named.size() != 1) {
    reader.mistake(node, std::string(what) + " is one of notify, command, http, action");
    return {};
  }
  constexpr std::array members{"text", "url", "headers", "body", "sign_with", "with", "time_out"};
  const auto allowed = members_of(named[0]);
  for (const auto& [name, value] : node.entries) {
    const bool own = std::ranges::find(members, name.scalar) != members.end() &&
                     std::ranges::find(allowed, name.scalar) != allowed.end();
    if (own || name.scalar == word_of(named[0]) ||
        std::ranges::find(more, name.scalar) != more.end()) {
      continue;
    }
    reader.mistake(name, "'" + printable(name.scalar) + "' is not known in " + std::string(what));
  }
  return read_operation(reader, node, named[0]);
}

}  // namespace

std::string read_template(Reader& reader, const Node& map, std::string_view name) {
  std::string text = reader.text(map, name);
  if (!text.empty()) check_template(reader, *map.find(name));
  return text;
}

void check_name(Reader& reader, const Node& name) {
  if (name.scalar.size() <= name_bytes_max) return;
  reader.mistake(name, "a name has at most " + std::to_string(name_bytes_max) + " bytes");
}

json::Value read_json(Reader& reader, const Node& node, bool with_variables) {
  if (node.is_map()) {
    json::Object object;
    for (const auto& [name, item] : node.entries) {
      check_name(reader, name);
      object[name.scalar] = read_json(reader, item, with_variables);
    }
    return object;
  }
  if (node.is_sequence()) {
    json::Array array;
    for (const Node& item : node.items) array.push_back(read_json(reader, item, with_variables));
    return array;
  }
  if (node.is_null()) return {};
  if (with_variables) check_template(reader, node);
  if (yaml::is_true(node)) return true;
  if (yaml::is_false(node)) return false;
  if (node.quoted) return node.scalar;
  // What JSON takes for a number is one.
  if (const auto value = json::parse(node.scalar);
      value && (value->as_integer() != nullptr || value->as_number() != nullptr)) {
    return *value;
  }
  return node.scalar;
}

Rate read_rate(Reader& reader, const Node& map) {
  const Node* const node = map.find("rate");
  if (node == nullptr || !reader.is_map(*node, "'rate'", {"times", "per"})) return {};
  for (const std::string_view name : {"times", "per"}) {
    if (node->find(name) == nullptr) {
      reader.mistake(*node, "'rate' must have '" + std::string(name) + "'");
    }
  }
  return {.times = reader.integer(*node, "times", 1, 1'000'000, 0),
          .per = reader.duration(*node, "per", {})};
}

Step StepReader::read() {
  step_.id = reader_.text(node_, "id");
  if (!step_.id.empty() && !is_step_id(step_.id)) {
    reader_.mistake(*node_.find("id"), "'id' must be letters, digits, '-' and '_', " +
                                           std::to_string(id_bytes_max) +
                                           " at most, and not 'end'");
    step_.id.clear();
  }
  read_kind();
  return step_;
}

void StepReader::read_kind() {
  std::string words;
  std::size_t named = 0;
  for (const StepKind kind : all_step_kinds) {
    words += (words.empty() ? "" : ", ") + std::string(word_of(kind));
    if (node_.find(word_of(kind)) == nullptr) continue;
    step_.kind = kind;
    ++named;
  }
  if (named != 1) {
    reader_.mistake(node_, "a step is one of " + words);
    return;
  }
  check_known();
  read_common();
  if (is_operation(step_.kind)) {
    read_doing();
  } else if (step_.kind == StepKind::manual || step_.kind == StepKind::approval ||
             step_.kind == StepKind::wait) {
    read_asking();
  } else if (step_.kind == StepKind::playbook) {
    read_playbook();
  } else {
    read_choosing();
  }
  read_set();
}

void StepReader::check_known() const {
  const auto more = members_of(step_.kind);
  for (const auto& [name, value] : node_.entries) {
    if (name.scalar == word_of(step_.kind) ||
        std::ranges::find(common_members, name.scalar) != common_members.end() ||
        std::ranges::find(more, name.scalar) != more.end()) {
      continue;
    }
    reader_.mistake(name, "'" + printable(name.scalar) + "' is not known in a step of kind " +
                              std::string(word_of(step_.kind)));
  }
}

void StepReader::read_common() {
  step_.name = reader_.text(node_, "name", "");
  step_.description = reader_.text(node_, "description", "");
  step_.go_on = reader_.truth(node_, "go_on", false);
  step_.delay = reader_.duration(node_, "delay", {});
  if (node_.find("approval") != nullptr) {
    step_.approval = read_template(reader_, node_, "approval");
  }
  step_.rate = read_rate(reader_, node_);
  step_.within = reader_.duration(node_, "within", {});
  if (const Node* const cacao = node_.find("cacao")) {
    const json::Value kept = read_json(reader_, *cacao, false);
    if (kept.as_object() == nullptr) reader_.mistake(*cacao, "'cacao' must be a map");
    if (kept.as_object() != nullptr) step_.cacao = *kept.as_object();
  }
}

void StepReader::read_doing() {
  step_.operation = read_operation(reader_, node_, step_.kind);
  step_.repeatable = reader_.truth(node_, "repeatable", default_repeatable(step_.kind));
  read_retry();
  read_probe();
  read_undo();
}

void StepReader::read_retry() {
  step_.retry = default_retry(step_.kind);
  step_.retry.tries =
      reader_.integer(node_, "tries_max", 1, FlowLimits::tries_max, step_.retry.tries);
  const Node* const retry = node_.find("retry");
  if (retry == nullptr || !reader_.is_map(*retry, "'retry'", {"tries", "pause", "pause_max"})) {
    return;
  }
  if (node_.find("tries_max") != nullptr) {
    reader_.mistake(*retry, "'retry' and 'tries_max' say the same; only one may stand here");
  }
  step_.retry.tries = reader_.integer(*retry, "tries", 1, FlowLimits::tries_max, step_.retry.tries);
  step_.retry.pause = reader_.duration(*retry, "pause", step_.retry.pause);
  step_.retry.pause_max =
      reader_.duration(*retry, "pause_max", std::max(step_.retry.pause, step_.retry.pause_max));
  if (step_.retry.pause_max < step_.retry.pause) {
    reader_.mistake(*retry, "'pause_max' must not be shorter than 'pause'");
  }
}

void StepReader::read_probe() {
  const Node* const node = node_.find("probe");
  if (node == nullptr) return;
  Probe probe;
  probe.operation = read_inner(reader_, *node, "'probe'", {"holds"});
  if (probe.operation.kind == StepKind::notify) {
    reader_.mistake(*node, "'probe' must ask something, and not tell");
  }
  if (node->is_map()) probe.holds = condition(*node, "holds");
  step_.probe = std::move(probe);
}

void StepReader::read_undo() {
  const Node* const node = node_.find("undo");
  if (node != nullptr) step_.undo = read_inner(reader_, *node, "'undo'", {});
}

void StepReader::read_asking() {
  if (step_.kind != StepKind::wait) {
    step_.text = read_template(reader_, node_, word_of(step_.kind));
    return;
  }
  step_.wait = reader_.duration(node_, "wait", {});
  if (step_.wait > FlowLimits::wait_max) {
    reader_.mistake(*node_.find("wait"),
                    "'wait' must not be longer than " + to_words(FlowLimits::wait_max));
  }
}

void StepReader::read_choosing() {
  switch (step_.kind) {
    case StepKind::switch_condition:
      step_.condition = read_template(reader_, node_, "switch");
      return;
    case StepKind::while_condition:
      step_.condition = condition(node_, "while");
      step_.rounds_max = reader_.integer(node_, "at_most", 1, FlowLimits::rounds_max, 0);
      if (node_.find("at_most") == nullptr) {
        reader_.mistake(node_, "'at_most' must say how many rounds there may be");
      }
      return;
    case StepKind::if_condition:
      step_.condition = condition(node_, "if");
      return;
    default:
      return;
  }
}

void StepReader::read_playbook() {
  step_.playbook = reader_.text(node_, "playbook");
  const Node* const with = node_.find("with");
  if (with == nullptr) return;
  if (!with->is_map()) return reader_.mistake(*with, "'with' must be a map");
  for (const auto& [name, value] : with->entries) {
    if (!is_variable_name(name.scalar)) {
      reader_.mistake(name, "'" + printable(name.scalar) + "' is no name of a variable");
    }
    step_.with[name.scalar] = read_template(reader_, *with, name.scalar);
  }
}

void StepReader::read_set() {
  const Node* const set = node_.find("set");
  if (set == nullptr) return;
  if (!set->is_map()) return reader_.mistake(*set, "'set' must be a map");
  for (const auto& [name, value] : set->entries) {
    if (!is_variable_name(name.scalar)) {
      reader_.mistake(name, "'" + printable(name.scalar) + "' is no name of a variable");
    }
    step_.set[name.scalar] = reader_.text(*set, name.scalar);
  }
}

std::string StepReader::condition(const Node& map, std::string_view name) {
  std::string text = reader_.text(map, name);
  if (text.empty()) return text;
  if (const auto read = Condition::parse(text); !read) {
    reader_.mistake(*map.find(name), "'" + std::string(name) + "', " + read.error().what);
  }
  return text;
}

}  // namespace mailwarden::respond::flow
