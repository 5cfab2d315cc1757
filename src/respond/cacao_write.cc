// A playbook as CACAO has it, without the extension.
#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "respond/cacao_condition.h"
#include "respond/cacao_kept.h"
#include "respond/cacao_parts.h"
#include "respond/condition.h"
#include "respond/value_type.h"
#include "respond/variable_text.h"

namespace mailwarden::respond::cacao {
namespace {

using namespace flow;
using json::Array;
using json::Object;
using json::Value;

// "2026-11-24T02:14:43.000Z": CACAO wants milliseconds.
std::string to_milliseconds(Timestamp at) {
  return to_rfc3339(at).substr(0, 23) + "Z";
}

Object agent(std::string_view type, std::string_view name, std::string_view description) {
  return {{"type", type}, {"name", name}, {"description", description}};
}

std::string variable_text(const Value& value) {
  const std::string* text = value.as_string();
  return text == nullptr ? json::to_text(value) : *text;
}

Object definition(const Variable& variable) {
  Object out{{"type", respond::to_string(variable.type)}};
  if (!variable.meaning.empty()) out["description"] = variable.meaning;
  if (!variable.value.is_null()) out["value"] = variable_text(variable.value);
  if (variable.constant) out["constant"] = true;
  if (variable.external) out["external"] = true;
  return out;
}

// The texts of a step in which variables may stand and which CACAO's own members hold.
template <class Call>
void each_text(const Step& step, const Call& call) {
  for (const std::string* text :
       {&step.text, &step.approval, &step.operation.text, &step.operation.url}) {
    call(*text);
  }
  for (const std::string& argument : step.operation.command) call(argument);
  for (const auto& [name, text] : step.with) call(text);
  call(json::to_text(Value(step.operation.headers)));
  call(json::to_text(step.operation.body));
  call(json::to_text(Value(step.operation.arguments)));
  if (step.kind == StepKind::switch_condition) call(step.condition);
}

std::set<std::string, std::less<>> referenced(const Step& step) {
  std::set<std::string, std::less<>> found;
  each_text(step, [&](const std::string& text) {
    // What is malformed stands as it is and names nothing.
    (void)walk_variables(
        text, [](std::string_view) {},
        [&](std::string_view name) -> Result<void> {
          found.emplace(name);
          return {};
        });
  });
  if (step.kind == StepKind::if_condition || step.kind == StepKind::while_condition) {
    if (const auto condition = Condition::parse(step.condition)) {
      found.insert(condition->variables().begin(), condition->variables().end());
    }
  }
  for (const auto& [name, answer] : step.set) found.insert(name);
  return found;
}

// The text members of an object of `kept`.
Texts texts_in(const Object& cacao, std::string_view name) {
  Texts out;
  const auto found = cacao.find(name);
  if (found == cacao.end() || found->second.as_object() == nullptr) return out;
  for (const auto& [key, value] : *found->second.as_object()) {
    if (value.as_string() != nullptr) out[key] = *value.as_string();
  }
  return out;
}

class PlainWriter {
 public:
  PlainWriter(const Playbook& playbook, const ExportOptions& options)
      : playbook_(playbook), options_(options) {}

  Result<Written> run() {
    out_.hints.name = playbook_.name;
    name_steps();
    name_variables();
    name_ends();
    for (const auto& [id, step] : playbook_.steps) {
      auto object = step_object(step);
      if (!object) return fail("step " + id, object.error());
      workflow_[out_.ids.at(id)] = kept(*std::move(object), step.cacao);
    }
    write_start();
    for (const std::string& end : ends_) workflow_[end] = Object{{"type", "end"}};
    write_head();
    out_.document = kept(std::move(out_.document), playbook_.cacao);
    return std::move(out_);
  }

 private:
  // An id that was kept, where it is of that type and nothing else has it.
  std::string claim(const std::string& wish, std::string_view type, const std::string& usual) {
    if (wish.starts_with(std::string(type) + "--") && taken_.insert(wish).second) return wish;
    taken_.insert(usual);
    return usual;
  }

  void name_steps() {
    for (const auto& [id, step] : playbook_.steps) {
      out_.ids[id] = claim(Value(step.cacao).text(member::id), type_of(step.kind),
                           usual_step(playbook_, step));
      out_.hints.step_ids[out_.ids[id]] = id;
    }
  }

