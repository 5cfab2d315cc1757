#include "detect/matcher.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include <arpa/inet.h>
#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include "base/text.h"
#include "detect/fold.h"

namespace mailwarden::detect {
namespace {

constexpr std::array<unsigned char, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned mapped_bits = 96;

// An IPv4 address becomes the IPv6 address that stands for it.
bool parse_address(std::string_view text, std::array<unsigned char, 16>& into) {
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (text.size() >= copy.size() || text.contains('\0')) return false;
  std::ranges::copy(text, copy.begin());
  if (text.contains(':')) return ::inet_pton(AF_INET6, copy.data(), into.data()) == 1;
  std::ranges::copy(mapped_prefix, into.begin());
  return ::inet_pton(AF_INET, copy.data(), into.data() + mapped_prefix.size()) == 1;
}

bool in_network(const Network& network, std::string_view value) {
  std::array<unsigned char, 16> address{};
  if (!parse_address(value, address)) return false;
  // ::/0 is every IPv6 address and no IPv4 address.
  const bool v4 = std::memcmp(address.data(), mapped_prefix.data(), mapped_prefix.size()) == 0;
  if (v4 && network.bits < mapped_bits) return false;
  const std::size_t whole = network.bits / 8;
  if (std::memcmp(address.data(), network.address.data(), whole) != 0) return false;
  const unsigned rest = network.bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<unsigned char>(0xFF << (8 - rest));
  return (address[whole] & mask) == (network.address[whole] & mask);
}

bool compares(const Number& number, const Decimal& value) {
  switch (number.compare) {
    case Compare::equal:
      return value == number.value;
    case Compare::less:
      return value < number.value;
    case Compare::less_equal:
      return value <= number.value;
    case Compare::greater:
      return value > number.value;
    case Compare::greater_equal:
      return value >= number.value;
  }
  return false;
}

// Takes `count` digits off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  int value = 0;
  if (text.size() < count) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

struct DateParts {
  std::chrono::year_month_day day;
  std::optional<int> hour;
  std::optional<int> minute;
};

bool take_zone(std::string_view& text) {
  if (text.empty() || take(text, 'Z')) return text.empty();
  if (!take(text, '+') && !take(text, '-')) return false;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ':')) return false;
  const auto minutes = take_digits(text, 2);
  return minutes && *minutes < 60 && text.empty();
}

bool take_time(std::string_view& text, DateParts& parts) {
  parts.hour = take_digits(text, 2);
  if (!parts.hour || *parts.hour > 23 || !take(text, ':')) return false;
  parts.minute = take_digits(text, 2);
  if (!parts.minute || *parts.minute > 59) return false;
  if (!take(text, ':')) return take_zone(text);
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return false;
  if (take(text, '.')) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0) return false;
    text.remove_prefix(digits);
  }
  return take_zone(text);
}

std::optional<DateParts> parse_date(std::string_view text) {
  DateParts parts;
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  parts.day = std::chrono::year(*year) / *month / *day;
  if (!parts.day.ok()) return std::nullopt;
  if (text.empty()) return parts;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  if (!take_time(text, parts)) return std::nullopt;
  return parts;
}

// ISO 8601: weeks begin on Monday, and the first holds the year's first Thursday.
int iso_week(std::chrono::year_month_day day) {
  using namespace std::chrono;
  const sys_days date(day);
  const sys_days thursday = date + days(4 - static_cast<int>(weekday(date).iso_encoding()));
  const sys_days new_year(year_month_day(thursday).year() / January / 1);
  return static_cast<int>((thursday - new_year).count() / 7 + 1);
}

// Many hints cost more than the expression.
constexpr std::size_t hints_max = 4;

bool expression_matches(const Expression& expression, const Subject& value) {
  const bool hinted = expression.hints.empty() ||
                      std::ranges::any_of(expression.hints, [&](const std::string& hint) {
                        return value.folded.contains(hint);
                      });
  return hinted && RE2::PartialMatch(re2::StringPiece(value.text.data(), value.text.size()),
                                     *expression.compiled);
}

bool text_matches(const Text& text, const Subject& value) {
  return text.pattern.matches(text.cased ? value.text : value.folded);
}

RE2::Options options_of(std::string_view flags) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!flags.contains('i'));
  options.set_dot_nl(flags.contains('s'));
  options.set_max_mem(expression_bytes_max);
  return options;
}

std::string pattern_of(const std::string& text, std::string_view flags) {
  return (flags.contains('m') ? "(?m)" : "") + text;
}

}  // namespace

Result<Expression> make_expression(const std::string& text, const std::string& flags) {
  auto compiled = std::make_shared<RE2>(pattern_of(text, flags), options_of(flags));
  if (!compiled->ok()) {
    const bool large = compiled->error_code() == RE2::ErrorPatternTooLarge;
    return fail(Code::invalid, large
                                   ? "the expression is too large: it needs more than " +
                                         std::to_string(expression_bytes_max / 1024 / 1024) + " MiB"
                                   : "the expression is wrong: " + compiled->error());
  }
  Expression expression{.text = text, .flags = flags, .compiled = std::move(compiled)};
  // Of lists that are as good, the one that is looked through soonest.
  for (auto& list : needed_texts(expression, 1)) {
    if (expression.hints.empty() || list.size() < expression.hints.size()) {
      expression.hints = std::move(list);
    }
  }
  if (expression.hints.size() > hints_max) expression.hints.clear();
  return expression;
}

