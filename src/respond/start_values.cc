#include "respond/start_values.h"

#include "base/text.h"
#include "respond/value_type.h"

namespace mailwarden::respond {
namespace {

using flow::Playbook;
using flow::Variable;

class Start {
 public:
  Start(const Playbook& playbook, const json::Object& incident)
      : playbook_(playbook), values_(incident) {}

  // The variable of that name, if whoever starts may give it.
  const Variable* external(const std::string& name) {
    const auto found = playbook_.variables.find(name);
    if (found != playbook_.variables.end() && found->second.external) return &found->second;
    wrong("'" + printable(name) + "' is no external variable of '" + playbook_.name + "'");
    return nullptr;
  }

  void give(const std::string& name, Result<json::Value> value) {
    if (value) {
      values_[name] = *std::move(value);
    } else {
      wrong("'" + name + "': " + value.error().what);
    }
  }

  // What nobody gave is as the incident or the playbook says.
  Result<json::Object> finish(const json::Object& incident) {
    for (const auto& [name, variable] : playbook_.variables) {
      if (values_.contains(name)) continue;
      const auto given = variable.from.empty() ? incident.end() : incident.find(variable.from);
      if (given != incident.end() && fits(given->second, variable.type)) {
        values_[name] = given->second;
      } else if (!variable.value.is_null()) {
        values_[name] = variable.value;
      } else if (variable.external && variable.from.empty() && !told_.contains(name)) {
        wrong("'" + name + "' must be given" +
              (variable.meaning.empty() ? "" : ": " + variable.meaning));
      }
    }
    if (!wrong_.empty()) return fail(Code::invalid, std::move(wrong_));
    return std::move(values_);
  }

  void tell_of(const std::string& name) { told_.insert(name); }

 private:
  void wrong(const std::string& what) { wrong_ += (wrong_.empty() ? "" : "\n") + what; }

  const Playbook& playbook_;
  json::Object values_;
  std::set<std::string, std::less<>> told_;  // given, if wrongly
  std::string wrong_;
};

}  // namespace

Result<json::Object> start_values(const Playbook& playbook, const json::Object& incident,
                                  const GivenTexts& given) {
  Start start(playbook, incident);
  for (const auto& [name, text] : given) {
    start.tell_of(name);
    if (const Variable* variable = start.external(name)) {
      start.give(name, read_value(text, variable->type));
    }
  }
  return start.finish(incident);
}

Result<json::Object> start_values(const Playbook& playbook, const json::Object& incident,
                                  const json::Object& given) {
  Start start(playbook, incident);
  for (const auto& [name, value] : given) {
    start.tell_of(name);
    const Variable* variable = start.external(name);
    if (variable == nullptr) continue;
    // What stands in a playbook's step is a text, which other types are read out of.
    start.give(name, to_type(value, variable->type));
  }
  return start.finish(incident);
}

}  // namespace mailwarden::respond
