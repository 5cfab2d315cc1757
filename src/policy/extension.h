// Cedar's extension types: decimal, ipaddr, datetime, duration.
//
// What     Reads and writes their texts, and answers the functions over them.
// Owns     Nothing.
// Threads  Pure.
// Errors   Nothing where a text is no such value or a result does not fit into 64 bits; Cedar calls
//          both an extension error.
// Limits   64 bits; an address text of 43 characters.
// Source   Cedar 4.5, "Data types"; RFC 80 (datetime and duration); Cedar.Spec.Ext of the formal
//          model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "policy/value.h"

namespace mailwarden::policy {

enum class Function : std::uint8_t {
  decimal,
  less_than,
  less_than_or_equal,
  greater_than,
  greater_than_or_equal,
  ip,
  is_ipv4,
  is_ipv6,
  is_loopback,
  is_multicast,
  is_in_range,
  datetime,
  duration,
  offset,
  duration_since,
  to_date,
  to_time,
  to_milliseconds,
  to_seconds,
  to_minutes,
  to_hours,
  to_days,
};

struct FunctionInfo {
  std::string_view name;
  Function function;
  bool is_constructor;  // called by its name; the others are methods of their first argument
  std::uint8_t arity;
  std::array<Kind, 2> arguments;
  Kind result;
};

const FunctionInfo& info_of(Function function);
const FunctionInfo* find_function(std::string_view name);

// "12.3400": one to four digits behind the point.
std::optional<std::int64_t> read_decimal(std::string_view text);
std::string decimal_text(std::int64_t ten_thousandths);

// "10.0.0.0/8", "::1".
std::optional<IpRange> read_ip(std::string_view text);
std::string ip_text(const IpRange& range);
bool is_loopback(const IpRange& range);
bool is_multicast(const IpRange& range);
// Whether every address of `inner` is one of `outer`.
bool is_in_range(const IpRange& inner, const IpRange& outer);

// "2026-11-27", "2026-11-27T23:59:59Z", "...59.123Z", "...59+0130", "...59.123-0800".
std::optional<std::int64_t> read_datetime(std::string_view text);
// An expression that comes to it: datetime("..."), where the year has four digits.
std::string datetime_source(std::int64_t milliseconds);
std::int64_t time_of_day(std::int64_t datetime);
std::optional<std::int64_t> date_of(std::int64_t datetime);

// "1d2h3m4s5ms", "-90m": units from large to small, each at most once.
std::optional<std::int64_t> read_duration(std::string_view text);
std::string duration_text(std::int64_t milliseconds);

}  // namespace mailwarden::policy
