#include "event/event.h"

#include <array>
#include <charconv>

namespace mailwarden {

std::string to_string(const EventId& id) {
  constexpr char digits[] = "0123456789abcdef";
  auto stream = static_cast<std::uint64_t>(id.stream);
  std::string out(16, '0');
  for (std::size_t i = 16; i-- > 0; stream >>= 4) out[i] = digits[stream & 15];
  std::array<char, 16> position{};
  const auto [end, failed] = std::to_chars(position.data(), position.data() + position.size(),
                                           static_cast<std::uint64_t>(id.position), 16);
  return out + "-" + std::string(position.data(), end);
}

Result<EventId> parse_event_id(std::string_view text) {
  constexpr std::size_t stream_digits = 16;
  std::uint64_t stream = 0;
  std::uint64_t position = 0;
  const char* const end = text.data() + text.size();
  const bool shaped = text.size() > stream_digits + 1 && text[stream_digits] == '-';
  const char* const dash = text.data() + (shaped ? stream_digits : 0);
  if (!shaped || std::from_chars(text.data(), dash, stream, 16).ptr != dash ||
      std::from_chars(dash + 1, end, position, 16).ptr != end || position > INT64_MAX) {
    return fail(Code::invalid, "'" + std::string(text.substr(0, 60)) +
                                   "' is not an event id (16 hex digits, a dash, hex digits)");
  }
  return EventId{.stream = static_cast<std::int64_t>(stream),
                 .position = static_cast<std::int64_t>(position)};
}

}  // namespace mailwarden
