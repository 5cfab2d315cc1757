// What the steps of a playbook name outside of it, and the limits of what they ask for.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "respond/check_parts.h"
#include "respond/flow_words.h"
#include "respond/incident_values.h"

namespace mailwarden::respond {
namespace {

using flow::FlowLimits;
using flow::Operation;
using flow::Playbook;
using flow::Step;
using flow::StepKind;

constexpr std::string_view on_call_prefix = "on-call:";

class Operations {
 public:
  Operations(Report& report, const Playbook& playbook, const CheckContext& context)
      : report_(report), playbook_(playbook), context_(context) {}

  void run() {
    check_head();
    for (const std::string& id : playbook_.order) {
      if (const auto found = playbook_.steps.find(id); found != playbook_.steps.end()) {
        check_step(found->second);
      }
    }
    for (const auto& [id, step] : playbook_.steps) {
      if (std::ranges::find(playbook_.order, id) == playbook_.order.end()) check_step(step);
    }
  }

 private:
  void check_head() {
    if (!flow::is_playbook_name(playbook_.name)) {
      report_.error("", in_quotes(playbook_.name) + " is no name of a playbook");
    }
    if (playbook_.variables.size() > FlowLimits::variables_max) {
      report_.error("", "more than " + std::to_string(FlowLimits::variables_max) + " variables");
    }
    if (!playbook_.when) return;
    for (const std::string& type : playbook_.when->types) {
      if (is_missing(context_.types, type)) {
        report_.error("", "there is no type of incidents " + in_quotes(type));
      }
    }
    for (const std::string& rule : playbook_.when->rules) {
      if (is_missing(context_.rules, rule))
        report_.error("", "there is no rule " + in_quotes(rule));
    }
  }

  static bool is_missing(const std::optional<CheckContext::Names>& names, const std::string& name) {
    return names && !names->contains(name);
  }

  void check_step(const Step& step) {
    check_times(step);
    if (step.kind == StepKind::wait && step.wait <= Duration(0)) {
      report_.error(step.id, "a wait must say how long");
    }
    if (flow::is_operation(step.kind)) {
      if (step.operation.kind != step.kind) {
        report_.error(step.id, "the operation is of another kind than its step");
      }
      check_operation(step.id, step.operation);
      check_repetition(step);
    } else if (step.undo || step.probe) {
      report_.error(step.id, "only what is done can have a probe or an undo");
    }
    if (step.undo) check_operation(step.id, *step.undo);
    if (step.probe) check_operation(step.id, step.probe->operation);
  }

  void check_times(const Step& step) {
    const std::array times{std::pair{"delay", step.delay}, std::pair{"wait", step.wait},
                           std::pair{"within", step.within},
                           std::pair{"pause_max", step.retry.pause_max},
                           std::pair{"time_out", step.operation.time_out}};
    for (const auto& [name, time] : times) {
      if (time >= Duration(0) && time <= FlowLimits::wait_max) continue;
      report_.error(step.id, std::string(name) + " must not be longer than " +
                                 to_words(FlowLimits::wait_max));
    }
    if (step.retry.tries < 1 || step.retry.tries > FlowLimits::tries_max) {
      report_.error(step.id, "tries must be from 1 to " + std::to_string(FlowLimits::tries_max));
    }
    if (step.rate.times != 0 && step.rate.per <= Duration(0)) {
      report_.error(step.id, "a rate must say within which time");
    }
  }

  void check_operation(const std::string& step, const Operation& operation) {
    switch (operation.kind) {
      case StepKind::notify:
        return check_receivers(step, operation);
      case StepKind::command:
        return check_command(step, operation);
      case StepKind::http:
        return check_request(step, operation);
      case StepKind::action:
        if (find_kind(context_.actions, operation.action) == nullptr) {
          report_.error(step, "there is no action " + in_quotes(operation.action));
        }
        return;
      default:
        report_.error(step, "what is done must be notify, command, http or action");
    }
  }

