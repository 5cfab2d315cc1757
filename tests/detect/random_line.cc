#include "tests/detect/random_line.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <utility>

namespace mailwarden::random_rules {
namespace {

using Names = std::vector<std::string>;
// As YAML, and what meets it. Made in braces, for only there the order of two choices is settled.
using Value = std::pair<std::string, std::string>;

bool is_plain(std::string_view text) {
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text.front())) == 0) return false;
  if (text == "true" || text == "True" || text == "null") return false;
  return std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '\\';
  });
}

std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned>(c));
      out += escape.data();
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string swapped_case(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) continue;
    c = static_cast<char>(std::isupper(byte) != 0 ? std::tolower(byte) : std::toupper(byte));
  }
  return text;
}

std::string escaped(std::string_view text, std::string_view signs) {
  std::string out;
  for (const char c : text) {
    if (signs.contains(c)) out += '\\';
    out += c;
  }
  return out;
}

// A part of one to three characters, as needles that stand everywhere are.
std::string short_part(Choices& choices, const std::string& word) {
  const oracle::Characters all = oracle::characters(word);
  const std::size_t begin = choices.below(all.size());
  return oracle::bytes_of(all.substr(begin, 1 + choices.below(3)));
}

// A word of the vocabulary with its signs escaped or not, and wildcards where they may hurt.
std::string pattern(Choices& choices, const Vocabulary& vocabulary, bool percent) {
  static const Names signs{"*",     "?",      "**",      "?*",    R"(\*)",
                           R"(\?)", R"(\\*)", R"(\\\*)", R"(\\)", R"(\)"};
  std::string word = choices.of(vocabulary.words);
  if (choices.one_in(4)) word = short_part(choices, word);
  if (choices.one_in(5)) word = swapped_case(word);
  if (!choices.one_in(4)) word = escaped(word, R"(*?\)");
  if (percent) word = escaped(word, "%");
  if (!choices.one_in(3)) return word;
  oracle::Characters all = oracle::characters(word);
  const oracle::Characters sign = oracle::characters(choices.of(signs));
  const std::size_t at = choices.below(all.size() + 1);
  all.replace(at, choices.one_in(2) ? choices.below(all.size() - at + 1) : 0, sign);
  return oracle::bytes_of(all);
}

