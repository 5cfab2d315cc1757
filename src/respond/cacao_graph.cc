// The workflow of a CACAO playbook as branches of steps.
//
// CACAO's workflow is any graph; ours is branches within branches. A step that two branches lead
// to, and a way back to where it came from, have no place in that and are told with the names of
// the steps. Each branch of CACAO's ends at an end step; ours ends where nothing follows.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "respond/cacao_kept.h"
#include "respond/cacao_reading.h"

namespace mailwarden::respond::cacao {
namespace {

using namespace flow;
using json::Object;
using json::Value;

constexpr std::size_t id_bytes_max = 48;

constexpr std::string_view step_types[] = {
    "start",    "end",          "action",          "playbook-action",
    "parallel", "if-condition", "while-condition", "switch-condition"};

struct Branch {
  std::string of;     // for people: "the workflow", "'Which?' (if-condition--…)"
  std::string label;  // in `ends`
  std::string owner;  // our id of the step; "" for those of the playbook
  std::size_t number = 0;
};

class Workflow {
 public:
  explicit Workflow(Reading& reading)
      : reading_(reading), steps_(reading.document["workflow"]), playbook_(reading.playbook) {}

  void read() {
    if (steps_.as_object() == nullptr) {
      return reading_.mistake("/workflow", steps_.is_null() ? "is missing" : "must be an object");
    }
    check_steps();
    if (!reading_.mistakes.empty()) return;
    const std::string first = first_step();
    if (!reading_.mistakes.empty()) return;
    playbook_.start = walk(first, {"the workflow", std::string(main_branch), "", 0}, 1);
    read_exception();
    tell_unreached();
    if (playbook_.steps.empty() && reading_.mistakes.empty()) {
      reading_.mistake("/workflow", "no step does anything");
    }
    if (reading_.mistakes.empty()) check_rounds();
  }

 private:
  static std::string pointer_to(std::string_view id) { return below("/workflow", id); }

  // As a person finds it: its name, and its id.
  std::string called(std::string_view id) const {
    const std::string name = steps_[id].text("name");
    return name.empty() ? std::string(id) : "'" + printable(name) + "' (" + std::string(id) + ")";
  }

  void check_steps() {
    for (const auto& [id, step] : *steps_.as_object()) {
      const std::string type = step.text("type");
      if (step.as_object() == nullptr) {
        reading_.mistake(pointer_to(id), "must be an object");
      } else if (std::ranges::find(step_types, type) == std::end(step_types)) {
        reading_.mistake(below(pointer_to(id), "type"),
                         "'" + printable(type) + "' is no type of step");
      } else if (!id.starts_with(type + "--")) {
        reading_.mistake(pointer_to(id), "the id of a step is '" + type + "--' and a UUID");
      }
    }
  }

  // The step that a reference leads to, "" for an end.
  std::string follow(const Value& reference, const std::string& pointer, const Branch& branch) {
    const std::string* const id = reference.as_string();
    if (id == nullptr) {
      reading_.mistake(pointer, "must be the id of a step");
      return "";
    }
    const Value& step = steps_[*id];
    if (step.is_null()) {
      reading_.mistake(pointer, "there is no step " + printable(*id));
      return "";
    }
    if (step.text("type") == "end") {
      keep_end(branch, *id);
      return "";
    }
    if (step.text("type") == "start") {
      reading_.mistake(pointer, "leads to a start step, " + called(*id));
      return "";
    }
    return *id;
  }

  // The branch's own end: the first that it leads to, if no other has it.
  void keep_end(const Branch& branch, const std::string& end) {
    Object& cacao = branch.owner.empty() ? playbook_.cacao : playbook_.steps[branch.owner].cacao;
    Value& ends = cacao[std::string(member::ends)];
    if (ends.as_object() == nullptr) ends = Object();
    if (ends.as_object()->contains(branch.label)) return;
    if (kept_ends_.insert(end).second) (*ends.as_object())[branch.label] = end;
  }

