#include "respond/playbook.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "base/text.h"
#include "crypto/sha256.h"
#include "json/yaml_reader.h"

namespace mailwarden::respond {
namespace {

using yaml::Node;

constexpr std::array kinds{std::pair{StepKind::notify, std::string_view("notify")},
                           std::pair{StepKind::command, std::string_view("command")},
                           std::pair{StepKind::http, std::string_view("http")},
                           std::pair{StepKind::manual, std::string_view("manual")}};

constexpr std::array variables{"incident.number", "incident.title",       "incident.severity",
                               "incident.entity", "incident.entity_kind", "incident.row"};

constexpr std::array methods{"GET", "POST", "PUT", "PATCH", "DELETE"};

// Calls `found` with each variable's name and `text` with what lies between; false where a "${" is
// never closed.
bool walk(std::string_view whole, const std::function<void(std::string_view)>& text,
          const std::function<void(std::string_view)>& found) {
  while (true) {
    const std::size_t begin = whole.find("${");
    text(whole.substr(0, begin));
    if (begin == std::string_view::npos) return true;
    const std::size_t end = whole.find('}', begin);
    if (end == std::string_view::npos) return false;
    found(whole.substr(begin + 2, end - begin - 2));
    whole.remove_prefix(end + 1);
  }
}

class StepReader {
 public:
  StepReader(yaml::Reader& reader, const Node& node) : reader_(reader), node_(node) {}

  Step read() {
    step_.id = reader_.text(node_, "id");
    std::size_t named = 0;
    for (const auto& [kind, name] : kinds) {
      if (node_.find(name) == nullptr) continue;
      step_.kind = kind;
      ++named;
    }
    if (named != 1) {
      reader_.mistake(node_, "a step is one of notify, command, http, manual");
      return step_;
    }
    read_common();
    switch (step_.kind) {
      case StepKind::notify:
        known({"text"});
        step_.to = reader_.texts(node_, "notify");
        step_.text = reader_.text(node_, "text");
        break;
      case StepKind::command:
        known({"repeatable", "time_out", "tries_max"});
        read_command();
        break;
      case StepKind::http:
        known({"url", "body", "time_out", "tries_max"});
        read_http();
        break;
      case StepKind::manual:
        known({});
        step_.text = reader_.text(node_, "manual");
        break;
    }
    check_variables(node_);
    return step_;
  }

 private:
  void known(std::initializer_list<std::string_view> more) {
    for (const auto& [name, value] : node_.entries) {
      const bool common = name.scalar == "id" || name.scalar == "approval" ||
                          name.scalar == "go_on" || name.scalar == to_string(step_.kind);
      if (common || std::ranges::find(more, name.scalar) != more.end()) continue;
      reader_.mistake(name, "'" + printable(name.scalar) + "' is not known in a step of kind " +
                                std::string(to_string(step_.kind)));
    }
  }

  void read_common() {
    step_.approval = reader_.text(node_, "approval", "");
    step_.go_on = reader_.truth(node_, "go_on", false);
    step_.time_out = reader_.duration(node_, "time_out", step_.time_out);
    step_.tries_max = reader_.integer(node_, "tries_max", 1, 20, step_.tries_max);
  }

  void read_command() {
    step_.command = reader_.texts(node_, "command");
    step_.repeatable = reader_.truth(node_, "repeatable", false);
    if (step_.command.empty()) return;
    const std::string& program = step_.command.front();
    if (!program.starts_with('/') || program.contains("${")) {
      reader_.mistake(*node_.find("command"),
                      "the executable must be an absolute path without variables");
    }
    if (step_.command.size() > arguments_max) {
      reader_.mistake(*node_.find("command"), "too many arguments");
    }
  }

  void read_http() {
    step_.method = reader_.text(node_, "http");
    step_.url = reader_.text(node_, "url");
    step_.repeatable = true;
    if (std::ranges::find(methods, step_.method) == methods.end()) {
      reader_.mistake(*node_.find("http"), "'http' must be GET, POST, PUT, PATCH or DELETE");
    }
    const std::size_t host = step_.url.find("://");
    const std::size_t path = step_.url.find('/', host == std::string::npos ? 0 : host + 3);
    const bool http = step_.url.starts_with("http://") || step_.url.starts_with("https://");
    // A variable in the host would let whoever writes log lines choose the server.
    if (!step_.url.empty() && (!http || step_.url.substr(0, path).contains("${"))) {
      reader_.mistake(*node_.find("url"),
                      "'url' must begin with https:// or http:// and a host without variables");
    }
    if (const Node* const body = node_.find("body"); body != nullptr) step_.body = value(*body);
  }

  // Texts, lists and maps; a scalar is sent as the text that it is.
  json::Value value(const Node& node) {
    if (node.is_map()) {
      json::Object object;
      for (const auto& [name, item] : node.entries) object[name.scalar] = value(item);
      return object;
    }
    if (node.is_sequence()) {
      json::Array array;
      for (const Node& item : node.items) array.push_back(value(item));
      return array;
    }
    return node.is_null() ? json::Value() : json::Value(node.scalar);
  }