// A text that the pattern matches.
std::string meeting(Choices& choices, const Vocabulary& vocabulary, const std::string& written) {
  static const Names one{"x", "é", "\xFF", "*", "\n"};
  std::string text;
  for (const oracle::Piece& piece : oracle::parse_text(written, true)) {
    if (piece.kind == oracle::Piece::Kind::character) {
      text += oracle::bytes_of(oracle::Characters(1, piece.character));
    } else if (piece.kind == oracle::Piece::Kind::one) {
      text += choices.of(one);
    } else if (choices.one_in(2)) {
      text += choices.of(vocabulary.words);
    }
  }
  return text;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

bool has(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// What the modifiers would make of the text, said by the event.
std::string said(Choices& choices, const Names& modifiers, std::string text) {
  text = replaced(std::move(text), "%one%", "ab");
  text = replaced(std::move(text), "%two%", "cmd");
  text = replaced(std::move(text), "%three%", "root");
  const bool open = has(modifiers, "contains");
  for (const std::string& modifier : modifiers) {
    const oracle::Text plain = oracle::parse_expression(text, false);
    if (modifier == "windash") text = replaced(text, "-", choices.of(Names{"/", "-", "–", "―"}));
    if (modifier == "base64") text = oracle::bytes_of(*oracle::base64(plain));
    if (modifier == "base64offset") {
      const auto forms = oracle::base64offset(plain);  // none of a text that is too short
      if (open) {
        text = oracle::bytes_of(*oracle::base64(
            oracle::parse_expression(std::string(choices.below(3), 'x') + text + "yz", false)));
      } else if (forms) {
        text = oracle::bytes_of((*forms)[choices.below(3)]);
      }
    }
    if (modifier == "wide" || modifier.starts_with("utf16")) {
      const auto encoded = oracle::utf16(modifier, plain);
      if (encoded) text = oracle::bytes_of(*encoded);
    }
  }
  if (open || has(modifiers, "endswith")) text = choices.of(Names{"", "x", "ab "}) + text;
  if (open || has(modifiers, "startswith")) text += choices.of(Names{"", "y", " cd"});
  return text;
}

// Modifiers that change no value may stand anywhere.
void insert_anywhere(Choices& choices, Names& modifiers, const std::string& modifier) {
  modifiers.insert(
      modifiers.begin() + static_cast<std::ptrdiff_t>(choices.below(modifiers.size() + 1)),
      modifier);
}

std::string joined(const std::string& field, const Names& modifiers) {
  std::string name = field;
  for (const std::string& modifier : modifiers) name += "|" + modifier;
  return name;
}

std::string list(const Names& values) {
  std::string out;
  for (const std::string& value : values) out += (out.empty() ? "" : ", ") + value;
  return "[" + out + "]";
}

std::size_t count_of_values(Choices& choices, bool all) {
  if (choices.one_in(24)) return 20;
  static const std::vector<std::size_t> usual{1, 1, 1, 2, 3};
  return choices.of(usual) + (all ? 1 : 0);
}

// `make` makes a value as YAML and the hint for it.
template <class Make>
Line line_of_values(Choices& choices, const std::string& field, const Names& modifiers, Make make) {
  Line line;
  Names values;
  const bool all = has(modifiers, "all");
  const std::size_t count = count_of_values(choices, all);
  for (std::size_t i = 0; i < count; ++i) {
    auto [value, hint] = make();
    values.push_back(std::move(value));
    if (all || i == 0) line.hints.push_back({field, std::move(hint)});
  }
  line.name = quoted(choices, joined(field, modifiers));
  line.value = count == 1 && !choices.one_in(4) ? values.front() : list(values);
  return line;
}

bool encodes(const Names& modifiers) {
  return std::ranges::any_of(modifiers, [](std::string_view modifier) {
    return modifier.starts_with("base64") || modifier.starts_with("utf16") || modifier == "wide";
  });
}

// contains, startswith, endswith, cased, windash, expand and the encodings, lawfully together.
Names text_modifiers(Choices& choices) {
  static const std::vector<Names> encodings{
      {"base64"},           {"base64offset"},     {"wide"},
      {"utf16le"},          {"utf16be"},          {"utf16"},
      {"wide", "base64"},   {"utf16", "base64"},  {"utf16be", "base64offset"},
      {"base64", "wide"},   {"base64", "base64"}, {"wide", "base64offset"},
      {"utf16le", "base64"}};
  static const Names open{"contains", "startswith", "endswith"};
  Names modifiers;
  if (choices.one_in(6)) modifiers = choices.of(encodings);
  // Of what stands anywhere in Base64 nothing is whole.
  const bool always = has(modifiers, "base64offset") && !choices.one_in(4);
  if (always || choices.one_in(2)) modifiers.push_back(choices.of(open));
  if (choices.one_in(60)) modifiers.push_back(choices.of(open));
  // `expand`, `windash` and the encodings stand in this order.
  for (const char* modifier : {"windash", "expand"}) {
    if (!choices.one_in(8)) continue;
    if (choices.one_in(40)) {
      insert_anywhere(choices, modifiers, modifier);
    } else {
      modifiers.insert(modifiers.begin(), modifier);
    }
  }
  if (choices.one_in(6)) insert_anywhere(choices, modifiers, "cased");
  return modifiers;
}

void all_and_neq(Choices& choices, Names& modifiers) {
  if (choices.one_in(6)) insert_anywhere(choices, modifiers, "all");
  if (choices.one_in(10)) insert_anywhere(choices, modifiers, "neq");
}

Value text_value(Choices& choices, const Vocabulary& vocabulary, const Names& modifiers) {
  static const Names names{"%one%", "%two%", "%three%"};
  const bool expand = has(modifiers, "expand");
  std::string written = pattern(choices, vocabulary, expand);
  if (encodes(modifiers))
    written = escaped(choices.of(vocabulary.words), expand ? R"(*?\%)" : R"(*?\)");
  if (expand) {
    // %two% holds a wildcard, which Base64 refuses.
    const std::string name = encodes(modifiers) ? "%one%" : choices.of(names);
    written = choices.one_in(2) ? written + name : choices.one_in(2) ? name + written : name;
  }
  const std::string text = said(choices, modifiers, meeting(choices, vocabulary, written));
  return {quoted(choices, written), text};
}

Line text_line(Choices& choices, const Vocabulary& vocabulary, const std::string& field) {
  Names modifiers = text_modifiers(choices);
  all_and_neq(choices, modifiers);
  return line_of_values(choices, field, modifiers,
                        [&] { return text_value(choices, vocabulary, modifiers); });
}

std::string expression(Choices& choices, const Vocabulary& vocabulary, std::string& hint) {
  static const Names general{".*",       "^$",     "[a-c]+", "^.$",     "a{1,2}b?",
                             "(ab|cd)+", "[^a-z]", "^a.b$",  "\\.exe$", "o.t"};
  static const Names meets{"", "", "abc", "é", "aab", "cdab", "A", "a\nb", "cmd.exe", "one\ntwo"};
  if (choices.one_in(3)) {
    const std::size_t which = choices.below(general.size());
    hint = meets[which];
    return general[which];
  }
  hint = choices.of(vocabulary.words);
  std::string word;
  for (const char c : hint) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && byte >= 0x20 && std::isalnum(byte) == 0) word += '\\';
    word += c;
  }
  if (choices.one_in(3)) word = "^" + word;
  if (choices.one_in(3)) word += "$";
  if (choices.one_in(6)) word = "(" + word + "|x)";
  return word;
}

