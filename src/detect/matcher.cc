#include "detect/matcher.h"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>
#include <re2/re2.h>

#include "base/text.h"

namespace mailwarden::detect {
namespace {

// The bytes of the UTF-8 character at `at`, so that `?` stands for a character and not for a byte.
std::size_t character_at(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return end - at;
}

bool parse_address(std::string_view text, Network& into) {
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (text.size() >= copy.size()) return false;
  std::ranges::copy(text, copy.begin());
  into.v6 = text.contains(':');
  return ::inet_pton(into.v6 ? AF_INET6 : AF_INET, copy.data(), into.address.data()) == 1;
}

bool in_network(const Network& network, std::string_view value) {
  Network address;
  if (!parse_address(value, address) || address.v6 != network.v6) return false;
  const std::size_t whole = network.bits / 8;
  if (std::memcmp(address.address.data(), network.address.data(), whole) != 0) return false;
  const unsigned rest = network.bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<unsigned char>(0xFF << (8 - rest));
  return (address.address[whole] & mask) == (network.address[whole] & mask);
}

bool compares(const Number& number, const Field& field) {
  const auto value = to_number(field.value);
  if (!value) return false;
  switch (number.compare) {
    case Number::Compare::equal:
      return *value == number.value;
    case Number::Compare::less:
      return *value < number.value;
    case Number::Compare::less_equal:
      return *value <= number.value;
    case Number::Compare::greater:
      return *value > number.value;
    case Number::Compare::greater_equal:
      return *value >= number.value;
  }
  return false;
}

}  // namespace

Pattern Pattern::parse(std::string_view text, Anchor anchor, bool cased) {
  Pattern pattern;
  pattern.cased_ = cased;
  pattern.open_start_ = anchor == Anchor::end || anchor == Anchor::anywhere;
  pattern.open_end_ = anchor == Anchor::start || anchor == Anchor::anywhere;
  Piece piece;
  bool star_last = false;
  auto put = [&](char c, bool any) {
    const bool has_any = any || !piece.any.empty();
    if (has_any) piece.any.resize(piece.text.size());
    piece.text += cased ? c : to_lower(c);
    if (has_any) piece.any.push_back(any);
    star_last = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    // A backslash escapes a wildcard or itself; before anything else it is a backslash.
    const bool escapes = text[i] == '\\' && i + 1 < text.size() &&
                         (text[i + 1] == '*' || text[i + 1] == '?' || text[i + 1] == '\\');
    if (escapes) {
      put(text[++i], false);
    } else if (text[i] == '?') {
      put('?', true);
    } else if (text[i] != '*') {
      put(text[i], false);
    } else {
      if (!piece.text.empty()) pattern.pieces_.push_back(std::exchange(piece, {}));
      if (i == 0) pattern.open_start_ = true;
      star_last = true;
    }
  }
  if (star_last) pattern.open_end_ = true;
  if (!piece.text.empty()) pattern.pieces_.push_back(std::move(piece));
  return pattern;
}

bool Pattern::piece_at(const Piece& piece, std::string_view value, std::size_t at) const {
  if (piece.any.empty()) {
    if (at + piece.text.size() > value.size()) return false;
    const std::string_view part = value.substr(at, piece.text.size());
    return cased_ ? part == piece.text
                  : std::ranges::equal(part, piece.text, {}, [](char c) { return to_lower(c); });
  }
  for (std::size_t i = 0; i < piece.text.size(); ++i) {
    if (at >= value.size()) return false;
    if (piece.any[i]) {
      at += character_at(value, at);
    } else {
      if ((cased_ ? value[at] : to_lower(value[at])) != piece.text[i]) return false;
      ++at;
    }
  }
  return true;
}

std::size_t Pattern::find_piece(const Piece& piece, std::string_view value,
                                std::size_t from) const {
  const bool plain = piece.any.empty();
  const char first = piece.text.front();
  for (std::size_t at = from; at < value.size(); ++at) {
    if (plain && (cased_ ? value[at] : to_lower(value[at])) != first) continue;
    if (piece_at(piece, value, at)) return at;
  }
  return std::string_view::npos;
}

std::optional<std::string> Pattern::exact() const {
  const bool one = pieces_.size() == 1 && pieces_.front().any.empty();
  if (!one || open_start_ || open_end_) return std::nullopt;
  return to_lower(pieces_.front().text);
}

bool Pattern::matches(std::string_view value) const {
  if (pieces_.empty()) return value.empty() || open_start_ || open_end_;
  auto width = [&](const Piece& piece, std::size_t at) {
    if (piece.any.empty()) return piece.text.size();
    std::size_t end = at;
    for (const bool any : piece.any) end += any ? character_at(value, end) : 1;
    return end - at;
  };
  std::size_t at = 0;
  std::size_t next = 0;
  if (!open_start_) {
    if (!piece_at(pieces_[0], value, 0)) return false;
    at = width(pieces_[0], 0);
    next = 1;
  }
  // The last piece of a closed end is held against the end; the ones before are taken as early as
  // they come, which leaves the most room for it.
  const std::size_t last = open_end_ ? pieces_.size() : pieces_.size() - 1;
  for (; next < last; ++next) {
    const std::size_t found = find_piece(pieces_[next], value, at);
    if (found == std::string_view::npos) return false;
    at = found + width(pieces_[next], found);
  }
  if (open_end_) return true;
  if (next >= pieces_.size()) return at == value.size();
  const Piece& tail = pieces_.back();
  if (tail.any.empty()) {
    return value.size() >= at + tail.text.size() &&
           piece_at(tail, value, value.size() - tail.text.size());
  }
  for (std::size_t from = at; from < value.size(); ++from) {
    if (piece_at(tail, value, from) && from + width(tail, from) == value.size()) return true;
  }
  return false;
}

Result<Expression> make_expression(const std::string& text, std::string_view flags) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!flags.contains('i'));
  options.set_dot_nl(flags.contains('s'));
  // Logs are bytes; an expression is held against what is there, valid UTF-8 or not.
  options.set_encoding(RE2::Options::EncodingUTF8);
  const std::string prefix = flags.contains('m') ? "(?m)" : "";
  auto compiled = std::make_shared<RE2>(prefix + text, options);
  if (!compiled->ok()) return fail(Code::invalid, "the expression is wrong: " + compiled->error());
  return Expression{std::move(compiled)};
}

Result<Network> make_network(const std::string& text) {
  Network network;
  const std::size_t slash = text.find('/');
  const auto bits = to_integer(slash == std::string::npos ? "" : text.substr(slash + 1));
  const bool address = parse_address(std::string_view(text).substr(0, slash), network);
  if (!address || !bits || *bits < 0 || *bits > (network.v6 ? 128 : 32)) {
    return fail(Code::invalid, "'" + text + "' is not a network like 192.0.2.0/24");
  }
  network.bits = static_cast<unsigned>(*bits);
  return network;
}

bool matches(const Matcher& matcher, const Field& value) {
  if (value.kind == FieldKind::null) return false;
  if (const auto* pattern = std::get_if<Pattern>(&matcher)) return pattern->matches(value.value);
  if (const auto* expression = std::get_if<Expression>(&matcher)) {
    return RE2::PartialMatch(re2::StringPiece(value.value.data(), value.value.size()),
                             *expression->compiled);
  }
  if (const auto* network = std::get_if<Network>(&matcher))
    return in_network(*network, value.value);
  if (const auto* number = std::get_if<Number>(&matcher)) return compares(*number, value);
  return false;
}

}  // namespace mailwarden::detect
