#include "access/who_can.h"

#include <algorithm>

namespace mailwarden::access {
namespace {

class Finder {
 public:
  explicit Finder(const Inquiry& inquiry) : inquiry_(inquiry) {}

  void ask(const Question& question) {
    const GrantDecision decided =
        decide_with_grants(inquiry_.point, inquiry_.view, question, inquiry_.context(question),
                           inquiry_.now, scratch_);
    const policy::Decision& decision = decided.decision;
    if (decision.why == policy::Decision::Why::invalid_request) {
      problem(question, decision.invalid);
    }
    for (const auto& failed : decision.failed) {
      problem(question, "policy '" + failed.policy + "' failed: " + failed.what);
    }
    if (!decision.is_allowed) return;
    Allowed allowed{.question = question, .policies = decision.policies};
    if (decided.grant != nullptr) allowed.grant = decided.grant->id;
    findings_.allowed.push_back(std::move(allowed));
  }

  Findings take() { return std::move(findings_); }

 private:
  void problem(const Question& question, const std::string& what) {
    if (findings_.problems.size() >= inquiry_.options.problems_max) return;
    findings_.problems.push_back(to_text(question.person) + ", " + to_text(question.action) + ", " +
                                 to_text(question.system) + ": " + what);
  }

  const Inquiry& inquiry_;
  Scratch scratch_;
  Findings findings_;
};

std::unexpected<Error> too_many(std::size_t questions, std::size_t most) {
  return fail(Code::full, std::to_string(questions) + " questions are more than " +
                              std::to_string(most) + ", ask for fewer people or systems at once");
}

}  // namespace

Result<Findings> who_can(const Inquiry& inquiry, const policy::EntityUid& action,
                         const policy::EntityUid& system,
                         std::span<const policy::EntityUid> people) {
  if (people.size() > inquiry.options.decisions_max) {
    return too_many(people.size(), inquiry.options.decisions_max);
  }
  Finder finder(inquiry);
  for (const policy::EntityUid& person : people) {
    finder.ask({.person = person, .action = action, .system = system});
  }
  return finder.take();
}

Result<Findings> what_can(const Inquiry& inquiry, const policy::EntityUid& person,
                          std::span<const policy::EntityUid> actions,
                          std::span<const policy::EntityUid> systems) {
  if (actions.size() * systems.size() > inquiry.options.decisions_max) {
    return too_many(actions.size() * systems.size(), inquiry.options.decisions_max);
  }
  Finder finder(inquiry);
  for (const policy::EntityUid& system : systems) {
    for (const policy::EntityUid& action : actions) {
      finder.ask({.person = person, .action = action, .system = system});
    }
  }
  return finder.take();
}

std::vector<policy::EntityUid> entities_of(const policy::Entities& entities,
                                           std::string_view type) {
  std::vector<policy::EntityUid> found;
  for (std::uint32_t number = 0; number < entities.size(); ++number) {
    const policy::EntityName& name = entities.name(number);
    if (entities[number].is_defined && name.type == type) found.push_back(name.uid());
  }
  std::ranges::sort(found);
  return found;
}

std::vector<policy::EntityUid> actions_of(const policy::Schema& schema, std::string_view principal,
                                          std::string_view resource) {
  std::vector<policy::EntityUid> found;
  for (const auto& [uid, action] : schema.actions()) {
    if (action.principals.contains(principal) && action.resources.contains(resource)) {
      found.push_back(uid);
    }
  }
  return found;
}

}  // namespace mailwarden::access