Line expression_line(Choices& choices, const Vocabulary& vocabulary, const std::string& field) {
  Names modifiers{"re"};
  for (const char* flag : {"i", "m", "s"}) {
    if (choices.one_in(4)) modifiers.emplace_back(flag);
  }
  if (choices.one_in(8)) insert_anywhere(choices, modifiers, "expand");
  all_and_neq(choices, modifiers);
  const bool expand = has(modifiers, "expand");
  return line_of_values(choices, field, modifiers, [&] {
    std::string hint;
    std::string written = expression(choices, vocabulary, hint);
    if (expand) {
      written = "(" + replaced(replaced(written, "\\%", "x"), "%", "x") + "|%one%)";
      hint = choices.one_in(2) ? "ab" : hint;
    }
    if (choices.one_in(4)) hint = choices.of(Names{"x\n", "y", ""}) + hint + "\nz";
    return Value{quoted(choices, written), hint};
  });
}

Line number_line(Choices& choices, const std::string& field) {
  Names modifiers;
  if (choices.one_in(2)) modifiers = {choices.of(Names{"lt", "lte", "gt", "gte"})};
  if (modifiers.empty() && choices.one_in(6)) modifiers.emplace_back("all");
  if (choices.one_in(8)) insert_anywhere(choices, modifiers, "neq");
  const bool compared = !modifiers.empty() && modifiers.front() != "all";
  return line_of_values(choices, field, modifiers, [&] {
    const std::string number = choices.of(numbers());
    std::string hint = compared ? choices.of(numbers()) : number;
    if (choices.one_in(3)) hint = choices.of(Names{"0", "-", ""}) + hint;
    if (choices.one_in(3)) hint += choices.of(Names{".0", "e0", " ", "0"});
    // A truth among numbers is a text.
    if (!compared && choices.one_in(20)) return Value{"true", "true"};
    return Value{number, hint};
  });
}

Line network_line(Choices& choices, const std::string& field) {
  static const Names networks{"10.0.0.0/8",  "10.1.2.3/16",   "192.0.2.0/24",        "0.0.0.0/0",
                              "10.1.2.3/32", "2001:db8::/32", "::ffff:10.0.0.0/104", "::/0",
                              "::1/128",     "192.0.2.129/25"};
  static const Names addresses{"10.1.2.3",       "10.1.255.1",  "192.0.2.1",   "::ffff:10.1.2.3",
                               "::FFFF:a01:203", "2001:db8::1", "::1",         "192.0.2.200",
                               "10.1.2.3 ",      "10.1.2",      "fe80::1%eth0"};
  Names modifiers{"cidr"};
  all_and_neq(choices, modifiers);
  return line_of_values(choices, field, modifiers, [&] {
    return Value{"'" + choices.of(networks) + "'", choices.of(addresses)};
  });
}

Line date_line(Choices& choices, const std::string& field) {
  static const Names dates{
      "2024-02-29T13:07:00Z",        "2024-02-29",    "2024-12-30 23:59",
      "2021-01-03T00:00:00.5+05:30", "2024-02-30",    "2023-01-01 07:59:59-01:00",
      "2024-02-29T13:07:00z",        "2024-02-29T13", "2024-02-29T13:07"};
  static const std::vector<std::pair<std::string, Names>> parts{
      {"minute", {"7", "59", "0"}},  {"hour", {"13", "0", "7"}},
      {"day", {"29", "3", "30"}},    {"week", {"9", "1", "53"}},
      {"month", {"2", "12", "1.0"}}, {"year", {"2024", "2021", "2023"}}};
  const auto& part = choices.of(parts);
  Names modifiers{part.first};
  if (choices.one_in(2)) modifiers.push_back(choices.of(Names{"lt", "lte", "gt", "gte"}));
  if (choices.one_in(8)) insert_anywhere(choices, modifiers, "neq");
  return line_of_values(choices, field, modifiers,
                        [&] { return Value{choices.of(part.second), choices.of(dates)}; });
}

