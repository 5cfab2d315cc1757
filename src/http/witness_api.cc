#include "http/witness_api.h"

#include "http/answers.h"

namespace mailwarden::http {
namespace {

using net::Response;

constexpr std::string_view witness_prefix = "/witness/";
constexpr std::string_view add_path = "/witness/add-checkpoint";
constexpr std::string_view checkpoint_part = "/checkpoint";

}  // namespace

Response WitnessApi::answer(const net::Request& request) const {
  if (request.path == add_path) {
    auto answer = parts_.witness(request.body);
    if (!answer) return trouble(answer.error());
    return {.status = answer->status,
            .content_type = std::move(answer->content_type),
            .body = std::move(answer->body)};
  }
  std::string_view name = std::string_view(request.path).substr(witness_prefix.size());
  name.remove_suffix(checkpoint_part.size());
  auto note = parts_.last_note(std::string(name));
  if (!note) return trouble(note.error());
  if (!*note) return trouble(404, "nothing was cosigned of that log");
  return {.content_type = "text/plain; charset=utf-8", .body = **std::move(note)};
}

}  // namespace mailwarden::http
