#include "respond/flow_file.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/sha256.h"
#include "respond/condition_tree.h"
#include "respond/flow_step_reader.h"
#include "respond/flow_words.h"
#include "respond/value_type.h"

namespace mailwarden::respond::flow {
namespace {

using yaml::Node;

constexpr std::int64_t tries_where_nothing_is_said = 3;

class FileReader {
 public:
  explicit FileReader(yaml::Reader& reader) : reader_(reader) {}

  PlaybookFile read(const Node& node) {
    playbook_.file = reader_.file();
    if (!reader_.is_map(node, "a playbook",
                        {"name", "title", "description", "when", "dry_run", "undo_on_failure",
                         "rate", "variables", "steps", "on_failure", "cacao"})) {
      return {};
    }
    read_head(node);
    read_variables(node);
    if (reader_.sequence(node, "steps") != nullptr) {
      playbook_.start = read_branch(*node.find("steps"), "'steps'", "");
    }
    if (const Node* const branch = node.find("on_failure")) {
      playbook_.on_failure = read_branch(*branch, "'on_failure'", "");
    }
    if (playbook_.steps.size() > FlowLimits::steps_max) {
      reader_.mistake(node, "more than " + std::to_string(FlowLimits::steps_max) + " steps");
    }
    return {std::move(playbook_), std::move(lines_)};
  }

 private:
  void read_head(const Node& node) {
    playbook_.name = reader_.text(node, "name");
    if (!playbook_.name.empty() && !is_playbook_name(playbook_.name)) {
      reader_.mistake(*node.find("name"), "'name' must be small letters, digits and '-', " +
                                              std::to_string(id_bytes_max) + " at most");
    }
    playbook_.title = reader_.text(node, "title");
    playbook_.description = reader_.text(node, "description", "");
    playbook_.dry_run = reader_.truth(node, "dry_run", false);
    playbook_.undo_on_failure = reader_.truth(node, "undo_on_failure", false);
    playbook_.rate = read_rate(reader_, node);
    if (const Node* const when = node.find("when")) read_when(*when);
    if (const Node* const cacao = node.find("cacao")) {
      const json::Value kept = read_json(reader_, *cacao, false);
      if (kept.as_object() == nullptr) return reader_.mistake(*cacao, "'cacao' must be a map");
      playbook_.cacao = *kept.as_object();
    }
  }

  void read_when(const Node& node) {
    if (!reader_.is_map(node, "'when'", {"rules", "types", "severity_from"})) return;
    if (node.entries.empty()) reader_.mistake(node, "'when' must say on which incidents");
    const auto rules = reader_.texts_if_any(node, "rules");
    const auto types = reader_.texts_if_any(node, "types");
    playbook_.when = When{.rules = {rules.begin(), rules.end()},
                          .types = {types.begin(), types.end()},
                          .severity_from = static_cast<incident::Severity>(
                              reader_.integer(node, "severity_from", 0, 3, 0))};
  }

  void read_variables(const Node& node) {
    const Node* const variables = node.find("variables");
    if (variables == nullptr) return;
    if (!variables->is_map()) return reader_.mistake(*variables, "'variables' must be a map");
    if (variables->entries.size() > FlowLimits::variables_max) {
      reader_.mistake(*variables,
                      "more than " + std::to_string(FlowLimits::variables_max) + " variables");
    }
    for (const auto& [name, value] : variables->entries) {
      // A dot tells what the incident gives from what the playbook has.
      if (!is_variable_name(name.scalar) || name.scalar.contains('.')) {
        reader_.mistake(name, "'" + printable(name.scalar) + "' is no name for a variable");
      }
      playbook_.variables[name.scalar] = read_variable(value);
    }
  }

