#include "respond/outline.h"

#include "base/text.h"
#include "respond/check_parts.h"
#include "respond/fill.h"
#include "respond/flow_file.h"
#include "respond/flow_words.h"

namespace mailwarden::respond {
namespace {

using flow::Operation;
using flow::Playbook;
using flow::Step;
using flow::StepKind;
using Commands = std::optional<std::vector<std::string>>;

// Texts for people, in which an unknown variable keeps its name.
std::string shown(const std::string& text, const Lookup& lookup) {
  const auto filled = fill_text(text, [&](std::string_view name) {
    json::Value value = lookup(name);
    return value.is_null() ? json::Value("${" + std::string(name) + "}") : value;
  });
  return filled.value_or(printable(text));
}

std::string describe_step(const Step& step, const Lookup& lookup) {
  switch (step.kind) {
    case StepKind::manual:
    case StepKind::approval:
      return shown(step.text, lookup);
    case StepKind::wait:
      return to_words(step.wait);
    case StepKind::if_condition:
      return printable(step.condition);
    case StepKind::while_condition:
      return printable(step.condition) + ", " + std::to_string(step.rounds_max) +
             " times at the most";
    case StepKind::switch_condition:
      return shown(step.condition, lookup);
    case StepKind::parallel:
      return std::to_string(step.branches.size()) + " branches beside each other";
    case StepKind::playbook: {
      std::string text;
      for (const auto& [name, value] : step.with) {
        text += (text.empty() ? " with " : ", ") + name + ": " + shown(value, lookup);
      }
      return step.playbook + text;
    }
    default:
      return describe_unguarded(step.operation, lookup);
  }
}

// Why a person will be asked to do it; "" where none will.
std::string why_by_hand(const Step& step, const Lookup& lookup, const Commands& commands) {
  if (!flow::is_operation(step.kind)) return "";
  if (commands) {
    if (const auto may = may_run(step.operation, *commands); !may) return may.error().what;
  }
  const auto filled = fill(step.operation, lookup);
  if (filled || filled.error().code == Code::not_found) return "";
  return filled.error().what;
}

void add(std::string& text, const std::string& more) {
  text += (text.empty() ? "" : ", ") + more;
}

std::string limits_of(const Step& step) {
  std::string text;
  if (step.delay > Duration(0)) add(text, "begins " + to_words(step.delay) + " later");
  if (step.within > Duration(0)) add(text, "within " + to_words(step.within));
  if (step.retry.tries > 1) {
    add(text, std::to_string(step.retry.tries) + " tries");
  }
  if (step.rate.times > 0) {
    add(text,
        std::to_string(step.rate.times) + " in " + to_words(step.rate.per) + " without asking");
  }
  return text;
}

class Outline {
 public:
  Outline(const Playbook& playbook, const json::Object& values, const Commands& commands)
      : playbook_(playbook), known_(values), commands_(commands) {
    for (const auto& [id, depth] : depths_of(playbook)) depth_[id] = depth - 1;
    for (const auto& [id, step] : playbook.steps) {
      for (const auto& [name, first] : flow::branches_of(step)) way_[first] = name;
    }
    if (!playbook.on_failure.empty()) way_[playbook.on_failure] = "when the run fails";
  }

  std::vector<OutlineStep> run() {
    for (const std::string& id : flow::file_order(playbook_)) {
      const Step& step = playbook_.steps.at(id);
      // A later round begins with what an earlier one set.
      if (step.kind == StepKind::while_condition) forget(set_below(playbook_, step.then));
      // Whatever came before the failure has or has not been done.
      if (id == playbook_.on_failure) forget_all();
      OutlineStep line = outline_step(step, known_, commands_);
      line.depth = depth_[id];
      if (const auto way = way_.find(id); way != way_.end()) line.way = way->second;
      lines_.push_back(std::move(line));
      for (const auto& [name, source] : step.set) known_.erase(name);
    }
    return std::move(lines_);
  }

 private:
  void forget(const Names& names) {
    for (const std::string& name : names) known_.erase(name);
  }
  void forget_all() {
    for (const auto& [id, step] : playbook_.steps) {
      for (const auto& [name, source] : step.set) known_.erase(name);
    }
  }

  const Playbook& playbook_;
  json::Object known_;
  const Commands& commands_;
  std::map<std::string, std::size_t> depth_;
  std::map<std::string, std::string> way_;
  std::vector<OutlineStep> lines_;
};

}  // namespace

OutlineStep outline_step(const Step& step, const json::Object& values, const Commands& commands) {
  const Lookup lookup = lookup_in(values);
  OutlineStep line{.depth = 0,
                   .way = {},
                   .step = step.id,
                   .name = step.name,
                   .kind = step.kind,
                   .does = describe_step(step, lookup),
                   .asks = shown(step.approval, lookup),
                   .limits = limits_of(step)};
  if (step.undo) line.undo = describe_unguarded(*step.undo, lookup);
  if (!step.on_failure.empty()) line.otherwise = step.on_failure;
  if (step.go_on) line.otherwise = step.next.empty() ? "the end of the branch" : step.next;
  if (const std::string why = why_by_hand(step, lookup, commands); !why.empty()) {
    line.by_hand = true;
    line.does = "by hand, since " + why + ": " + line.does;
  }
  return line;
}

std::vector<OutlineStep> outline(const Playbook& playbook, const json::Object& values,
                                 const Commands& commands) {
  return Outline(playbook, values, commands).run();
}

json::Object to_json(const OutlineStep& step) {
  json::Object object{{"depth", step.depth},
                      {"step", step.step},
                      {"kind", flow::word_of(step.kind)},
                      {"does", step.does},
                      {"by_hand", step.by_hand}};
  for (const auto& [name, text] : {std::pair{"way", &step.way},
                                   {"name", &step.name},
                                   {"asks", &step.asks},
                                   {"undo", &step.undo},
                                   {"on_failure", &step.otherwise},
                                   {"limits", &step.limits}}) {
    if (!text->empty()) object[name] = *text;
  }
  return object;
}

std::string to_text(const std::vector<OutlineStep>& steps) {
  std::string text;
  for (const OutlineStep& step : steps) {
    const std::string indent(step.depth * 4, ' ');
    if (!step.way.empty())
      text += indent.substr(std::min<std::size_t>(2, indent.size())) + step.way + ":\n";
    text += indent + step.step + " (" + std::string(flow::word_of(step.kind)) + "): " + step.does +
            "\n";
    for (const auto& [name, line] : {std::pair{"asks for approval: ", &step.asks},
                                     {"taken back by: ", &step.undo},
                                     {"where it fails: ", &step.otherwise},
                                     {"", &step.limits}}) {
      if (!line->empty()) text += indent + "    " + name + *line + "\n";
    }
  }
  return text;
}

}  // namespace mailwarden::respond
