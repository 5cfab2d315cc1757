// Answers that every part of the API gives alike.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/timestamp.h"
#include "db/open.h"
#include "json/value.h"
#include "net/http_server.h"

namespace mailwarden::http {

net::Response json_response(unsigned status, const json::Value& value);
// Of a text that is JSON.
net::Response json_text_response(unsigned status, std::string text);
net::Response trouble(unsigned status, const std::string& what);
net::Response trouble(const Error& error);

// A number out of the query; nothing where it is not given, Error where it is none.
Result<std::optional<std::int64_t>> number_parameter(const net::Request& request,
                                                     std::string_view name);

// A time by RFC 3339, likewise.
Result<std::optional<Timestamp>> time_parameter(const net::Request& request, std::string_view name);

Result<std::unique_ptr<db::Database>> open_store(const db::StoreAddress& store);

}  // namespace mailwarden::http