  Variable read_variable(const Node& node) {
    Variable variable;
    if (!reader_.is_map(node, "a variable",
                        {"type", "meaning", "value", "constant", "external", "from"})) {
      return variable;
    }
    const std::string type = reader_.text(node, "type", "string");
    if (const auto known = parse_variable_type(type)) {
      variable.type = *known;
    } else {
      reader_.mistake(*node.find("type"), "there is no type '" + printable(type) + "'");
    }
    variable.meaning = reader_.text(node, "meaning", "");
    variable.constant = reader_.truth(node, "constant", false);
    variable.external = reader_.truth(node, "external", false);
    variable.from = reader_.text(node, "from", "");
    if (const Node* const value = node.find("value")) {
      variable.value = read_variable_value(*value, variable.type);
    }
    return variable;
  }

  json::Value read_variable_value(const Node& node, VariableType type) {
    if (node.is_null() && !node.quoted) return {};
    Result<json::Value> value = json::Value();
    if (node.is_scalar() || node.is_null()) {
      value = read_value(node.scalar, type);
    } else {
      value = type == VariableType::list ? texts_of(node) : read_json(reader_, node, false);
      if (const auto fit = fits(*value, type); !fit) value = std::unexpected(fit.error());
    }
    if (value) return *std::move(value);
    reader_.mistake(node, value.error().what);
    return {};
  }

  // A list's items are texts, whatever they look like.
  static json::Value texts_of(const Node& node) {
    json::Array texts;
    for (const Node& item : node.items) {
      texts.push_back(item.is_scalar() ? json::Value(item.scalar) : json::Value());
    }
    return node.is_sequence() ? json::Value(std::move(texts)) : json::Value();
  }

  // Reads a list of steps and gives the first one's id; what follows the last is `after`.
  std::string read_branch(const Node& list, const std::string& what, const std::string& after) {
    if (!list.is_sequence() || list.items.empty()) {
      reader_.mistake(list, what + " must be a list of steps");
      return {};
    }
    std::vector<std::string> ids;
    for (const Node& item : list.items) {
      const Node* const id = item.find("id");
      ids.push_back(id == nullptr ? "" : id->scalar);
    }
    std::string first;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      const Node& item = list.items[i];
      if (!item.is_map()) {
        reader_.mistake(item, "a step must be a map");
        continue;
      }
      Step step = StepReader(reader_, item).read();
      const std::string& following = i + 1 < ids.size() ? ids[i + 1] : after;
      step.next = following;
      if (const Node* const next = item.find("next")) {
        step.next = next->scalar == end_of_branch ? "" : later_step(*next, ids, i);
      }
      if (first.empty()) first = step.id;
      take(std::move(step), item, ids, i);
    }
    return first;
  }

  // The id of a step that stands later in the list.
  std::string later_step(const Node& node, const std::vector<std::string>& ids, std::size_t i) {
    const auto found =
        std::find(ids.begin() + static_cast<std::ptrdiff_t>(i) + 1, ids.end(), node.scalar);
    if (node.is_scalar() && found != ids.end()) return node.scalar;
    reader_.mistake(node, "no step '" + printable(node.scalar) + "' stands later in this list");
    return {};
  }

  void take(Step step, const Node& node, const std::vector<std::string>& ids, std::size_t i) {
    const std::string id = step.id;
    if (lines_.contains(id)) {
      reader_.mistake(node, "a step '" + id + "' stands above already");
      return;
    }
    if (!id.empty()) {
      lines_[id] = node.line;
      playbook_.order.push_back(id);
    }
    read_branches(step, node);
    if (const Node* const failed = node.find("on_failure")) {
      step.on_failure = failed->is_sequence() ? read_branch(*failed, "'on_failure'", step.next)
                                              : later_step(*failed, ids, i);
      if (step.go_on) {
        reader_.mistake(*failed, "'go_on' and 'on_failure' exclude each other");
      }
    }
    if (!id.empty()) playbook_.steps.insert_or_assign(id, std::move(step));
  }