  void name_variables() {
    std::set<std::string, std::less<>> scoped;
    for (const auto& [id, step] : playbook_.steps) {
      for (const auto& [cacao, native] : texts_in(step.cacao, member::names)) {
        if (playbook_.variables.contains(native)) scoped.insert(native);
      }
    }
    for (const auto& [cacao, native] : texts_in(playbook_.cacao, member::names)) {
      if (playbook_.variables.contains(native) && is_cacao_name(cacao)) names_.add(cacao, native);
    }
    for (const auto& [name, variable] : playbook_.variables) {
      name_variable(name);
      if (!scoped.contains(name)) variables_[names_.cacao(name)] = definition(variable);
    }
    for (const auto& [id, step] : playbook_.steps) {
      for (const std::string& name : referenced(step)) {
        if (playbook_.variables.contains(name) || !names_.cacao(name).empty()) continue;
        names_.add(names_.free_cacao(name), name);
        variables_[names_.cacao(name)] =
            Object{{"type", "string"}, {"description", "Given as " + name}, {"external", true}};
        out_.hints.given[names_.cacao(name)] = name;
      }
    }
  }

  void name_variable(const std::string& name) {
    if (!names_.cacao(name).empty()) return;
    const std::string direct = "__" + name + "__";
    if (is_cacao_name(direct) && names_.native(direct).empty()) return names_.add(direct, name);
    names_.add(names_.free_cacao(name), name);
    out_.hints.names[names_.cacao(name)] = name;
  }

  VariableNames names_in(const Step& step) const {
    VariableNames names = names_;
    for (const auto& [cacao, native] : texts_in(step.cacao, member::names)) {
      if (playbook_.variables.contains(native) && is_cacao_name(cacao)) names.add(cacao, native);
    }
    return names;
  }

  // Every branch has an end of its own.
  void name_ends() {
    const Texts own = texts_in(playbook_.cacao, member::ends);
    std::vector<std::pair<std::string, std::string>> branches;  // first step, end
    const auto begin = [&](const std::string& first, const Texts& kept_ends,
                           const std::string& branch, const std::string& step) {
      const auto wish = kept_ends.find(branch);
      const std::string end = claim(wish == kept_ends.end() ? "" : wish->second, "end",
                                    usual_end(playbook_.name, step, branch));
      branches.emplace_back(first, end);
      return end;
    };
    main_end_ = begin(playbook_.start, own, std::string(main_branch), "");
    if (!playbook_.on_failure.empty()) {
      begin(playbook_.on_failure, own, std::string(exception_branch), "");
    }
    for (const auto& [id, step] : playbook_.steps) {
      const Texts kept_ends = texts_in(step.cacao, member::ends);
      for (const auto& [branch, first] : end_branches(step)) {
        branch_ends_[{id, branch}] = begin(first, kept_ends, branch, id);
      }
    }
    for (auto& [first, end] : branches) spread(first, end);
  }

  // All steps of the branch end at its end.
  void spread(const std::string& first, const std::string& end) {
    std::vector<std::string> open{first};
    while (!open.empty()) {
      const auto step = playbook_.steps.find(open.back());
      open.pop_back();
      if (step == playbook_.steps.end() || !end_of_.emplace(step->first, end).second) continue;
      open.push_back(step->second.next);
      open.push_back(step->second.on_failure);
    }
  }

  // CACAO's id of a step, or the end where there is none.
  std::string to(const std::string& id, const std::string& end) {
    const auto found = out_.ids.find(id);
    if (found != out_.ids.end()) return found->second;
    ends_.insert(end);
    return end;
  }

  std::string to_branch(const Step& step, const std::string& branch, const std::string& first) {
    return to(first, branch_ends_[{step.id, branch}]);
  }

  void write_flow(const Step& step, Object& out) {
    const auto found = end_of_.find(step.id);
    const std::string& end = found == end_of_.end() ? main_end_ : found->second;
    const std::string next = to(step.next, end);
    if (!step.on_failure.empty() || step.go_on) {
      out["on_success"] = next;
      out["on_failure"] = step.on_failure.empty() ? next : to(step.on_failure, end);
    } else {
      out["on_completion"] = next;
    }
  }

