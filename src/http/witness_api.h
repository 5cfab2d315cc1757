// The witness of other logs, over HTTP.
//
// What     Paths, each with what it answers:
//            POST /witness/add-checkpoint            cosigns a log that has grown
//            GET /witness/{origin hash}/checkpoint   what was cosigned last of a log
// Owns     Nothing.
// Threads  Several at once.
// Errors   Those of the protocol; 503 with a sentence where an answer could not be stored.
// Limits   Those of the server.
// Source   C2SP tlog-witness.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/witness.h"
#include "net/http_server.h"

namespace mailwarden::http {

struct WitnessApiParts {
  // Answers when what was cosigned is stored.
  std::function<Result<ledger::WitnessAnswer>(const std::string& posted)> witness;
  std::function<Result<std::optional<std::string>>(const std::string& origin_hash)> last_note;
};

class WitnessApi {
 public:
  explicit WitnessApi(WitnessApiParts parts) : parts_(std::move(parts)) {}

  net::Response answer(const net::Request& request) const;

 private:
  WitnessApiParts parts_;
};

}  // namespace mailwarden::http