  std::string first_step() {
    const std::string start = text_of(reading_, reading_.document, "workflow_start", "", true);
    if (start.empty()) return "";
    const Value& step = steps_[start];
    const Branch main{"the workflow", std::string(main_branch), "", 0};
    if (step.text("type") != "start") {
      const std::string first = follow(start, "/workflow_start", main);
      if (!first.empty()) reading_.note("/workflow_start", "leads to no start step");
      return first;
    }
    playbook_.cacao[std::string(member::start)] = start;
    return follow(step["on_completion"], below(pointer_to(start), "on_completion"), main);
  }

  void read_exception() {
    const Value& reference = reading_.document["workflow_exception"];
    if (reference.is_null()) return;
    const std::string* const id = reference.as_string();
    // An end does nothing, whether it is there or not.
    if (id != nullptr && id->starts_with("end--") && steps_[*id].is_null()) {
      return reading_.note("/workflow_exception", "there is no step " + printable(*id) +
                                                      "; a run that fails ends, which is the same");
    }
    const Branch branch{"the workflow's exception", std::string(exception_branch), "", ++branches_};
    if (steps_[id == nullptr ? "" : *id].text("type") == "end") return;
    playbook_.on_failure = walk(follow(reference, "/workflow_exception", branch), branch, 1);
  }

  void tell_unreached() {
    for (const auto& [id, step] : *steps_.as_object()) {
      const std::string type = step.text("type");
      if (type == "end" || branch_of_.contains(id) ||
          (type == "start" && Value(id) == reading_.document["workflow_start"])) {
        continue;
      }
      reading_.note(pointer_to(id), "nothing leads there; it is kept and never done");
    }
  }

  // Our id of a step; readable, and its own.
  std::string native_of(const std::string& id) {
    if (const auto known = natives_.find(id); known != natives_.end()) return known->second;
    const auto hint = reading_.hints.step_ids.find(id);
    std::string native = hint == reading_.hints.step_ids.end() ? "" : hint->second;
    if (native.empty() || taken_.contains(native)) {
      const std::string wish = slug(steps_[id].text("name"), id_bytes_max);
      native = wish.empty() || wish == "end" ? steps_[id].text("type") : wish;
      const std::string base = native;
      const auto hinted = [&](const std::string& name) {
        return std::ranges::any_of(reading_.hints.step_ids,
                                   [&](const auto& other) { return other.second == name; });
      };
      for (int n = 2; taken_.contains(native) || hinted(native); ++n) {
        native = base + "-" + std::to_string(n);
      }
    }
    taken_.insert(native);
    natives_[id] = native;
    return native;
  }

  // Makes the steps of a branch, and of the branches within; answers the first, "" for none.
  std::string walk(const std::string& first, const Branch& branch, std::size_t depth) {
    if (first.empty()) return "";
    if (depth > FlowLimits::depth_max + 1) {
      reading_.mistake(pointer_to(first),
                       "branches are at most " + std::to_string(FlowLimits::depth_max) + " deep");
      return "";
    }
    std::vector<std::string> open{first};
    while (!open.empty()) {
      const std::string id = open.back();
      open.pop_back();
      const auto [known, is_new] = branch_of_.emplace(id, branch);
      if (!is_new) {
        if (known->second.number != branch.number) tell_shared(id, known->second, branch);
        continue;
      }
      if (playbook_.steps.size() >= FlowLimits::steps_max) {
        reading_.mistake(pointer_to(id), "a playbook has at most " +
                                             std::to_string(FlowLimits::steps_max) + " steps");
        return "";
      }
      visit(id, branch, depth, open);
    }
    return native_of(first);
  }

  void tell_shared(const std::string& id, const Branch& one, const Branch& other) {
    reading_.mistake(pointer_to(id),
                     called(id) + " is reached from " + one.of + " and from " + other.of +
                         "; a step belongs to one branch, which ends at an end step of its own");
  }