  Result<Object> step_object(const Step& step) {
    const VariableNames names = names_in(step);
    Object out{{"type", type_of(step.kind)}};
    if (!step.name.empty()) out["name"] = step.name;
    if (!step.description.empty()) out["description"] = step.description;
    const auto delay = std::chrono::duration_cast<std::chrono::milliseconds>(step.delay).count();
    if (delay > 0) out["delay"] = std::int64_t{delay};
    write_scope(step, out);
    write_flow(step, out);
    if (auto good = write_kind(step, names, out); !good) return std::unexpected(good.error());
    return out;
  }

  void write_scope(const Step& step, Object& out) const {
    Object scope;
    for (const auto& [cacao, native] : texts_in(step.cacao, member::names)) {
      const auto variable = playbook_.variables.find(native);
      if (variable != playbook_.variables.end()) scope[cacao] = definition(variable->second);
    }
    if (!scope.empty()) out["step_variables"] = std::move(scope);
  }

  Result<void> write_kind(const Step& step, const VariableNames& names, Object& out) {
    switch (step.kind) {
      case StepKind::if_condition:
        out["on_true"] = to_branch(step, "then", step.then);
        if (!step.otherwise.empty()) out["on_false"] = to_branch(step, "else", step.otherwise);
        return write_condition(step, names, out);
      case StepKind::while_condition:
        out["on_true"] = to_branch(step, "body", step.then);
        return write_condition(step, names, out);
      case StepKind::switch_condition:
        return write_switch(step, names, out);
      case StepKind::parallel: {
        Array first;
        for (const auto& [branch, id] : end_branches(step)) {
          first.emplace_back(to_branch(step, branch, id));
        }
        out["next_steps"] = std::move(first);
        return {};
      }
      case StepKind::playbook:
        write_playbook(step, names, out);
        return {};
      default:
        write_action(step, names, out);
        return {};
    }
  }

  static Result<void> write_condition(const Step& step, const VariableNames& names, Object& out) {
    auto condition = to_stix(step.condition, names);
    if (!condition) return fail("its condition", condition.error());
    out["condition"] = *std::move(condition);
    return {};
  }

  Result<void> write_switch(const Step& step, const VariableNames& names, Object& out) {
    out["switch"] = to_cacao_text(step.condition, names);
    Object cases;
    for (const auto& [text, first] : step.cases) {
      // "default" is CACAO's word for all others.
      const std::string shown = text == "default" ? "=default" : text;
      cases[shown] = to_branch(step, "case " + text, first);
    }
    if (!step.default_case.empty()) {
      cases["default"] = to_branch(step, "default", step.default_case);
    }
    out["cases"] = std::move(cases);
    return {};
  }

  static void write_arguments(const Texts& from, bool native, const VariableNames& names,
                              std::string_view member, Object& out) {
    Array arguments;
    for (const auto& [name, meaning] : from) {
      const std::string known = native ? names.cacao(name) : "__" + name + "__";
      if (is_cacao_name(known)) arguments.emplace_back(known);
    }
    if (!arguments.empty()) out[std::string(member)] = std::move(arguments);
  }

  static void write_playbook(const Step& step, const VariableNames& names, Object& out) {
    out["playbook_id"] = step.playbook.starts_with("playbook--")
                             ? step.playbook
                             : id_of("playbook", step.playbook, "playbook");
    write_arguments(step.with, false, names, "in_args", out);
    write_arguments(step.set, true, names, "out_args", out);
  }

  void write_action(const Step& step, const VariableNames& names, Object& out) {
    Array commands;
    if (!step.approval.empty()) {
      Object ask{{"type", "manual"}};
      set_command(ask, std::string(approval_words) + to_cacao_text(step.approval, names));
      commands.emplace_back(std::move(ask));
    }
    commands.emplace_back(command_of(step, names));
    out["commands"] = std::move(commands);
    const bool by_people = step.kind == StepKind::manual || step.kind == StepKind::approval;
    out["agent"] = by_people ? people_agent_id() : daemon_agent_id();
    write_arguments(step.set, true, names, "out_args", out);
    const Duration limit = by_people ? step.within : step.operation.time_out;
    const Duration usual = by_people ? Duration{} : Operation{}.time_out;
    if (limit != usual && step.kind != StepKind::wait) {
      out["timeout"] =
          std::int64_t{std::chrono::duration_cast<std::chrono::milliseconds>(limit).count()};
    }
  }

