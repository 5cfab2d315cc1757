#include "respond/address_range.h"

#include <algorithm>

#include <arpa/inet.h>

#include "base/text.h"

namespace mailwarden::respond {
namespace {

bool same_bits(const AddressRange& a, const AddressRange& b, unsigned count) {
  for (unsigned bit = 0; bit < count; ++bit) {
    const unsigned shift = 7 - bit % 8;
    if (((a.bytes[bit / 8] ^ b.bytes[bit / 8]) >> shift & 1U) != 0) return false;
  }
  return true;
}

bool has_bits_behind(const AddressRange& range) {
  for (unsigned bit = range.prefix; bit < (range.is_v6 ? 128U : 32U); ++bit) {
    if ((range.bytes[bit / 8] >> (7 - bit % 8) & 1U) != 0) return true;
  }
  return false;
}

AddressRange without_mapping(const AddressRange& range) {
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (!range.is_v6 || range.prefix < 96 ||
      !std::equal(mapped.begin(), mapped.end(), range.bytes.begin())) {
    return range;
  }
  AddressRange v4{.prefix = range.prefix - 96};
  std::copy(range.bytes.begin() + 12, range.bytes.end(), v4.bytes.begin());
  return v4;
}

}  // namespace

std::optional<AddressRange> parse_range(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  AddressRange range;
  range.is_v6 = address.contains(':');
  if (address.size() > INET6_ADDRSTRLEN || address.contains('\0') ||
      ::inet_pton(range.is_v6 ? AF_INET6 : AF_INET, address.c_str(), range.bytes.data()) != 1) {
    return std::nullopt;
  }
  range.prefix = range.is_v6 ? 128 : 32;
  if (slash != std::string_view::npos) {
    const auto told = to_integer(text.substr(slash + 1));
    if (!told || *told < 0 || *told > range.prefix) return std::nullopt;
    range.prefix = static_cast<unsigned>(*told);
  }
  if (has_bits_behind(range)) return std::nullopt;
  return without_mapping(range);
}

std::string to_string(const AddressRange& range) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(range.is_v6 ? AF_INET6 : AF_INET, range.bytes.data(), text.data(), text.size());
  std::string all(text.data());
  if (!range.is_single()) all += "/" + std::to_string(range.prefix);
  return all;
}

bool overlap(const AddressRange& a, const AddressRange& b) {
  return a.is_v6 == b.is_v6 && same_bits(a, b, std::min(a.prefix, b.prefix));
}

}  // namespace mailwarden::respond
