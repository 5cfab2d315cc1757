#include "net/retry_after.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace mailwarden::net {
namespace {

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<Timestamp> parse_http_date(std::string_view text) {
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto parts = split(text, ' ');
  if (parts.size() != 6 || parts[5] != "GMT") return std::nullopt;
  const auto* const month = std::ranges::find(months, parts[2]);
  if (month == months.end()) return std::nullopt;
  std::string number = std::to_string(month - months.begin() + 1);
  if (number.size() == 1) number.insert(0, "0");
  const auto at = parse_rfc3339(std::string(parts[3]) + "-" + number + "-" + std::string(parts[1]) +
                                "T" + std::string(parts[4]) + "Z");
  return at ? std::optional(*at) : std::nullopt;
}

}  // namespace

std::optional<Duration> retry_after(const HttpAnswer& answer, Timestamp now) {
  const std::string text = header(answer, "retry-after");
  const bool digits =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (digits) {
    constexpr std::int64_t most =
        std::chrono::duration_cast<std::chrono::seconds>(retry_after_max).count();
    // More digits than a number holds are longer than the longest, too.
    return std::chrono::seconds(std::min(to_integer(text).value_or(most), most));
  }
  const auto at = parse_http_date(text);
  if (!at) return std::nullopt;
  return std::clamp(*at - now, Duration(0), retry_after_max);
}

}  // namespace mailwarden::net
