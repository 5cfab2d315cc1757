// Addresses and prefixes as a firewall knows them.
//
// What     parse_range() reads "192.0.2.7", "192.0.2.0/24", "2001:db8::/32". An IPv4 address that
//          is written within IPv6 (::ffff:192.0.2.7) is the IPv4 one, since packets carry that.
// Owns     Its content.
// Threads  Pure.
// Errors   Nothing where the text is no address, or has bits behind its prefix.
// Limits   None.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailwarden::respond {

struct AddressRange {
  std::array<std::uint8_t, 16> bytes{};  // IPv4 in the first four
  bool is_v6 = false;
  unsigned prefix = 32;

  bool operator==(const AddressRange&) const = default;
  bool is_single() const { return prefix == (is_v6 ? 128U : 32U); }
};

std::optional<AddressRange> parse_range(std::string_view text);
// As nft prints it; without a prefix where it is one address.
std::string to_string(const AddressRange& range);
// Whether an address is in both.
bool overlap(const AddressRange& a, const AddressRange& b);

}  // namespace mailwarden::respond
