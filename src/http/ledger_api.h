// The ledger over HTTP, as the transparency-log world reads it.
//
// What     Paths, each with what it answers:
//            GET /checkpoint             the newest signed checkpoint
//            GET /tile/{L}/{N}[.p/{W}]   hashes of the tree
//            GET /tile/entries/{N}[...]  what its leaves are hashes of: commitments, 32 bytes each,
//                                        which tell nothing of the records
//          No more than the newest checkpoint covers is served.
// Owns     Nothing.
// Threads  Several at once.
// Errors   404 with a sentence for what is not there, 503 where the store cannot be read.
// Limits   None of its own.
// Source   C2SP tlog-tiles.
#pragma once

#include <string>
#include <string_view>

#include "db/open.h"
#include "net/http_server.h"

namespace mailwarden::http {

class LedgerApi {
 public:
  // `store` is for reading.
  explicit LedgerApi(db::StoreAddress store) : store_(std::move(store)) {}

  net::Response answer(const net::Request& request) const;

 private:
  db::StoreAddress store_;
};

}  // namespace mailwarden::http