std::vector<std::vector<std::string>> needed_texts(const Expression& expression,
                                                   int text_bytes_min) {
  re2::FilteredRE2 filter(text_bytes_min);
  int id = 0;
  std::vector<std::string> texts;
  const std::string pattern = pattern_of(expression.text, expression.flags);
  if (filter.Add(pattern, options_of(expression.flags), &id) != RE2::NoError) return {};
  filter.Compile(&texts);
  auto may_match_with = [&filter](const std::vector<int>& present) {
    std::vector<int> matched;
    filter.AllPotentials(present, &matched);
    return !matched.empty();
  };
  // RE2 lowers letters beyond ASCII in its own way.
  const bool ascii = std::ranges::all_of(texts, [](const std::string& text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  });
  if (texts.empty() || !ascii || may_match_with({})) return {};
  std::vector<std::vector<std::string>> lists{texts};
  // What cannot match without one of them needs that one.
  for (std::size_t missing = 0; missing < texts.size() && texts.size() > 1; ++missing) {
    std::vector<int> others;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (i != missing) others.push_back(static_cast<int>(i));
    }
    if (!may_match_with(others)) lists.push_back({texts[missing]});
  }
  return lists;
}

Result<Network> make_network(const std::string& text) {
  Network network;
  const std::size_t slash = text.find('/');
  const std::string_view address = std::string_view(text).substr(0, slash);
  const bool v6 = address.contains(':');
  const auto bits = to_integer(slash == std::string::npos ? "" : text.substr(slash + 1));
  if (!parse_address(address, network.address) || !bits || *bits < 0 || *bits > (v6 ? 128 : 32)) {
    return fail(Code::invalid, "'" + text + "' is not a network like 192.0.2.0/24");
  }
  network.bits = static_cast<unsigned>(*bits) + (v6 ? 0 : mapped_bits);
  return network;
}

std::optional<int> part_of_date(std::string_view text, DatePart part) {
  const auto parts = parse_date(text);
  if (!parts) return std::nullopt;
  switch (part) {
    case DatePart::minute:
      return parts->minute;
    case DatePart::hour:
      return parts->hour;
    case DatePart::day:
      return static_cast<int>(static_cast<unsigned>(parts->day.day()));
    case DatePart::week:
      return iso_week(parts->day);
    case DatePart::month:
      return static_cast<int>(static_cast<unsigned>(parts->day.month()));
    case DatePart::year:
      return static_cast<int>(parts->day.year());
  }
  return std::nullopt;
}

bool matches(const Matcher& matcher, const Subject& value) {
  if (const auto* text = std::get_if<Text>(&matcher)) return text_matches(*text, value);
  if (const auto* expression = std::get_if<Expression>(&matcher)) {
    return expression_matches(*expression, value);
  }
  if (const auto* network = std::get_if<Network>(&matcher)) {
    return in_network(*network, value.text);
  }
  if (const auto* number = std::get_if<Number>(&matcher)) {
    const auto found = Decimal::parse(value.text);
    return found && compares(*number, *found);
  }
  if (const auto* date = std::get_if<Date>(&matcher)) {
    const auto found = part_of_date(value.text, date->part);
    return found && compares(date->number, *Decimal::parse(std::to_string(*found)));
  }
  return false;
}

bool matches(const OtherField& other, const Subject& value, const Subject& twin) {
  const std::string_view a = other.cased ? value.text : value.folded;
  const std::string_view b = other.cased ? twin.text : twin.folded;
  if (!is_utf8(b)) {
    Pattern pattern = Pattern::literal(b);
    const bool anywhere = other.where == Pattern::Plain::anywhere;
    if (anywhere || other.where == Pattern::Plain::end) pattern.open_start();
    if (anywhere || other.where == Pattern::Plain::start) pattern.open_end();
    return pattern.matches(a);
  }
  switch (other.where) {
    case Pattern::Plain::start:
      return a.starts_with(b);
    case Pattern::Plain::end:
      return a.ends_with(b);
    case Pattern::Plain::anywhere:
      return a.contains(b);
    case Pattern::Plain::no:
    case Pattern::Plain::whole:
      return a == b;
  }
  return false;
}

namespace {

void append_number(std::string& key, const Number& number) {
  key += number.value.canonical() + "," + std::to_string(static_cast<int>(number.compare));
}

void append_pattern(std::string& key, const Pattern& pattern) {
  key += pattern.starts_open() ? '*' : '^';
  for (const Pattern::Piece& piece : pattern.pieces()) {
    key += std::to_string(piece.text.size()) + ":" + piece.text + ":";
    for (const bool any : piece.any) key += any ? '?' : '.';
    key += '*';
  }
  key += pattern.ends_open() ? '*' : '$';
}

struct KeyOf {
  std::string operator()(const Text& text) const {
    std::string key = text.cased ? "C" : "T";
    append_pattern(key, text.pattern);
    return key;
  }
  std::string operator()(const Expression& expression) const {
    return "E" + expression.flags + ":" + expression.text;
  }
  std::string operator()(const Network& network) const {
    return "W" + std::to_string(network.bits) +
           std::string(network.address.begin(), network.address.end());
  }
  std::string operator()(const Number& number) const {
    std::string key = "N";
    append_number(key, number);
    return key;
  }
  std::string operator()(const Date& date) const {
    std::string key = "D" + std::to_string(static_cast<int>(date.part)) + ",";
    append_number(key, date.number);
    return key;
  }
  std::string operator()(const Null&) const { return "0"; }
  std::string operator()(const Presence& presence) const { return presence.wanted ? "P" : "p"; }
  std::string operator()(const OtherField& other) const {
    return "F" + std::to_string(static_cast<int>(other.where)) + (other.cased ? "c" : "i") +
           other.name;
  }
};

}  // namespace

std::string key_of(const Matcher& matcher) {
  return std::visit(KeyOf(), matcher);
}

}  // namespace mailwarden::detect
