// Mail in Postfix's queue: held, released, deleted by its envelope sender.
#include <algorithm>

#include "base/text.h"
#include "respond/action_parts.h"

namespace mailwarden::respond {
namespace {

// postsuper reads them from what fits into the pipe of a program that is run.
constexpr std::size_t ids_a_call = 120;
constexpr std::size_t queue_id_bytes_max = 32;
constexpr int rounds_max = 5;

const MailEffects& mail(const Work& work) {
  return *work.settings.mail;
}

bool is_queue_id(std::string_view id) {
  return !id.empty() && id.size() <= queue_id_bytes_max && std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

Result<std::string> read_sender(const Work& work) {
  const std::string sender = work.text("sender");
  const bool has_blank = std::ranges::any_of(
      sender, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  // RFC 5321, 4.5.3.1: a path has at most 256 octets.
  if (sender.size() <= 254 && !has_blank && is_utf8(sender) &&
      (sender == "MAILER-DAEMON" || sender.contains('@'))) {
    return sender;
  }
  return fail(Code::invalid, in_quotes(sender) + " is no envelope sender such as news@example.com");
}

// A domain's letters have no case (RFC 5321, 2.3.11).
bool is_same_sender(std::string_view a, std::string_view b) {
  const std::size_t at = a.rfind('@');
  if (at == std::string_view::npos || at != b.rfind('@')) return a == b;
  return a.substr(0, at) == b.substr(0, at) && equal_ignoring_case(a.substr(at), b.substr(at));
}

struct Queue {
  std::vector<std::string> held;
  std::vector<std::string> others;  // on their way
};

Result<Queue> find_mails(const Work& work, const std::string& sender) {
  const Program program{.command = {mail(work).postqueue, "-c", mail(work).config_directory, "-j"},
                        .output_bytes_max = static_cast<std::size_t>(mail(work).listing_bytes_max),
                        .by_become = true};
  const auto end = run_program(work, program);
  if (!end) return std::unexpected(end.error());
  // Postfix asks to come again where it does not run, and says so by EX_UNAVAILABLE, EX_TEMPFAIL.
  if (end->exit_code != 0) return fail(Code::unavailable, saying(program, *end));
  if (!end->whole) {
    return fail(Code::denied, mail(work).postqueue + " says more than 'listing_bytes_max' of " +
                                  "effects.yaml allows");
  }
  Queue queue;
  for (const std::string_view line : split(end->output, '\n')) {
    if (line.empty()) continue;
    const auto one = json::parse(line);
    if (!one) return fail(Code::io, mail(work).postqueue + ": " + one.error().what);
    const std::string id = one->text("queue_id");
    const std::string name = one->text("queue_name");
    // What sendmail(1) has only just dropped gets another id when it comes into the queue.
    if (name == "maildrop" || !is_queue_id(id)) continue;
    if (!is_same_sender(one->text("sender"), sender)) continue;
    (name == "hold" ? queue.held : queue.others).push_back(id);
  }
  return queue;
}

Result<void> run_postsuper(const Work& work, const std::string& option,
                           const std::vector<std::string>& ids) {
  for (std::size_t from = 0; from < ids.size(); from += ids_a_call) {
    std::string input;
    for (std::size_t i = from; i < std::min(from + ids_a_call, ids.size()); ++i) {
      input += ids[i] + "\n";
    }
    const Program program{
        .command = {mail(work).postsuper, "-c", mail(work).config_directory, option, "-"},
        .input = input,
        .by_become = true};
    const auto end = run_program(work, program);
    if (!end) return std::unexpected(end.error());
    if (end->exit_code != 0) return fail(Code::denied, saying(program, *end));
  }
  return {};
}

json::Object results(const std::vector<std::string>& ids) {
  return {{"count", ids.size()}, {"ids", listed(ids).items}};
}

std::vector<std::string> all_of(const Queue& queue) {
  std::vector<std::string> ids = queue.held;
  ids.insert(ids.end(), queue.others.begin(), queue.others.end());
  return ids;
}

// What postsuper still has to be told of, of the mails that there are.
using Rest = std::vector<std::string> (*)(const Queue& queue);

std::vector<std::string> on_their_way(const Queue& queue) {
  return queue.others;
}
std::vector<std::string> held(const Queue& queue) {
  return queue.held;
}

// Mails change queues while they are told of, so it is asked again until none is left. All ids that
// were told of, and the queue as it is then.
struct Done {
  std::vector<std::string> ids;
  Queue queue;
};
Result<Done> until_none_is_left(const Work& work, const std::string& option, Rest rest) {
  const auto sender = read_sender(work);
  if (!sender) return std::unexpected(sender.error());
  Done done;
  for (int round = 0; round < rounds_max; ++round) {
    auto queue = find_mails(work, *sender);
    if (!queue) return std::unexpected(queue.error());
    done.queue = *std::move(queue);
    const std::vector<std::string> ids = rest(done.queue);
    if (ids.empty()) return done;
    if (auto ran = run_postsuper(work, option, ids); !ran) return std::unexpected(ran.error());
    done.ids.insert(done.ids.end(), ids.begin(), ids.end());
  }
  return fail(Code::unavailable, "mails of " + in_quotes(*sender) + " come in faster than this");
}

std::vector<std::string> each_once(std::vector<std::string> ids) {
  std::ranges::sort(ids);
  const auto again = std::ranges::unique(ids);
  ids.erase(again.begin(), again.end());
  return ids;
}

Result<json::Object> hold(const Work& work) {
  const auto done = until_none_is_left(work, "-h", on_their_way);
  if (!done) return std::unexpected(done.error());
  // A try before may have held some of them.
  return results(done->queue.held);
}

Result<json::Object> release(const Work& work) {
  const auto done = until_none_is_left(work, "-H", held);
  if (!done) return std::unexpected(done.error());
  return results(each_once(done->ids));
}

Result<json::Object> delete_mails(const Work& work) {
  const auto done = until_none_is_left(work, "-d", all_of);
  if (!done) return std::unexpected(done.error());
  return results(each_once(done->ids));
}

Result<bool> none_is_left(const Work& work, Rest rest) {
  const auto sender = read_sender(work);
  if (!sender) return std::unexpected(sender.error());
  const auto queue = find_mails(work, *sender);
  if (!queue) return std::unexpected(queue.error());
  return rest(*queue).empty();
}

Result<bool> probe_held(const Work& work) {
  return none_is_left(work, on_their_way);
}
Result<bool> probe_released(const Work& work) {
  return none_is_left(work, held);
}
Result<bool> probe_deleted(const Work& work) {
  return none_is_left(work, all_of);
}

std::string mails_of(const Work& work) {
  return "every mail of the envelope sender " + in_quotes(work.text("sender")) +
         " in the queue of the Postfix of " + mail(work).config_directory;
}
std::string describe_hold(const Work& work) {
  return "hold " + mails_of(work) + ", with " + mail(work).postsuper + " -h";
}
std::string describe_release(const Work& work) {
  return "release " + mails_of(work) + " that is on hold, with " + mail(work).postsuper + " -H";
}
std::string describe_delete(const Work& work) {
  return "delete " + mails_of(work) + ", with " + mail(work).postsuper + " -d";
}

}  // namespace

const Action hold_mail{"hold_mail", hold, probe_held, describe_hold};
const Action release_mail{"release_mail", release, probe_released, describe_release};
const Action delete_mail{"delete_mail", delete_mails, probe_deleted, describe_delete};

}  // namespace mailwarden::respond