  void visit(const std::string& id, const Branch& branch, std::size_t depth,
             std::vector<std::string>& open) {
    const std::string native = native_of(id);
    const Value& object = steps_[id];
    playbook_.order.push_back(native);
    Step& step = playbook_.steps[native];
    step.id = native;
    step.cacao[std::string(member::id)] = id;
    VariableNames names = reading_.names;
    const std::string scope = below(pointer_to(id), "step_variables");
    for (const auto& [cacao, ours] : read_variables(reading_, object["step_variables"], scope)) {
      names.add(cacao, ours);
      Value& kept = step.cacao[std::string(member::names)];
      if (kept.as_object() == nullptr) kept = Object();
      (*kept.as_object())[cacao] = ours;
    }
    read_step(reading_, object, pointer_to(id), names, step);
    read_branches(id, object, depth, step);
    read_flow(id, object, branch, step, open);
  }

  // What follows a step.
  void read_flow(const std::string& id, const Value& object, const Branch& branch, Step& step,
                 std::vector<std::string>& open) {
    const std::string at = pointer_to(id);
    const Value& completion = object["on_completion"];
    const Value& success = object["on_success"];
    const Value& failure = object["on_failure"];
    if (!completion.is_null() && (!success.is_null() || !failure.is_null())) {
      return reading_.mistake(at, "has on_completion, and on_success or on_failure besides");
    }
    const bool completes = !completion.is_null();
    const Value& next = completes ? completion : success;
    std::string after;
    if (next.is_null()) {
      reading_.note(at, "nothing follows; its branch ends there");
    } else {
      after = follow(next, below(at, completes ? "on_completion" : "on_success"), branch);
    }
    std::string otherwise;
    if (!failure.is_null()) {
      otherwise = follow(failure, below(at, "on_failure"), branch);
      step.go_on = otherwise == after;
      if (otherwise.empty() && !after.empty()) {
        reading_.note(below(at, "on_failure"), "where it fails, the run fails and ends");
      }
    }
    if (!otherwise.empty() && !step.go_on) {
      step.on_failure = native_of(otherwise);
      open.push_back(otherwise);
    }
    if (!after.empty()) {
      step.next = native_of(after);
      open.push_back(after);
    }
    edges_[step.id] = {step.next, step.on_failure};
  }

  // One branch of a step, by its reference; "" where that leads to an end at once.
  std::string enter(const std::string& id, const Value& reference, const std::string& member,
                    const std::string& label, const Step& step, std::size_t depth) {
    const Branch branch{called(id), label, step.id, ++branches_};
    return walk(follow(reference, below(pointer_to(id), member), branch), branch, depth + 1);
  }

  void read_branches(const std::string& id, const Value& object, std::size_t depth, Step& step) {
    switch (step.kind) {
      case StepKind::if_condition:
        return read_if(id, object, depth, step);
      case StepKind::while_condition:
        step.then = enter(id, object["on_true"], "on_true", "body", step, depth);
        if (step.then.empty()) reading_.mistake(pointer_to(id), "there is nothing to do again");
        return;
      case StepKind::switch_condition:
        return read_switch(id, object, depth, step);
      case StepKind::parallel:
        return read_parallel(id, object, depth, step);
      default:
        return;
    }
  }

  bool is_end(const Value& reference) const {
    return reference.as_string() != nullptr && steps_[*reference.as_string()].text("type") == "end";
  }

  void read_if(const std::string& id, const Value& object, std::size_t depth, Step& step) {
    const Value& yes = object["on_true"];
    const Value& no = object["on_false"];
    const bool turned = is_end(yes) && !no.is_null() && !is_end(no);
    if (turned) {
      // Ours has something to do where it holds.
      step.condition = "not (" + step.condition + ")";
      step.then = enter(id, no, "on_false", "then", step, depth);
      return;
    }
    step.then = enter(id, yes, "on_true", "then", step, depth);
    if (step.then.empty()) reading_.mistake(pointer_to(id), "neither of its ways does anything");
    if (!no.is_null()) step.otherwise = enter(id, no, "on_false", "else", step, depth);
  }

