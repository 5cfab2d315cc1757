// Tickets in somebody else's system.
#include "base/files.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "net/http_client.h"
#include "respond/action_parts.h"
#include "respond/signed_request.h"

namespace mailwarden::respond {
namespace {

constexpr std::size_t ticket_answer_bytes_max = std::size_t{1} << 20;
constexpr std::size_t token_bytes_max = 4096;
constexpr std::size_t ticket_id_bytes_max = 256;

const TicketEffects& tickets(const Work& work) {
  return *work.settings.tickets;
}

// A step's key may hold what an id of a signed request does not.
std::string reference_of(const Work& work) {
  return "msg_" + crypto::to_hex(crypto::sha256(work.call.key)).substr(0, 32);
}

// Durable behind the answer, so that a run that goes on after a crash finds it.
std::string kept_path(const Work& work) {
  return work.settings.keep + "/tickets/" + reference_of(work);
}

Result<net::HttpAnswer> send(const Work& work, net::HttpCall call) {
  call.headers.emplace_back("User-Agent", "mailwarden");
  if (!tickets(work).token_file.empty()) {
    const auto token = read_whole_file(tickets(work).token_file, token_bytes_max);
    if (!token) return fail(Code::unavailable, token.error().what);
    call.headers.emplace_back("Authorization", "Bearer " + std::string(trim(*token)));
  }
  if (!tickets(work).sign_with.empty()) {
    if (auto made = sign_request(call, work.settings.keys, tickets(work).sign_with,
                                 reference_of(work), work.settings.clock->now());
        !made) {
      return std::unexpected(made.error());
    }
  }
  net::Client client(
      {.total_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(work.time_left()),
       .response_bytes_max = ticket_answer_bytes_max});
  return client.request(call);
}

std::unexpected<Error> refusal(const std::string& url, unsigned status) {
  const bool again =
      status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
  return fail(again ? Code::unavailable : Code::denied,
              url + ": answered " + std::to_string(status));
}

// The text or whole number of that name; "" for none.
std::string id_in(const Work& work, const std::string& body) {
  const auto value = json::parse(body);
  if (!value) return {};
  const json::Value& id = (*value)[tickets(work).id_member];
  const std::string text = id.as_integer() != nullptr ? std::to_string(*id.as_integer())
                                                      : value->text(tickets(work).id_member);
  return text.size() <= ticket_id_bytes_max ? text : std::string();
}

// "" where there is none yet, as far as anybody knows.
Result<std::string> find_ticket(const Work& work) {
  const auto kept = read_regular_file(kept_path(work), ticket_id_bytes_max);
  if (kept) return *kept;
  if (kept.error().code != Code::not_found) return std::unexpected(kept.error());
  if (tickets(work).find.empty()) return std::string();
  const auto answer =
      send(work, {.url = tickets(work).find, .query = {{"reference", reference_of(work)}}});
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 404) return std::string();
  if (answer->status < 200 || answer->status >= 300) {
    return refusal(tickets(work).find, answer->status);
  }
  return id_in(work, answer->body);
}

Result<json::Object> keep(const Work& work, const std::string& id) {
  if (auto kept = write_file_durably(kept_path(work), id); !kept) {
    return std::unexpected(kept.error());
  }
  return json::Object{{"ticket", id}};
}

Result<json::Object> open(const Work& work) {
  const auto there = find_ticket(work);
  if (!there) return std::unexpected(there.error());
  if (!there->empty()) return keep(work, *there);
  const auto answer =
      send(work, {.method = "POST",
                  .url = tickets(work).url,
                  .headers = {{"Content-Type", "application/json"},
                              {"Idempotency-Key", "\"" + reference_of(work) + "\""}},
                  .body = json::to_text(json::Object{{"title", to_utf8(work.text("title"))},
                                                     {"text", to_utf8(work.text("text"))},
                                                     {"reference", reference_of(work)}})});
  if (!answer) return std::unexpected(answer.error());
  if (answer->status < 200 || answer->status >= 300) {
    return refusal(tickets(work).url, answer->status);
  }
  const std::string id = id_in(work, answer->body);
  if (id.empty()) {
    return fail(Code::denied, tickets(work).url + ": took the ticket, and its answer has no '" +
                                  tickets(work).id_member + "'");
  }
  return keep(work, id);
}

Result<bool> probe_opened(const Work& work) {
  const auto there = find_ticket(work);
  if (!there) return std::unexpected(there.error());
  if (there->empty() && tickets(work).find.empty()) {
    return fail(Code::denied,
                "nobody can tell whether the ticket was opened: 'tickets' of "
                "effects.yaml has no 'find'");
  }
  return !there->empty();
}

std::string describe_open(const Work& work) {
  const std::string& key = tickets(work).sign_with;
  return "open the ticket " + in_quotes(work.text("title")) + " by a POST to " + tickets(work).url +
         (key.empty() ? "" : ", signed with the key '" + key + "'");
}

}  // namespace

const Action open_ticket{"open_ticket", open, probe_opened, describe_open};

}  // namespace mailwarden::respond