  static Object command_of(const Step& step, const VariableNames& names) {
    const Operation& does = step.operation;
    Object out{{"type", "manual"}};
    switch (step.kind) {
      case StepKind::command: {
        out["type"] = "bash";
        std::vector<std::string> words;
        for (const std::string& word : does.command) words.push_back(to_cacao_text(word, names));
        set_command(out, write_words(words));
        return out;
      }
      case StepKind::http:
        return http_command(does, names);
      case StepKind::notify: {
        std::string receivers;
        for (const std::string& to : does.to) receivers += (receivers.empty() ? "" : ", ") + to;
        set_command(out, "Tell " + receivers + ": " + to_cacao_text(does.text, names));
        return out;
      }
      case StepKind::action:
        set_command(out, action_words(does, names));
        return out;
      case StepKind::wait:
        set_command(out, "Wait " + to_words(step.wait) + ", then go on.");
        return out;
      default:
        set_command(out, to_cacao_text(step.text, names));
        return out;
    }
  }

  static std::string action_words(const Operation& does, const VariableNames& names) {
    std::string words = "Do '" + does.action + "'";
    bool first = true;
    for (const auto& [name, value] : does.arguments) {
      words += std::string(first ? ": " : ", ") + name + " = " + variable_text(value);
      first = false;
    }
    return to_cacao_text(words, names);
  }

  static Object http_command(const Operation& does, const VariableNames& names) {
    Object out{{"type", "http-api"},
               {"command", does.method + " " + to_cacao_text(does.url, names) + " HTTP/1.1"}};
    Object headers;
    for (const auto& [name, value] : does.headers) {
      headers[name] = Array{to_cacao_text(variable_text(value), names)};
    }
    if (!headers.empty()) out["headers"] = std::move(headers);
    if (!does.body.is_null()) {
      out["content"] = variable_text(to_cacao_value(does.body, names));
    }
    return out;
  }

  void write_start() {
    const std::string start =
        claim(Value(playbook_.cacao).text(member::start), "start", usual_start(playbook_.name));
    workflow_[start] = Object{{"type", "start"}, {"on_completion", to(playbook_.start, main_end_)}};
    out_.document["workflow_start"] = start;
    if (!playbook_.on_failure.empty()) {
      out_.document["workflow_exception"] = to(playbook_.on_failure, main_end_);
    }
  }

  void write_head() {
    Object& out = out_.document;
    const Value kept_members(playbook_.cacao);
    const std::string now = to_milliseconds(options_.at);
    const bool unchanged = kept_members.text(member::content) == content_digest(playbook_);
    out["type"] = "playbook";
    out["spec_version"] = "cacao-2.0";
    out["id"] = kept_members.text(member::id, id_of("playbook", playbook_.name, "playbook"));
    out["name"] = playbook_.title.empty() ? playbook_.name : playbook_.title;
    if (!playbook_.description.empty()) out["description"] = playbook_.description;
    out["created_by"] = kept_members.text("created_by", options_.created_by);
    out["created"] = kept_members.text("created", now);
    out["modified"] = unchanged ? kept_members.text("modified", now) : now;
    if (!variables_.empty()) out["playbook_variables"] = std::move(variables_);
    write_agents();
    out["workflow"] = std::move(workflow_);
  }

  // Those that a step names.
  void write_agents() {
    const std::array ours{
        std::pair{daemon_agent_id(),
                  agent("security-category", "Mailwarden", "The daemon, which does this itself.")},
        std::pair{people_agent_id(),
                  agent("group", "Security team", "Whoever responds to incidents.")}};
    Object agents;
    for (const auto& [id, definition] : ours) {
      const bool named = std::ranges::any_of(
          workflow_, [&](const auto& step) { return step.second["agent"] == Value(id); });
      if (!named) continue;
      agents[id] = definition;
      if (id == daemon_agent_id()) {
        (*agents[id].as_object())["category"] = Array{"orchestrator"};
      }
    }
    if (!agents.empty()) out_.document["agent_definitions"] = std::move(agents);
  }

  const Playbook& playbook_;
  const ExportOptions& options_;
  Written out_;
  VariableNames names_;
  Object variables_;
  Object workflow_;
  std::set<std::string> taken_;
  std::set<std::string> ends_;  // that something leads to
  std::string main_end_;
  std::map<std::pair<std::string, std::string>, std::string> branch_ends_;  // by step and branch
  std::map<std::string, std::string, std::less<>> end_of_;                  // by step
};

}  // namespace

Result<Written> write_plain(const Playbook& playbook, const ExportOptions& options) {
  return PlainWriter(playbook, options).run();
}

}  // namespace mailwarden::respond::cacao
