// Erasing a person, over HTTP.
//
// What     POST /api/v1/erasures {"subject","reason","who"}, through the UNIX socket alone: shreds
//          the person's key; answers what the ledger was told.
// Owns     Nothing.
// Threads  Several at once.
// Errors   JSON {"error": sentence}: 400 for an order that is wrong or a store without keys, 403
//          over TCP, 405, 409 where something that names the person is still at work, 503.
// Limits   Those of privacy::Erasure.
#pragma once

#include <functional>
#include <string_view>

#include "json/value.h"
#include "net/http_server.h"
#include "privacy/erasure.h"

namespace mailwarden::http {

class ErasureApi {
 public:
  // Answers when what was done is stored.
  using Erase = std::function<Result<json::Object>(const privacy::Erasure&)>;

  explicit ErasureApi(Erase erase) : erase_(std::move(erase)) {}

  bool takes(std::string_view path) const;
  net::Response answer(const net::Request& request) const;

 private:
  Erase erase_;
};

}  // namespace mailwarden::http