  void read_switch(const std::string& id, const Value& object, std::size_t depth, Step& step) {
    const Value& cases = object["cases"];
    const std::string at = below(pointer_to(id), "cases");
    if (cases.as_object() == nullptr) return reading_.mistake(at, "must be an object");
    if (cases.as_object()->size() > FlowLimits::branches_max + 1) {
      return reading_.mistake(
          at, "at most " + std::to_string(FlowLimits::branches_max) + " branches are allowed");
    }
    const bool rest = !cases["default"].is_null() && !is_end(cases["default"]);
    for (const auto& [text, reference] : *cases.as_object()) {
      const std::string shown = text == "=default" ? "default" : text;
      const bool is_rest = text == "default";
      const std::string first =
          enter(id, reference, "cases/" + text, is_rest ? "default" : "case " + shown, step, depth);
      if (is_rest) {
        step.default_case = first;
      } else if (!first.empty()) {
        step.cases[shown] = first;
      } else if (rest) {
        reading_.mistake(below(at, text),
                         "ends at once while the other cases have something to do; "
                         "give it a step");
      }
    }
    if (step.cases.empty() && !rest) reading_.mistake(at, "no case has anything to do");
  }

  void read_parallel(const std::string& id, const Value& object, std::size_t depth, Step& step) {
    const Value& first = object["next_steps"];
    const std::string at = below(pointer_to(id), "next_steps");
    if (first.as_array() == nullptr) return reading_.mistake(at, "must be a list of ids of steps");
    if (first.as_array()->size() > FlowLimits::branches_max) {
      return reading_.mistake(
          at, "at most " + std::to_string(FlowLimits::branches_max) + " branches are allowed");
    }
    for (const Value& reference : *first.as_array()) {
      if (is_end(reference)) continue;  // it does nothing
      const std::string label = "branch " + std::to_string(step.branches.size() + 1);
      const std::string begins = enter(id, reference, "next_steps", label, step, depth);
      if (!begins.empty()) step.branches.push_back(begins);
    }
    if (step.branches.size() < 2) {
      reading_.mistake(at, "fewer than two branches have anything to do");
    }
  }

  // What is left when steps that lead nowhere, and steps that nothing leads to, are taken away
  // again and again, goes round.
  void check_rounds() {
    bool shrinks = true;
    while (shrinks) {
      std::set<std::string> reached;
      for (const auto& [id, to] : edges_) {
        for (const std::string& next : {to.first, to.second}) {
          if (edges_.contains(next)) reached.insert(next);
        }
      }
      shrinks = std::erase_if(edges_, [&](const auto& edge) {
                  return !reached.contains(edge.first) || (!edges_.contains(edge.second.first) &&
                                                           !edges_.contains(edge.second.second));
                }) > 0;
    }
    if (edges_.empty()) return;
    std::string all;
    for (const auto& [id, to] : edges_) {
      all += (all.empty() ? "" : ", ") +
             called(playbook_.steps[id].cacao[std::string(member::id)].as_string()->c_str());
    }
    reading_.mistake("/workflow",
                     "leads back to where it came from without a while-condition: " + all);
  }

  Reading& reading_;
  const Value& steps_;
  Playbook& playbook_;
  std::size_t branches_ = 0;
  Texts natives_;
  std::set<std::string, std::less<>> taken_;
  std::set<std::string> kept_ends_;
  std::map<std::string, Branch, std::less<>> branch_of_;  // by CACAO's id
  std::map<std::string, std::pair<std::string, std::string>, std::less<>> edges_;
};

}  // namespace

void read_workflow(Reading& reading) {
  Workflow(reading).read();
}

}  // namespace mailwarden::respond::cacao