  void check_variables(const Node& node) {
    for (const auto& [name, item] : node.entries) check_variables(item);
    for (const Node& item : node.items) check_variables(item);
    const bool closed = walk(
        node.scalar, [](std::string_view) {},
        [&](std::string_view name) {
          if (std::ranges::find(variables, name) != variables.end()) return;
          reader_.mistake(node, "there is no variable '" + printable(name) + "'");
        });
    if (!closed) reader_.mistake(node, "a '${' is never closed");
  }

  yaml::Reader& reader_;
  const Node& node_;
  Step step_;
};

Playbook read_playbook(yaml::Reader& reader, const Node& node) {
  Playbook playbook;
  playbook.file = reader.file();
  if (!reader.is_map(node, "a playbook", {"name", "title", "when", "dry_run", "steps"})) {
    return playbook;
  }
  playbook.name = reader.text(node, "name");
  playbook.title = reader.text(node, "title");
  playbook.dry_run = reader.truth(node, "dry_run", false);
  if (const Node* const when = node.find("when");
      when != nullptr && reader.is_map(*when, "'when'", {"rules", "severity_from"})) {
    const auto rules = reader.texts(*when, "rules");
    playbook.rules = {rules.begin(), rules.end()};
    playbook.severity_from =
        static_cast<incident::Severity>(reader.integer(*when, "severity_from", 0, 3, 0));
  } else if (when == nullptr) {
    reader.mistake(node, "'when' must say on which incidents the playbook runs");
  }
  const Node* const steps = reader.sequence(node, "steps");
  if (steps == nullptr) return playbook;
  std::set<std::string> ids;
  for (const Node& step : steps->items) {
    if (!step.is_map()) {
      reader.mistake(step, "a step must be a map");
      continue;
    }
    playbook.steps.push_back(StepReader(reader, step).read());
    if (!ids.insert(playbook.steps.back().id).second) {
      reader.mistake(step, "a step '" + playbook.steps.back().id + "' stands above already");
    }
  }
  if (playbook.steps.size() > steps_max) reader.mistake(*steps, "too many steps");
  return playbook;
}

using Values = std::map<std::string, std::string, std::less<>>;

Values values_of(const incident::Incident& incident) {
  return {{"incident.number", std::to_string(incident.number)},
          {"incident.title", incident.title},
          {"incident.severity", std::to_string(static_cast<int>(incident.severity))},
          {"incident.entity", incident.entity.name},
          {"incident.entity_kind", incident.entity.kind},
          {"incident.row", incident.row}};
}

std::string fill(std::string_view whole, const Values& values,
                 const std::function<std::string(std::string_view)>& guard) {
  std::string filled;
  walk(
      whole, [&](std::string_view text) { filled += text; },
      [&](std::string_view name) { filled += guard(values.find(name)->second); });
  return filled;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '~';
    const auto byte = static_cast<unsigned char>(c);
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return encoded;
}

json::Value fill(const json::Value& value, const Values& values) {
  if (const auto* object = value.as_object(); object != nullptr) {
    json::Object filled;
    for (const auto& [name, item] : *object) filled[name] = fill(item, values);
    return filled;
  }
  if (const auto* array = value.as_array(); array != nullptr) {
    json::Array filled;
    for (const json::Value& item : *array) filled.push_back(fill(item, values));
    return filled;
  }
  if (const auto* text = value.as_string(); text != nullptr) {
    return fill(*text, values, [](std::string_view v) { return std::string(v); });
  }
  return value;
}

// What log lines said must not become an option of the program or more than one line.
Result<std::string> fill_argument(const std::string& argument, const Values& values) {
  bool clean = true;
  std::string filled = fill(argument, values, [&](std::string_view value) {
    clean = clean && std::ranges::none_of(value, [](char c) {
              return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
            });
    return std::string(value);
  });
  const bool option = argument.starts_with("${") && (filled.empty() || filled.starts_with('-'));
  if (clean && !option) return filled;
  return fail(Code::invalid, "the argument '" + printable(filled) + "' must not be handed over");
}

// A command that must not be run as it stands is left to a person.
void fill_command(Step& step, const Values& values, const std::vector<std::string>& commands) {
  std::string why;
  if (std::ranges::find(commands, step.command.front()) == commands.end()) {
    why = step.command.front() + " is not among the commands that this daemon may run";
  }
  std::string line;
  for (std::string& argument : step.command) {
    auto filled = fill_argument(argument, values);
    if (!filled) {
      why = filled.error().what;
    } else {
      argument = *std::move(filled);
    }
    line += (line.empty() ? "" : " ") + printable(argument);
  }
  if (why.empty()) return;
  step.kind = StepKind::manual;
  step.approval.clear();
  step.text = "By hand, since " + why + ": " + line;
  step.command.clear();
}

json::Array to_array(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

std::vector<std::string> to_texts(const json::Value& value) {
  std::vector<std::string> texts;
  if (value.as_array() == nullptr) return texts;
  for (const json::Value& item : *value.as_array()) {
    if (item.as_string() != nullptr) texts.push_back(*item.as_string());
  }
  return texts;
}

}  // namespace

std::string_view to_string(StepKind kind) {
  return std::ranges::find(kinds, kind, [](const auto& k) { return k.first; })->second;
}

Result<std::vector<Playbook>> parse_playbooks(std::span<const PlaybookText> texts) {
  std::vector<Playbook> playbooks;
  std::string wrong;
  auto tell = [&](const std::string& what) { wrong += (wrong.empty() ? "" : "\n") + what; };
  for (const PlaybookText& text : texts) {
    yaml::Reader reader(text.file);
    const auto documents = reader.documents(text.text);
    if (documents.size() == 1) {
      playbooks.push_back(read_playbook(reader, documents[0]));
      playbooks.back().version = crypto::to_hex(crypto::sha256(text.text));
    } else if (reader.mistakes().empty()) {
      tell(text.file + ": must hold one playbook");
    }
    if (!reader.mistakes().empty()) tell(reader.all_mistakes());
  }
  for (std::size_t i = 0; i < playbooks.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (playbooks[i].name != playbooks[k].name) continue;
      tell(playbooks[i].file + ": the name '" + playbooks[i].name + "' is taken by " +
           playbooks[k].file);
    }
  }
  if (playbooks.size() > playbooks_max) tell("there are too many playbooks");
  if (!wrong.empty()) return fail(Code::invalid, std::move(wrong));
  return playbooks;
}

bool is_due(const Playbook& playbook, const incident::Incident& incident) {
  return incident.severity >= playbook.severity_from &&
         std::ranges::any_of(playbook.rules,
                             [&](const auto& rule) { return incident.rules.contains(rule); });
}

std::vector<Step> plan(const Playbook& playbook, const incident::Incident& incident,
                       const std::vector<std::string>& commands) {
  const Values values = values_of(incident);
  const auto as_it_is = [](std::string_view value) { return printable(value); };
  std::vector<Step> steps = playbook.steps;
  for (Step& step : steps) {
    step.text = fill(step.text, values, as_it_is);
    step.approval = fill(step.approval, values, as_it_is);
    step.url = fill(step.url, values, percent_encoded);
    step.body = fill(step.body, values);
    if (step.kind == StepKind::command) fill_command(step, values, commands);
  }
  return steps;
}

json::Object to_json(const Step& step) {
  json::Object object{{"id", step.id}, {"kind", to_string(step.kind)}};
  if (!step.approval.empty()) object["approval"] = step.approval;
  if (!step.to.empty()) object["to"] = to_array(step.to);
  if (!step.text.empty()) object["text"] = step.text;
  if (step.go_on) object["go_on"] = true;
  if (step.kind == StepKind::command) object["command"] = to_array(step.command);
  if (step.kind == StepKind::http) {
    object["method"] = step.method;
    object["url"] = step.url;
    object["body"] = step.body;
  }
  if (step.kind == StepKind::http || step.kind == StepKind::command) {
    object["repeatable"] = step.repeatable;
    object["time_out_us"] = std::int64_t{step.time_out.count()};
    object["tries_max"] = step.tries_max;
  }
  return object;
}

Result<Step> step_from_json(const json::Value& value) {
  const std::string kind = value.text("kind");
  const auto* const found = std::ranges::find(kinds, kind, [](const auto& k) { return k.second; });
  if (found == kinds.end()) return fail(Code::corrupt, "a stored step is damaged");
  Step step{.id = value.text("id"),
            .kind = found->first,
            .approval = value.text("approval"),
            .to = to_texts(value["to"]),
            .text = value.text("text"),
            .command = to_texts(value["command"]),
            .method = value.text("method"),
            .url = value.text("url"),
            .body = value["body"]};
  step.repeatable = value["repeatable"].as_bool() != nullptr && *value["repeatable"].as_bool();
  step.go_on = value["go_on"].as_bool() != nullptr && *value["go_on"].as_bool();
  step.time_out = Duration(value.integer("time_out_us", step.time_out.count()));
  step.tries_max = value.integer("tries_max", step.tries_max);
  return step;
}

std::string describe(const Step& step) {
  std::string text;
  switch (step.kind) {
    case StepKind::notify:
      for (const std::string& receiver : step.to) text += (text.empty() ? "" : ", ") + receiver;
      return "tell " + text + ": " + step.text;
    case StepKind::command:
      for (const std::string& argument : step.command) text += " " + printable(argument);
      return "run" + text;
    case StepKind::http:
      return step.method + " " + step.url;
    case StepKind::manual:
      return step.text;
  }
  return text;
}

}  // namespace mailwarden::respond
