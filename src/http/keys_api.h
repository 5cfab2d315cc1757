// Erasing people and renewing keys, over HTTP.
//
// What     Paths, through the UNIX socket alone; each answers what the ledger was told:
//            POST /api/v1/erasures      {"subject","reason","who"}: shreds the person's key
//            POST /api/v1/key-renewals  {"subject","reason","who"}: a new key for the person, or
//                                       with the subject "" for what names nobody; what the old
//                                       one sealed is sealed anew by and by
// Owns     Nothing.
// Threads  Several at once.
// Errors   JSON {"error": sentence}: 400 for an order that is wrong or a store without keys, 403
//          over TCP, 404 where the person has no key to be renewed, 409 where something that
//          names the person is still at work, 503.
// Limits   Those of privacy::Erasure.
#pragma once

#include <functional>
#include <string_view>

#include "json/value.h"
#include "net/http_server.h"
#include "privacy/erasure.h"

namespace mailwarden::http {

struct KeysApiParts {
  using Do = std::function<Result<json::Object>(const privacy::Erasure&)>;

  // They answer when what was done is stored.
  Do erase;
  Do renew;
};

class KeysApi {
 public:
  explicit KeysApi(KeysApiParts parts) : parts_(std::move(parts)) {}

  net::Response answer(const net::Request& request) const;

 private:
  KeysApiParts parts_;
};

}  // namespace mailwarden::http
