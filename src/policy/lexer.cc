#include "policy/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace mailwarden::policy {
namespace {

constexpr bool starts_identifier(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool in_identifier(char c) {
  return starts_identifier(c) || is_digit(c);
}

// The longest come first.
constexpr std::array<std::string_view, 30> symbols = {
    "::", "==", "!=", "<=", ">=", "&&", "||", "(", ")", "{", "}", "[", "]", ",", ";",
    ":",  "@",  ".",  "!",  "<",  ">",  "+",  "-", "*", "/", "%", "=", "?", "|", "&"};

// Bytes of white space at the start: Unicode's White_Space, as Cedar's lexer has it.
std::size_t blank_at(std::string_view text) {
  if (text.empty()) return 0;
  const char c = text.front();
  if (c == ' ' || (c >= '\t' && c <= '\r')) return 1;
  constexpr std::array<std::string_view, 19> wide = {
      "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
      "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
      "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
      "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
  for (const std::string_view one : wide) {
    if (text.starts_with(one)) return one.size();
  }
  return 0;
}

}  // namespace

Lexer::Lexer(std::string_view text) : text_(text), next_(read()) {}

Token Lexer::take() {
  const Token token = next_;
  if (token.kind != Token::Kind::end && token.kind != Token::Kind::wrong) next_ = read();
  return token;
}

bool Lexer::take(std::string_view symbol) {
  if (!next_.is(symbol)) return false;
  take();
  return true;
}

void Lexer::skip_blank() {
  for (;;) {
    const std::string_view rest = text_.substr(at_);
    if (const auto size = blank_at(rest); size > 0) {
      at_ += size;
    } else if (rest.starts_with("//")) {
      at_ = std::min(text_.find_first_of("\n\r", at_), text_.size());
    } else {
      return;
    }
  }
}

Token Lexer::read() {
  skip_blank();
  const std::string_view rest = text_.substr(at_);
  const std::size_t start = at_;
  const auto token = [&](Token::Kind kind, std::size_t size) {
    at_ += size;
    return Token{kind, text_.substr(start, size), start};
  };
  const auto run = [&](std::size_t from, auto belongs) {
    std::size_t size = from;
    while (size < rest.size() && belongs(rest[size])) ++size;
    return size;
  };
  if (rest.empty()) return {Token::Kind::end, rest, start};
  if (starts_identifier(rest.front())) {
    return token(Token::Kind::identifier, run(0, in_identifier));
  }
  if (is_digit(rest.front())) return token(Token::Kind::number, run(0, is_digit));
  if (rest.front() == '?' && rest.size() > 1 && starts_identifier(rest[1])) {
    return token(Token::Kind::slot, run(1, in_identifier));
  }
  if (rest.front() == '"') {
    for (std::size_t size = 1; size < rest.size(); ++size) {
      if (rest[size] == '\\') {
        ++size;
      } else if (rest[size] == '"') {
        at_ += size + 1;
        return {Token::Kind::string, rest.substr(1, size - 1), start};
      }
    }
    return {Token::Kind::wrong, rest.substr(0, 1), start};
  }
  for (const std::string_view symbol : symbols) {
    if (rest.starts_with(symbol)) return token(Token::Kind::symbol, symbol.size());
  }
  return {Token::Kind::wrong, rest.substr(0, 1), start};
}

std::size_t Lexer::line_of(const Token& token) const {
  if (token.at < counted_to_) {
    counted_to_ = 0;
    lines_ = 1;
  }
  const auto more = text_.substr(counted_to_, token.at - counted_to_);
  lines_ += static_cast<std::size_t>(std::ranges::count(more, '\n'));
  counted_to_ = token.at;
  return lines_;
}

std::string Lexer::where(const Token& token) const {
  const auto before = text_.substr(0, token.at);
  const auto line_start = before.rfind('\n');
  const std::size_t column =
      line_start == std::string_view::npos ? before.size() : before.size() - line_start - 1;
  return "line " + std::to_string(line_of(token)) + ", column " + std::to_string(column + 1);
}

std::string Lexer::shown(const Token& token) {
  constexpr std::size_t shown_max = 40;
  const std::string text = printable(token.text.substr(0, shown_max));
  switch (token.kind) {
    case Token::Kind::end:
      return "the end";
    case Token::Kind::string:
      return "the string \"" + text + "\"";
    case Token::Kind::wrong:
      return token.text == "\"" ? "a string without an end" : "'" + text + "'";
    default:
      return "'" + text + "'";
  }
}

namespace {

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | (point >> 6));
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3f));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

std::optional<std::uint32_t> read_hex(std::string_view digits) {
  std::uint32_t number = 0;
  const char* const end = digits.data() + digits.size();
  if (digits.empty() || std::from_chars(digits.data(), end, number, 16).ptr != end) {
    return std::nullopt;
  }
  return number;
}

// "{1F600}" behind "\u"; digits may be parted by '_'. Takes it from `rest`.
std::optional<std::uint32_t> take_braced(std::string_view& rest) {
  const auto end = rest.find('}');
  if (!rest.starts_with('{') || end == std::string_view::npos) return std::nullopt;
  std::string digits(rest.substr(1, end - 1));
  if (digits.starts_with('_')) return std::nullopt;
  std::erase(digits, '_');
  rest.remove_prefix(end + 1);
  const auto point = digits.size() > 6 ? std::nullopt : read_hex(digits);
  if (!point || *point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000)) return std::nullopt;
  return point;
}

// What stands behind a backslash; false where it is no escape.
bool take_escape(std::string_view& rest, bool is_pattern, std::string& out) {
  if (rest.empty()) return false;
  const char c = rest.front();
  rest.remove_prefix(1);
  constexpr std::string_view letters = "nrt\\0'\"";
  constexpr std::string_view meanings("\n\r\t\\\0'\"", 7);
  if (const auto at = letters.find(c); at != std::string_view::npos) {
    out += meanings[at];
    return true;
  }
  if (c == '*' && is_pattern) {
    out += escaped_star;
    return true;
  }
  if (c == 'x') {
    const auto point = rest.size() < 2 ? std::nullopt : read_hex(rest.substr(0, 2));
    if (!point || *point > 0x7f) return false;
    rest.remove_prefix(2);
    out += static_cast<char>(*point);
    return true;
  }
  if (c == 'u') {
    const auto point = take_braced(rest);
    if (point) append_utf8(out, *point);
    return point.has_value();
  }
  if (c == '\n' && !is_pattern) {  // goes on in the next line
    const auto text = rest.find_first_not_of(" \t\n\r");
    rest.remove_prefix(std::min(text, rest.size()));
    return true;
  }
  return false;
}

}  // namespace

Result<std::string> unescape(std::string_view raw, bool is_pattern) {
  std::string out;
  out.reserve(raw.size());
  while (!raw.empty()) {
    const auto plain = raw.substr(0, raw.find('\\'));
    if (plain.find('\r') != std::string_view::npos) {
      return fail(Code::invalid, "a carriage return in a string must be written \\r");
    }
    out += plain;
    raw.remove_prefix(plain.size());
    if (raw.empty()) break;
    raw.remove_prefix(1);
    const std::string_view escape = raw.substr(0, 1);
    if (!take_escape(raw, is_pattern, out)) {
      return fail(Code::invalid, "'\\" + printable(escape) + "' is no escape that a " +
                                     (is_pattern ? "pattern" : "string") + " may hold");
    }
  }
  return out;
}

}  // namespace mailwarden::policy
