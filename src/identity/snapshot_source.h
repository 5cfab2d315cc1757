// Where snapshots of directories come from.
//
// What     HttpDirectory asks Google's Directory API page by page.
// Owns     Nothing but the options and the function that fetches.
// Threads  One at a time.
// Errors   Making one: invalid. Taking a snapshot: denied, the server does not accept the token;
//          unavailable, any other answer but 200 or none; those of google_directory.h for what
//          came. A snapshot is there whole or not at all. No error repeats the token.
// Limits   HttpDirectoryOptions, DirectoryLimits.
// Source   Google's Admin SDK, Directory API directory_v1: users.list, groups.list, members.list;
//          RFC 6750, section 2.1, for the token.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "identity/google_directory.h"
#include "net/http_client.h"

namespace mailwarden::identity {

using Fetch = std::function<Result<net::HttpAnswer>(const net::HttpCall&)>;
// Over a client of its own.
Fetch http_fetch(const net::ClientOptions& options);

struct HttpDirectoryOptions {
  std::string source = "google_directory";  // what its facts name
  std::string address = "https://admin.googleapis.com/admin/directory/v1";
  std::string customer = "my_customer";
  // Holds an access token, which somebody renews; it is read anew for each request.
  std::string token_file;
  bool groups = true;  // and who is in them
  std::size_t token_bytes_max = 16 * 1024;
  std::size_t requests_max = 100'000;
  DirectoryLimits limits;
};

class HttpDirectory {
 public:
  // `options.address` must be https, or http to this machine.
  static Result<HttpDirectory> make(const HttpDirectoryOptions& options, Fetch fetch);

  // Everybody who is in it at `now`, the moment at which asking begins.
  Result<DirectorySnapshot> take(Timestamp now);

 private:
  using Query = std::vector<std::pair<std::string, std::string>>;

  HttpDirectory(const HttpDirectoryOptions& options, Fetch fetch)
      : options_(options), fetch_(std::move(fetch)) {}

  Result<void> take_list(DirectoryReader& reader, const std::string& path, const Query& query,
                         const std::string& group);
  Result<std::string> ask(const std::string& path, const Query& query);
  Result<std::string> read_token() const;

  HttpDirectoryOptions options_;
  Fetch fetch_;
  std::size_t requests_ = 0;
};

}  // namespace mailwarden::identity