  void read_branches(Step& step, const Node& node) {
    const auto branch = [&](std::string_view name) {
      const Node* const list = node.find(name);
      return list == nullptr ? "" : read_branch(*list, "'" + std::string(name) + "'", "");
    };
    switch (step.kind) {
      case StepKind::if_condition:
        step.then = branch("then");
        step.otherwise = branch("else");
        if (node.find("then") == nullptr) reader_.mistake(node, "'then' must be a list of steps");
        return;
      case StepKind::while_condition:
        step.then = branch("do");
        if (node.find("do") == nullptr) reader_.mistake(node, "'do' must be a list of steps");
        return;
      case StepKind::switch_condition:
        read_cases(step, node);
        step.default_case = branch("default");
        return;
      case StepKind::parallel:
        read_parallel(step, *node.find("parallel"));
        return;
      default:
        return;
    }
  }

  void read_cases(Step& step, const Node& node) {
    const Node* const cases = node.find("cases");
    if (cases == nullptr || !cases->is_map() || cases->entries.empty()) {
      reader_.mistake(cases == nullptr ? node : *cases, "'cases' must be a map of lists");
      return;
    }
    if (cases->entries.size() > FlowLimits::branches_max) {
      reader_.mistake(*cases, "too many cases");
    }
    for (const auto& [text, list] : cases->entries) {
      check_name(reader_, text);
      step.cases[text.scalar] = read_branch(list, "a case", "");
    }
  }

  void read_parallel(Step& step, const Node& list) {
    const bool fits = list.is_sequence() && list.items.size() >= 2 &&
                      list.items.size() <= FlowLimits::branches_max;
    if (!fits) {
      reader_.mistake(list, "'parallel' must be a list of 2 to " +
                                std::to_string(FlowLimits::branches_max) + " lists of steps");
      return;
    }
    for (const Node& branch : list.items) {
      step.branches.push_back(read_branch(branch, "a branch of 'parallel'", ""));
    }
  }

  yaml::Reader& reader_;
  Playbook playbook_;
  std::map<std::string, std::size_t, std::less<>> lines_;
};

std::string names_taken_twice(const std::vector<PlaybookFile>& files) {
  std::string wrong;
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (files[i].playbook.name.empty() || files[i].playbook.name != files[k].playbook.name) {
        continue;
      }
      wrong += (wrong.empty() ? "" : "\n") + files[i].playbook.file + ": the name '" +
               files[i].playbook.name + "' is taken by " + files[k].playbook.file;
    }
  }
  return wrong;
}

}  // namespace

Retry default_retry(StepKind kind) {
  const bool outside =
      kind == StepKind::command || kind == StepKind::http || kind == StepKind::action;
  return {.tries = outside ? tries_where_nothing_is_said : 1};
}

bool default_repeatable(StepKind kind) {
  return kind == StepKind::http;
}

Result<std::vector<PlaybookFile>> read_playbooks(std::span<const PlaybookText> texts) {
  std::vector<PlaybookFile> files;
  std::string wrong;
  const auto tell = [&](const std::string& what) {
    if (!what.empty()) wrong += (wrong.empty() ? "" : "\n") + what;
  };
  for (const PlaybookText& text : texts) {
    yaml::Reader reader(text.file);
    if (!is_utf8(text.text)) {
      tell(text.file + ": is not UTF-8");
      continue;
    }
    const auto documents = reader.documents(text.text);
    if (documents.size() == 1) {
      files.push_back(FileReader(reader).read(documents[0]));
      files.back().playbook.version = crypto::to_hex(crypto::sha256(text.text));
    } else if (reader.mistakes().empty()) {
      tell(text.file + ": must hold one playbook");
    }
    tell(reader.all_mistakes());
  }
  tell(names_taken_twice(files));
  if (files.size() > FlowLimits::playbooks_max) tell("there are too many playbooks");
  if (!wrong.empty()) return fail(Code::invalid, std::move(wrong));
  return files;
}

Result<std::vector<Playbook>> parse_playbooks(std::span<const PlaybookText> texts) {
  auto files = read_playbooks(texts);
  if (!files) return std::unexpected(files.error());
  std::vector<Playbook> playbooks;
  for (PlaybookFile& file : *files) playbooks.push_back(std::move(file.playbook));
  return playbooks;
}

}  // namespace mailwarden::respond::flow