Line nothing_line(Choices& choices, const std::string& field) {
  switch (choices.below(6)) {
    case 0:
      return {quoted(choices, field + "|exists"), "true", {{field, "x"}}};
    case 1:
      return {quoted(choices, field + "|exists"), "false", {}};
    case 2:
      return {quoted(choices, field), choices.one_in(2) ? "~" : "null", {}};
    case 3:
      return {quoted(choices, field), "''", {{field, ""}}};
    case 4:
      return {quoted(choices, field), "'*'", {{field, ""}}};
    default:
      return {quoted(choices, field + "|neq"), choices.one_in(2) ? "null" : "''", {{field, "x"}}};
  }
}

Line reference_line(Choices& choices, const Vocabulary& vocabulary, const std::string& field) {
  Names modifiers{"fieldref"};
  if (choices.one_in(2)) {
    insert_anywhere(choices, modifiers, choices.of(Names{"contains", "startswith", "endswith"}));
  }
  if (choices.one_in(4)) insert_anywhere(choices, modifiers, "cased");
  all_and_neq(choices, modifiers);
  std::string other;
  Line line = line_of_values(choices, field, modifiers, [&] {
    other = choices.of(vocabulary.fields);
    return Value{quoted(choices, other), ""};
  });
  const std::string word = choices.of(vocabulary.words);
  line.hints = {{field, choices.one_in(2) ? swapped_case(word) : word}, {other, word}};
  return line;
}

}  // namespace

std::string quoted(Choices& choices, std::string_view text) {
  const bool control = std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  const std::size_t style = choices.below(3);
  if (control || style == 1) return double_quoted(text);
  if (style == 2 && is_plain(text)) return std::string(text);
  return "'" + replaced(std::string(text), "'", "''") + "'";
}

Line make_line(Choices& choices, const Vocabulary& vocabulary) {
  const std::string field = choices.of(vocabulary.fields);
  const std::size_t kind = choices.below(24);
  if (kind < 12) return text_line(choices, vocabulary, field);
  if (kind < 14) return expression_line(choices, vocabulary, field);
  if (kind < 17) return number_line(choices, field);
  if (kind == 17) return network_line(choices, field);
  if (kind < 20) return date_line(choices, field);
  if (kind < 22) return nothing_line(choices, field);
  return reference_line(choices, vocabulary, field);
}

Line make_keyword_line(Choices& choices, const Vocabulary& vocabulary) {
  if (choices.one_in(5)) return expression_line(choices, vocabulary, "");
  Names modifiers = text_modifiers(choices);
  all_and_neq(choices, modifiers);
  if (modifiers.empty()) modifiers.emplace_back("all");
  return line_of_values(choices, "", modifiers,
                        [&] { return text_value(choices, vocabulary, modifiers); });
}

Line make_keyword(Choices& choices, const Vocabulary& vocabulary) {
  if (choices.one_in(8)) {
    const std::string number = choices.of(numbers());
    return {"", number, {{"", "x" + number + "y"}}};
  }
  auto [written, hint] = text_value(choices, vocabulary, {});
  return {"", std::move(written), {{"", "<" + hint + ">"}}};
}

Line make_unlawful_line(Choices& choices, const Vocabulary& vocabulary) {
  static const std::vector<std::pair<std::string, std::string>> lines{
      {"|all", "x"},
      {"|contains|all", "[x]"},
      {"", "[x, null]"},
      {"", "[]"},
      {"|contains", "null"},
      {"|like", "x"},
      {"|re|contains", "x"},
      {"|cidr|cased", "10.0.0.0/8"},
      {"|cidr", "10.0.0.0/33"},
      {"|cidr", "host"},
      {"|re", "'(?=x)'"},
      {"|re", "'(x'"},
      {"|i", "x"},
      {"|gt", "x"},
      {"|gt|lt", "5"},
      {"|gt|all", "[5, 6]"},
      {"|exists", "x"},
      {"|exists|neq", "true"},
      {"|hour|day", "5"},
      {"|gt|hour", "5"},
      {"|contains|base64", "x"},
      {"|startswith|wide", "x"},
      {"|base64", "'x*'"},
      {"|base64offset|contains", "'x?'"},
      {"|windash", "'-a -a -a -a -a -a'"},
      {"|expand", "'%nothing%'"},
      {"|expand", "'%unknown%'"},
      {"|fieldref", "'b*'"},
      {"|fieldref|windash", "b"},
      {"", "{b: c}"},
      {"", "[[x]]"}};
  const auto& [modifiers, value] = choices.of(lines);
  return {"'" + choices.of(vocabulary.fields) + modifiers + "'", value, {}};
}

}  // namespace mailwarden::random_rules
