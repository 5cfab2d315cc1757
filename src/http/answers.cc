#include "http/answers.h"

#include "base/text.h"
#include "db/open.h"

namespace mailwarden::http {

using net::Request;
using net::Response;

Response json_response(unsigned status, const json::Value& value) {
  return json_text_response(status, json::to_text(value));
}

Response json_text_response(unsigned status, std::string text) {
  return {
      .status = status, .content_type = "application/json", .body = std::move(text) + "\n"};
}

Response trouble(unsigned status, const std::string& what) {
  return json_response(status, json::Object{{"error", what}});
}

Response trouble(const Error& error) {
  switch (error.code) {
    case Code::not_found:
      return trouble(404, error.what);
    case Code::invalid:
      return trouble(400, error.what);
    case Code::conflict:
      return trouble(409, error.what);
    case Code::denied:
      return trouble(403, error.what);
    default:
      return trouble(503, error.what);
  }
}

Result<std::optional<std::int64_t>> number_parameter(const Request& request,
                                                     std::string_view name) {
  const std::string_view text = request.parameter(name);
  if (text.empty()) return std::optional<std::int64_t>();
  const auto number = to_integer(text);
  if (!number || *number < 0) {
    return fail(Code::invalid, "'" + std::string(name) + "' is not a number");
  }
  return number;
}

Result<std::optional<Timestamp>> time_parameter(const net::Request& request,
                                                std::string_view name) {
  const std::string_view text = request.parameter(name);
  if (text.empty()) return std::optional<Timestamp>();
  const auto time = parse_rfc3339(text);
  if (!time) return fail("'" + std::string(name) + "'", time.error());
  return std::optional<Timestamp>(*time);
}

Result<std::unique_ptr<db::Database>> open_store(const db::StoreAddress& store) {
  return db::open_with_keys(store, {.read_only = true});
}

}  // namespace mailwarden::http
