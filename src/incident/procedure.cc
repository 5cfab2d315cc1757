#include "incident/procedure.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "json/yaml_reader.h"

namespace mailwarden::incident {
namespace {

using yaml::Node;

class ProcedureReader {
 public:
  ProcedureReader(yaml::Reader& reader, const SeverityTable& table)
      : reader_(reader), table_(table) {}

  IncidentType read_type(const Node& node) {
    IncidentType type;
    if (!reader_.is_map(node, "a type", {"name", "title", "facts", "tasks"})) return type;
    type.name = name_of(node, types_, "a type");
    type.title = reader_.text(node, "title");
    type.facts = facts_of(node);
    const Node* const tasks = node.find("tasks");
    if (tasks == nullptr) return type;
    if (!tasks->is_sequence()) reader_.mistake(*tasks, "'tasks' must be a list");
    if (tasks->items.size() > Procedure::tasks_max) {
      reader_.mistake(*tasks, "more than " + std::to_string(Procedure::tasks_max) + " tasks");
    }
    for (const Node& task : tasks->items) type.tasks.push_back(read_task(task));
    return type;
  }

  DutyRule read_duty(const Node& node) {
    DutyRule duty;
    if (!reader_.is_map(node, "a duty",
                        {"name", "as", "to", "within", "facts", "severity_from", "source"})) {
      return duty;
    }
    duty.name = name_of(node, duties_, "a duty");
    duty.as = reader_.text(node, "as");
    if (!duty.as.empty() && duty.as != "controller" && duty.as != "processor") {
      reader_.mistake(*node.find("as"), "'as' must be controller or processor");
    }
    duty.to = reader_.text(node, "to");
    duty.within = reader_.duration(node, "within", Duration{});
    if (duty.within == Duration{}) reader_.mistake(node, "'within' must say how long it may take");
    duty.facts = facts_of(node);
    if (duty.facts.empty()) reader_.mistake(node, "'facts' must say which facts bring the duty");
    duty.severity_from = static_cast<Severity>(reader_.integer(node, "severity_from", 0, 3, 0));
    duty.source = reader_.text(node, "source", "");
    return duty;
  }

 private:
  std::string name_of(const Node& node, std::set<std::string>& taken, const std::string& what) {
    std::string name = reader_.text(node, "name");
    const bool plain = std::ranges::all_of(
        name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
    if (!plain) {
      reader_.mistake(*node.find("name"), what + "'s name is of a-z, 0-9 and _");
    } else if (!name.empty() && !taken.insert(name).second) {
      reader_.mistake(*node.find("name"), what + " '" + name + "' stands above already");
    }
    return name;
  }

  std::vector<std::string> facts_of(const Node& node) {
    auto facts = reader_.texts_if_any(node, "facts");
    for (const std::string& fact : facts) {
      if (table_.facts().contains(fact)) continue;
      reader_.mistake(*node.find("facts"),
                      "there is no fact '" + printable(fact) + "' in severity.yaml");
    }
    return facts;
  }

  TaskTemplate read_task(const Node& node) {
    TaskTemplate task;
    if (!reader_.is_map(node, "a task", {"phase", "task", "within"})) return task;
    const std::string phase = reader_.text(node, "phase");
    if (const auto known = parse_phase(phase); known) {
      task.phase = *known;
    } else if (!phase.empty()) {
      reader_.mistake(*node.find("phase"),
                      "'" + printable(phase) + "' is none of " + phase_names());
    }
    task.title = reader_.text(node, "task");
    if (task.title.size() > WorkLimits::title_bytes_max) {
      reader_.mistake(node, "a task is said in " + std::to_string(WorkLimits::title_bytes_max) +
                                " bytes at the most");
    }
    task.within = reader_.duration(node, "within", Duration{});
    return task;
  }

  yaml::Reader& reader_;
  const SeverityTable& table_;
  std::set<std::string> types_;
  std::set<std::string> duties_;
};

}  // namespace

Result<Procedure> Procedure::parse(std::string_view yaml, const std::string& file,
                                   const SeverityTable& facts) {
  yaml::Reader reader(file);
  Procedure procedure;
  const auto documents = reader.documents(yaml);
  if (documents.size() > 1) reader.mistake(documents[1], "only one document is expected");
  if (!documents.empty() &&
      reader.is_map(documents[0], "the file", {"types", "duties", "contact", "review_from"})) {
    const Node& root = documents[0];
    ProcedureReader parts(reader, facts);
    const Node* const types = reader.sequence(root, "types");
    if (types != nullptr) {
      for (const Node& type : types->items) procedure.types_.push_back(parts.read_type(type));
    }
    if (const Node* const duties = root.find("duties"); duties != nullptr) {
      if (!duties->is_sequence()) reader.mistake(*duties, "'duties' must be a list");
      for (const Node& duty : duties->items) procedure.duties_.push_back(parts.read_duty(duty));
    }
    procedure.contact_ = reader.text(root, "contact", "");
    procedure.review_from_ = static_cast<Severity>(reader.integer(root, "review_from", 0, 3, 2));
    if (procedure.types_.size() > types_max) reader.mistake(root, "there are too many types");
    if (procedure.duties_.size() > duties_max) reader.mistake(root, "there are too many duties");
  }
  if (!reader.mistakes().empty()) return fail(Code::invalid, reader.all_mistakes());
  return procedure;
}

const IncidentType* Procedure::find_type(std::string_view name) const {
  const auto found = std::ranges::find(types_, name, &IncidentType::name);
  return found == types_.end() ? nullptr : &*found;
}

const DutyRule* Procedure::find_duty(std::string_view name) const {
  const auto found = std::ranges::find(duties_, name, &DutyRule::name);
  return found == duties_.end() ? nullptr : &*found;
}

const IncidentType* Procedure::type_of(const Facts& facts) const {
  const auto found = std::ranges::find_if(
      types_, [&](const IncidentType& type) { return any_holds(type.facts, facts); });
  return found == types_.end() ? nullptr : &*found;
}

bool any_holds(const std::vector<std::string>& facts, const Facts& known) {
  return std::ranges::any_of(facts, [&](const std::string& fact) {
    const auto found = known.find(fact);
    return found != known.end() && found->second > 0;
  });
}

}  // namespace mailwarden::incident