  void check_receivers(const std::string& step, const Operation& operation) {
    if (operation.to.empty()) report_.error(step, "nobody is told");
    for (const std::string& receiver : operation.to) {
      if (receiver.starts_with(on_call_prefix)) {
        const std::string schedule = receiver.substr(on_call_prefix.size());
        if (!is_missing(context_.schedules, schedule)) continue;
        report_.error(step, "there is no schedule " + in_quotes(schedule));
      } else if (receiver.contains("${")) {
        report_.error(step, "a receiver must be named without variables");
      } else if (is_missing(context_.receivers, receiver)) {
        report_.error(step, "there is no receiver " + in_quotes(receiver));
      }
    }
  }

  void check_command(const std::string& step, const Operation& operation) {
    const std::string program = operation.command.empty() ? "" : operation.command.front();
    if (!program.starts_with('/') || program.contains("${")) {
      report_.error(step, "the executable must be an absolute path without variables");
    } else if (is_missing(context_.commands, program)) {
      report_.warning(step, printable(program) +
                                " is not among the commands that this daemon may run, so a person"
                                " will be asked to");
    }
    if (operation.command.size() > FlowLimits::arguments_max) {
      report_.error(step, "too many arguments");
    }
  }

  void check_request(const std::string& step, const Operation& operation) {
    constexpr std::array methods{"GET", "POST", "PUT", "PATCH", "DELETE"};
    if (std::ranges::find(methods, operation.method) == methods.end()) {
      report_.error(step, "the method must be GET, POST, PUT, PATCH or DELETE");
    }
    const std::string& url = operation.url;
    const std::size_t scheme = url.find("://");
    const std::size_t path = url.find_first_of("/?#", scheme == std::string::npos ? 0 : scheme + 3);
    const bool http = url.starts_with("http://") || url.starts_with("https://");
    if (!http || url.substr(0, path).contains("${")) {
      report_.error(step,
                    "the URL must begin with https:// or http:// and a host without"
                    " variables");
    }
    for (const auto& [name, value] : operation.headers) {
      const auto* text = value.as_string();
      const bool fits = !name.empty() && std::ranges::all_of(name, [](char c) {
        return c > 0x20 && c < 0x7F && !std::string_view("\"(),/:;<=>?@[\\]{}").contains(c);
      });
      if (!fits) report_.error(step, in_quotes(name) + " is no name of a header");
      if (text == nullptr || std::ranges::any_of(*text, [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
          })) {
        report_.error(step, "the header " + in_quotes(name) + " must be a text of one line");
      }
    }
    if (!operation.sign_with.empty() && is_missing(context_.sign_keys, operation.sign_with)) {
      report_.error(step, "there is no key " + in_quotes(operation.sign_with) + " to sign with");
    }
  }

  // After a crash somebody must be able to say whether it was done.
  void check_repetition(const Step& step) {
    if (step.probe || step.repeatable || !step.approval.empty()) return;
    if (step.kind == StepKind::command || step.kind == StepKind::http) {
      report_.warning(step.id,
                      "after a crash nobody knows whether it was done: give it a probe,"
                      " say repeatable, or ask for approval");
    }
    const ActionKind* const kind = find_kind(context_.actions, step.operation.action);
    if (step.kind != StepKind::action || kind == nullptr) return;
    if (kind->destructive && !kind->repeatable) {
      report_.warning(step.id,
                      "it takes something from somebody and cannot be repeated: give it a"
                      " probe or ask for approval");
    }
    if (playbook_.undo_on_failure && kind->destructive && !kind->undo.empty() && !step.undo) {
      report_.warning(step.id,
                      "a failure of the run is to be taken back, but this step has no"
                      " undo: " +
                          std::string(kind->undo));
    }
  }

  Report& report_;
  const Playbook& playbook_;
  const CheckContext& context_;
};

}  // namespace

const ActionKind* find_kind(std::span<const ActionKind> kinds, std::string_view name) {
  const auto found = std::ranges::find(kinds, name, &ActionKind::name);
  return found == kinds.end() ? nullptr : &*found;
}

void check_operations(Report& report, const Playbook& playbook, const CheckContext& context) {
  Operations(report, playbook, context).run();
}

}  // namespace mailwarden::respond
