// sudo and su: who acted as whom.
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"
#include "ingest/decode/draft.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {
namespace {

// A session as another account: OCSF's Authorize Session, "assign privileges".
constexpr int assign_privileges = 1;

// "alice : [problem ; ]TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/id -u". The
// command is what was typed and stands last, so everything from its name on belongs to it.
void read_sudo_parts(std::string_view text, Event& event, std::string_view& problem) {
  constexpr std::array<std::string_view, 8> names{
      "TTY=", "CWD=", "PWD=", "CHROOT=", "USER=", "GROUP=", "TSID=", "ENV="};
  const std::size_t command_at = text.find("COMMAND=");
  const std::string_view before = text.substr(0, command_at);
  std::string_view rest = before;
  while (!rest.empty()) {
    const auto found = take_until(rest, " ; ");
    const std::string_view part = found ? *found : std::exchange(rest, {});
    bool known = false;
    for (const std::string_view name : names) {
      if (!part.starts_with(name)) continue;
      event.fields.add(name.substr(0, name.size() - 1), part.substr(name.size()));
      if (name == "USER=") event.ocsf.user = part.substr(name.size());
      known = true;
    }
    if (!known && problem.empty()) problem = trim(part);
  }
  if (command_at == text.npos) return;
  const std::string_view command = text.substr(command_at + 8);
  event.fields.add("COMMAND", command);
  event.ocsf.resource = command.substr(0, command.find(' '));
}

// "3 incorrect password attempts"
bool read_wrong_passwords(std::string_view problem, Event& event) {
  const auto count = take_number(problem);
  if (!count || !problem.starts_with(" incorrect password attempt")) return false;
  happened(event, "password_wrong");
  event.fields.add("attempts", std::int64_t{*count});
  set_class(event, ocsf_class::authentication, 1, Outcome::failure);
  return true;
}

void judge_sudo(std::string_view problem, Event& event) {
  if (problem.empty()) {
    happened(event, "command_run");
    set_class(event, ocsf_class::authorize_session, assign_privileges, Outcome::success);
    return;
  }
  event.fields.add("reason", problem);
  if (read_wrong_passwords(problem, event)) return;
  const bool nobody = problem == "user NOT in sudoers" ||
                      problem == "user NOT authorized on host" || problem == "user not in sudoers";
  happened(event, nobody ? "user_not_in_sudoers" : "command_refused");
  set_class(event, ocsf_class::authorize_session, assign_privileges, Outcome::failure);
}

}  // namespace

bool read_sudo(std::string_view text, Event& event) {
  const std::string_view whole = trim(text);
  std::string_view rest = whole;
  const auto actor = take_until(rest, " : ");
  // What sudo says of itself ("unable to resolve host") has no such parts.
  const bool parts = rest.find("TTY=") != rest.npos || rest.find("COMMAND=") != rest.npos ||
                     rest.find("USER=") != rest.npos;
  if (!actor || !parts || actor->find(' ') != actor->npos) return false;
  set_actor(event, *actor);
  std::string_view problem;
  read_sudo_parts(rest, event, problem);
  judge_sudo(problem, event);
  return true;
}

namespace {

void su_to(Event& event, std::string_view actor, std::string_view target, bool failed) {
  happened(event, failed ? "su_failed" : "su_to");
  set_actor(event, actor);
  set_user(event, target);
  // A wrong password here is a failed sign-in to the target's account.
  if (failed) {
    set_class(event, ocsf_class::authentication, 1, Outcome::failure);
  } else {
    set_class(event, ocsf_class::authorize_session, assign_privileges, Outcome::success);
  }
}

// "FAILED SU (to root) alice on pts/0" and "(to root) alice on pts/0" of util-linux.
bool read_su_util_linux(std::string_view text, Event& event) {
  const bool failed = skip(text, "FAILED SU ") || skip(text, "FAILED su ");
  if (!skip(text, "(to ")) return false;
  const auto target = take_until(text, ") ");
  const std::size_t on = text.rfind(" on ");
  if (!target || on == text.npos) return false;
  su_to(event, text.substr(0, on), *target, failed);
  add(event, "tty", text.substr(on + 4));
  return true;
}

// "Successful su for root by alice", "FAILED su for root by alice" and "+ pts/0 alice:root" of
// shadow.
bool read_su_shadow(std::string_view text, Event& event) {
  const bool failed = skip(text, "FAILED su for ") || skip(text, "FAILED SU for ");
  if (failed || skip(text, "Successful su for ")) {
    const std::size_t by = text.rfind(" by ");
    if (by == text.npos) return false;
    su_to(event, text.substr(by + 4), text.substr(0, by), failed);
    return true;
  }
  const bool minus = skip(text, "- ");
  if (!minus && !skip(text, "+ ")) return false;
  const std::string_view terminal = take_word(text);
  const std::size_t colon = text.find_first_of(":-");
  if (colon == text.npos) return false;
  su_to(event, text.substr(0, colon), text.substr(colon + 1), minus);
  add(event, "tty", terminal);
  return true;
}

}  // namespace

bool read_su(std::string_view text, Event& event) {
  return read_su_util_linux(text, event) || read_su_shadow(text, event);
}

}  // namespace mailwarden::ingest
