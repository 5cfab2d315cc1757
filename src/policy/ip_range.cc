// The part of extension.h about addresses. Cedar has its own idea of their texts: no leading zeros,
// no IPv4 in the tail of IPv6, no zones, so the system's reader would take too much.
#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

#include "base/text.h"
#include "policy/extension.h"

namespace mailwarden::policy {
namespace {

std::optional<unsigned> read_number(std::string_view text, std::size_t digits_max, unsigned most) {
  if (text.empty() || text.size() > digits_max || !std::ranges::all_of(text, is_digit)) {
    return std::nullopt;
  }
  if (text.front() == '0' && text.size() > 1) return std::nullopt;
  unsigned number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (number > most) return std::nullopt;
  return number;
}

// What stands behind '/', or all bits where nothing does.
std::optional<std::uint8_t> read_prefix(std::span<const std::string_view> parts,
                                        std::size_t digits_max, unsigned bits) {
  if (parts.size() > 2) return std::nullopt;
  const auto prefix = parts.size() == 2 ? read_number(parts[1], digits_max, bits) : bits;
  if (!prefix) return std::nullopt;
  return static_cast<std::uint8_t>(*prefix);
}

std::optional<IpRange> read_v4(std::span<const std::string_view> parts) {
  IpRange range;
  const auto groups = split(parts[0], '.');
  if (groups.size() != 4) return std::nullopt;
  for (std::size_t at = 0; at < 4; ++at) {
    const auto number = read_number(groups[at], 3, 255);
    if (!number) return std::nullopt;
    range.address[at] = static_cast<std::uint8_t>(*number);
  }
  const auto prefix = read_prefix(parts, 2, 32);
  if (!prefix) return std::nullopt;
  range.prefix = *prefix;
  return range;
}

// Groups of hexadecimal digits between colons; none in an empty text.
std::optional<std::vector<std::uint16_t>> read_groups(std::string_view text) {
  std::vector<std::uint16_t> groups;
  if (text.empty()) return groups;
  for (const std::string_view group : split(text, ':')) {
    unsigned number = 0;
    const char* const end = group.data() + group.size();
    if (group.empty() || group.size() > 4 ||
        std::from_chars(group.data(), end, number, 16).ptr != end) {
      return std::nullopt;
    }
    groups.push_back(static_cast<std::uint16_t>(number));
  }
  return groups;
}

std::optional<IpRange> read_v6(std::span<const std::string_view> parts) {
  const std::string_view text = parts[0];
  const auto gap = text.find("::");
  auto groups = read_groups(text.substr(0, gap));
  if (!groups) return std::nullopt;
  if (gap != std::string_view::npos) {
    const std::string_view rest = text.substr(gap + 2);
    if (rest.find("::") != std::string_view::npos) return std::nullopt;
    const auto behind = read_groups(rest);
    if (!behind || groups->size() + behind->size() >= 8) return std::nullopt;
    groups->resize(8 - behind->size());
    groups->insert(groups->end(), behind->begin(), behind->end());
  }
  const auto prefix = read_prefix(parts, 3, 128);
  if (!prefix || groups->size() != 8) return std::nullopt;
  IpRange range{.prefix = *prefix, .is_v6 = true};
  for (std::size_t at = 0; at < 8; ++at) {
    range.address[at * 2] = static_cast<std::uint8_t>((*groups)[at] >> 8);
    range.address[at * 2 + 1] = static_cast<std::uint8_t>((*groups)[at]);
  }
  return range;
}

bool same_bits(const IpRange& a, const IpRange& b, unsigned bits) {
  const std::size_t bytes = bits / 8;
  if (!std::equal(a.address.begin(), a.address.begin() + static_cast<std::ptrdiff_t>(bytes),
                  b.address.begin())) {
    return false;
  }
  if (bits % 8 == 0) return true;
  const unsigned shift = 8 - bits % 8;
  return a.address[bytes] >> shift == b.address[bytes] >> shift;
}

}  // namespace

std::optional<IpRange> read_ip(std::string_view text) {
  if (text.size() > 43) return std::nullopt;
  const auto parts = split(text, '/');
  if (parts.empty()) return std::nullopt;
  if (auto range = read_v4(parts)) return range;
  return read_v6(parts);
}

std::string ip_text(const IpRange& range) {
  std::string out;
  if (!range.is_v6) {
    for (std::size_t at = 0; at < 4; ++at) {
      out += (at == 0 ? "" : ".") + std::to_string(range.address[at]);
    }
  } else {
    for (std::size_t at = 0; at < 16; at += 2) {
      std::array<char, 4> digits;
      const unsigned group = static_cast<unsigned>(range.address[at] << 8) | range.address[at + 1];
      const auto end = std::to_chars(digits.begin(), digits.end(), group, 16).ptr;
      out += (at == 0 ? "" : ":") + std::string(digits.data(), end);
    }
  }
  return out + "/" + std::to_string(range.prefix);
}

bool is_in_range(const IpRange& inner, const IpRange& outer) {
  return inner.is_v6 == outer.is_v6 && inner.prefix >= outer.prefix &&
         same_bits(inner, outer, outer.prefix);
}

bool is_loopback(const IpRange& range) {
  IpRange loopback{.prefix = 8};
  loopback.address[0] = 127;
  if (range.is_v6) {
    loopback = {.prefix = 128, .is_v6 = true};
    loopback.address[15] = 1;
  }
  return is_in_range(range, loopback);
}

bool is_multicast(const IpRange& range) {
  IpRange multicast{.prefix = 4};
  multicast.address[0] = 224;
  if (range.is_v6) {
    multicast = {.prefix = 8, .is_v6 = true};
    multicast.address[0] = 255;
  }
  return is_in_range(range, multicast);
}

}  // namespace mailwarden::policy
