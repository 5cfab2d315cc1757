// What a step is asked for, and what a person is shown who is asked.
#include <algorithm>

#include "respond/flow_walk.h"

namespace mailwarden::respond::flow {
namespace {

// What a step is, before anything of it is filled in.
std::string outline(const Step& step, const Means& means) {
  if (!step.name.empty()) return step.name;
  if (has_operation(step.kind)) return means.describe(step.operation);
  switch (step.kind) {
    case StepKind::manual:
    case StepKind::approval:
      return step.text;
    case StepKind::wait:
      return "wait " + to_words(step.wait);
    case StepKind::if_condition:
      return "if " + step.condition;
    case StepKind::while_condition:
      return "while " + step.condition;
    case StepKind::switch_condition:
      return "one of several, by " + step.condition;
    case StepKind::parallel:
      return std::to_string(step.branches.size()) + " branches beside each other";
    default:
      return "the playbook " + step.playbook;
  }
}

// From that step on, and behind the branches that it stands in.
json::Array followers(const Graph& graph, std::string from, std::string last, const Means& means) {
  json::Array list;
  while (list.size() < RunLimits::followers_max) {
    if (from.empty()) {
      last = graph.container(last);
      if (last.empty() || graph.step(last).kind == StepKind::while_condition) break;
      from = graph.step(last).next;
      continue;
    }
    const Step& step = graph.step(from);
    list.push_back(json::Object{{"does", outline(step, means)}, {"id", step.id}});
    last = std::exchange(from, step.next);
  }
  return list;
}

}  // namespace

std::string Walk::text_of(const Run& run, const std::string& text) const {
  if (run.literal) return text;
  const auto filled = means_.fill_text(text, lookup_of(run));
  return filled ? *filled : text;
}

// False where it cannot be done as it stands, which has been said then.
bool Walk::fill(Run& run, Standing& standing, const Step& step) {
  auto filled =
      run.literal ? Result<Operation>(step.operation) : means_.fill(step.operation, lookup_of(run));
  standing.does =
      filled ? means_.describe(*filled) : means_.describe_unguarded(step.operation, lookup_of(run));
  if (filled) {
    standing.operation = *std::move(filled);
    return true;
  }
  if (filled.error().code == Code::not_found) {
    finish(run, standing, StepState::failed, {.why = filled.error().what});
    return false;
  }
  standing.by_hand = true;
  ask(run, standing, StepState::needs_person,
      "By hand, since " + filled.error().what + ": " + standing.does);
  return false;
}

std::string Walk::used_up(const std::string& playbook, const std::string& step,
                          const Rate& rate) const {
  if (rate.times <= 0) return "";
  const auto found = runs_.uses.find({playbook, step});
  if (found == runs_.uses.end()) return "";
  const auto recent =
      std::ranges::count_if(found->second, [&](Timestamp at) { return now_ - at < rate.per; });
  if (recent < rate.times) return "";
  return std::to_string(rate.times) + " within " + to_words(rate.per) + " are used up";
}

void Walk::use(Run& run, const std::string& step, const Rate& rate) {
  if (rate.times <= 0) return;
  auto& uses = runs_.uses[{run.playbook().name, step}];
  std::erase_if(uses, [&](Timestamp at) { return now_ - at >= rate.per; });
  uses.push_back(now_);
  run.uses[step].push_back(now_);
}

std::string Walk::reason_to_ask(Run& run, const Standing& standing, const Step& step) {
  if (standing.approved) return "";
  std::string why = step.approval.empty() ? "" : text_of(run, step.approval);
  if (!has_operation(step.kind)) return why;
  const std::string rate = used_up(run.playbook().name, step.id, step.rate);
  if (!rate.empty()) why += (why.empty() ? "" : "; ") + rate;
  return why;
}

void Walk::ask(Run& run, Standing& standing, StepState state, const std::string& why) {
  const Step& step = run.graph->step(standing.step);
  if (standing.does.empty()) {
    standing.does = has_operation(step.kind) ? "" : text_of(run, outline(step, means_));
  }
  if (state == StepState::needs_approval) standing.plan = plan_of(run, standing, step);
  move(run, standing, state, {.why = why, .does = standing.does});
  if (step.within > Duration{}) standing.due = now_ + step.within;
}

json::Object Walk::plan_of(const Run& run, const Standing& standing, const Step& step) const {
  const bool is_question = step.kind == StepKind::approval;
  json::Object plan{{"does", standing.does}};
  if (step.undo) {
    const auto filled =
        run.literal ? Result<Operation>(*step.undo) : means_.fill(*step.undo, lookup_of(run));
    plan["undo"] =
        filled ? means_.describe(*filled) : means_.describe_unguarded(*step.undo, lookup_of(run));
  }
  plan["if_approved"] = followers(*run.graph, is_question ? step.next : step.id, step.id, means_);
  // A question that is answered with no has failed; a step that is not allowed is skipped.
  const std::string on_no = !step.on_failure.empty() ? step.on_failure
                            : step.go_on             ? step.next
                                                     : "";
  plan["if_rejected"] =
      is_question && on_no.empty() && !step.go_on
          ? json::Array()
          : followers(*run.graph, is_question ? on_no : step.next, step.id, means_);
  return plan;
}

}  // namespace mailwarden::respond::flow
