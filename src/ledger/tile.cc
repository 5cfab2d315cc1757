#include "ledger/tile.h"

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace mailwarden::ledger {
namespace {

using crypto::Digest;

constexpr std::string_view prefix = "tile/";
constexpr std::string_view entries = "entries";
constexpr std::uint64_t thousand = 1000;

std::string three_digits(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(3 - digits.size(), '0') + digits;
}

std::string number_path(std::uint64_t number) {
  std::string path = three_digits(number % thousand);
  for (number /= thousand; number > 0; number /= thousand) {
    path = "x" + three_digits(number % thousand) + "/" + path;
  }
  return path;
}

// The path's elements but the last begin with an x.
std::optional<std::uint64_t> parse_number(std::string_view path) {
  constexpr std::uint64_t number_max = std::numeric_limits<std::int64_t>::max() / thousand;
  std::uint64_t number = 0;
  const auto parts = split(path, '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::string_view part = parts[i];
    if (i + 1 < parts.size()) {
      if (!part.starts_with('x')) return std::nullopt;
      part.remove_prefix(1);
    }
    const auto digits = to_integer(part);
    if (part.size() != 3 || !digits || *digits < 0 || number > number_max) return std::nullopt;
    number = number * thousand + static_cast<std::uint64_t>(*digits);
  }
  return number;
}

}  // namespace

std::string path_of(const Tile& tile) {
  std::string path(prefix);
  path += tile.level ? std::to_string(*tile.level) : std::string(entries);
  path += "/" + number_path(tile.number);
  if (tile.width < Tile::width_max) path += ".p/" + std::to_string(tile.width);
  return path;
}

std::optional<Tile> parse_tile(std::string_view path) {
  if (!path.starts_with(prefix)) return std::nullopt;
  const std::string_view rest = path.substr(prefix.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  Tile tile;
  if (rest.substr(0, slash) != entries) {
    const auto level = to_integer(rest.substr(0, slash));
    if (!level || *level < 0 || *level >= std::int64_t{Tile::levels_max}) return std::nullopt;
    tile.level = static_cast<unsigned>(*level);
  }
  std::string_view place = rest.substr(slash + 1);
  if (const std::size_t partial = place.find(".p/"); partial != std::string_view::npos) {
    const auto width = to_integer(place.substr(partial + 3));
    if (!width || *width < 1 || *width >= std::int64_t{Tile::width_max}) return std::nullopt;
    tile.width = static_cast<std::uint64_t>(*width);
    place = place.substr(0, partial);
  }
  const auto number = parse_number(place);
  if (!number) return std::nullopt;
  tile.number = *number;
  // One tile has one path: no zeroes in front, no sign.
  return path_of(tile) == path ? std::optional(tile) : std::nullopt;
}

std::uint64_t hashes_at(unsigned level, std::uint64_t size) {
  const unsigned bits = level * Tile::level_bits;
  return bits >= std::numeric_limits<std::uint64_t>::digits ? 0 : size >> bits;
}

std::optional<Tile> tile_at(std::optional<unsigned> level, std::uint64_t number,
                            std::uint64_t size) {
  const std::uint64_t hashes = hashes_at(level.value_or(0), size);
  if (number >= hashes / Tile::width_max + 1) return std::nullopt;
  const std::uint64_t width = std::min(hashes - number * Tile::width_max, Tile::width_max);
  if (width == 0) return std::nullopt;
  return Tile{.level = level, .number = number, .width = width};
}

std::string join_hashes(const std::vector<Digest>& hashes) {
  std::string bytes;
  for (const Digest& hash : hashes) {
    bytes.append(reinterpret_cast<const char*>(hash.data()), hash.size());
  }
  return bytes;
}

Result<std::vector<Digest>> split_hashes(std::string_view bytes, std::uint64_t count) {
  constexpr std::size_t hash_bytes = std::tuple_size_v<Digest>;
  if (bytes.size() != count * hash_bytes) {
    return fail(Code::invalid, "a tile of " + std::to_string(bytes.size()) + " bytes, where " +
                                   std::to_string(count) + " hashes were expected");
  }
  std::vector<Digest> hashes(count);
  for (Digest& hash : hashes) {
    std::ranges::copy(crypto::as_bytes(bytes.substr(0, hash_bytes)), hash.begin());
    bytes.remove_prefix(hash_bytes);
  }
  return hashes;
}

Result<std::string> join_entries(const std::vector<std::string>& all) {
  std::string bytes;
  for (const std::string& entry : all) {
    if (entry.size() > std::numeric_limits<std::uint16_t>::max()) {
      return fail(Code::full, "an entry of more than 65535 bytes");
    }
    bytes += static_cast<char>(entry.size() >> 8);
    bytes += static_cast<char>(entry.size() & 0xff);
    bytes += entry;
  }
  return bytes;
}

Result<std::vector<std::string>> split_entries(std::string_view bytes, std::uint64_t count) {
  std::vector<std::string> all;
  while (bytes.size() >= 2 && all.size() < count) {
    const std::size_t length = static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) << 8 |
                               static_cast<unsigned char>(bytes[1]);
    if (bytes.size() - 2 < length) break;
    all.emplace_back(bytes.substr(2, length));
    bytes.remove_prefix(2 + length);
  }
  if (!bytes.empty() || all.size() != count) {
    return fail(Code::invalid, "a bundle that is not of " + std::to_string(count) + " entries");
  }
  return all;
}

}  // namespace mailwarden::ledger
