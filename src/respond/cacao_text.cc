#include "respond/cacao_text.h"

#include <algorithm>

#include "base/text.h"
#include "respond/condition_tree.h"
#include "respond/variable_text.h"

namespace mailwarden::respond::cacao {
namespace {

constexpr std::string_view edge = "__";
constexpr std::string_view value_mark = ":value";

bool is_letter(char c) {
  return to_lower(c) >= 'a' && to_lower(c) <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_byte(char c) {
  return is_letter(c) || is_digit(c) || c == '_' || c == '-';
}

std::string_view inner(std::string_view cacao) {
  return cacao.substr(edge.size(), cacao.size() - 2 * edge.size());
}

std::string free_name(const std::string& before, std::string_view wish, const std::string& after,
                      const Texts& taken) {
  std::string name = before + std::string(wish) + after;
  for (int number = 2; taken.contains(name); ++number) {
    name = before + std::string(wish) + "_" + std::to_string(number) + after;
  }
  return name;
}

// What a variable's name may be made of.
std::string identifier(std::string_view wish) {
  std::string name(wish.substr(0, VariableNames::name_bytes_max / 2));
  std::ranges::replace_if(name, [](char c) { return !is_name_byte(c); }, '_');
  if (name.empty() || !(is_letter(name[0]) || name[0] == '_')) name.insert(0, "v_");
  return name;
}

// A reference that ends where `text` goes on with ":value": the run of name bytes before it, from
// where a name begins. Of several beginnings one that is declared is meant, the first of them.
std::string_view reference_at_end(std::string_view before, const VariableNames& names) {
  std::size_t start = before.size();
  while (start > 0 && is_name_byte(before[start - 1])) --start;
  const std::string_view run = before.substr(start);
  std::string_view last;
  for (std::size_t i = 0; i + 2 * edge.size() < run.size(); ++i) {
    const std::string_view name = run.substr(i);
    if (!is_cacao_name(name)) continue;
    if (!names.native(name).empty()) return name;
    last = name;
  }
  return last;
}

template <class Convert>
json::Value convert_texts(const json::Value& value, const Convert& convert) {
  if (const std::string* text = value.as_string()) return convert(*text);
  if (const json::Array* items = value.as_array()) {
    json::Array converted;
    for (const json::Value& item : *items) converted.push_back(convert_texts(item, convert));
    return converted;
  }
  if (const json::Object* members = value.as_object()) {
    json::Object converted;
    for (const auto& [name, member] : *members) converted[name] = convert_texts(member, convert);
    return converted;
  }
  return value;
}

// Calls `text` with what stands between references, and `found` with each.
template <class Text, class Found>
void walk_references(std::string_view whole, const VariableNames& names, const Text& text,
                     const Found& found) {
  std::size_t done = 0;
  for (std::size_t at = whole.find(value_mark); at != std::string_view::npos;
       at = whole.find(value_mark, at + 1)) {
    const std::string_view name = reference_at_end(whole.substr(done, at - done), names);
    if (name.empty()) continue;
    text(whole.substr(done, at - done - name.size()));
    found(name);
    done = at + value_mark.size();
  }
  text(whole.substr(done));
}

std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text.substr(i).starts_with("${") ? "${$}" : std::string(1, text[i]);
  }
  return out;
}

bool is_plain_word_byte(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("_@%+=:,./-").contains(c);
}

// One quoted part of a word behind its first quote; false where it never ends or a shell would look
// into it.
bool read_quoted(std::string_view line, std::size_t& at, std::string& word) {
  const char quote = line[at];
  const std::size_t end = line.find(quote, at + 1);
  if (end == std::string_view::npos) return false;
  const std::string_view content = line.substr(at + 1, end - at - 1);
  if (quote == '"' && content.find_first_of("$`\\!") != std::string_view::npos) return false;
  word += content;
  at = end + 1;
  return true;
}

}  // namespace

bool is_cacao_name(std::string_view name) {
  if (name.size() <= 2 * edge.size() || name.size() > VariableNames::name_bytes_max ||
      !name.starts_with(edge) || !name.ends_with(edge)) {
    return false;
  }
  const std::string_view bare = inner(name);
  return (is_letter(bare[0]) || bare[0] == '_') && std::ranges::all_of(bare, is_name_byte);
}

void VariableNames::add(const std::string& cacao, const std::string& native) {
  if (const auto there = native_.find(cacao); there != native_.end()) cacao_.erase(there->second);
  if (const auto there = cacao_.find(native); there != cacao_.end()) native_.erase(there->second);
  native_[cacao] = native;
  cacao_[native] = cacao;
}

std::string VariableNames::native(std::string_view cacao) const {
  const auto found = native_.find(cacao);
  return found == native_.end() ? "" : found->second;
}

std::string VariableNames::cacao(std::string_view native) const {
  const auto found = cacao_.find(native);
  return found == cacao_.end() ? "" : found->second;
}

std::string VariableNames::free_cacao(std::string_view wish) const {
  return free_name("__", identifier(wish), "__", native_);
}

std::string VariableNames::free_native(std::string_view wish) const {
  std::string name = is_cacao_name(wish) ? std::string(inner(wish)) : identifier(wish);
  if (!is_variable_name(name)) name.insert(0, "v_");
  return free_name("", name, "", cacao_);
}

std::string to_cacao_text(std::string_view text, const VariableNames& names) {
  std::string out;
  const auto walked = walk_variables(
      text, [&](std::string_view part) { out += part; },
      [&](std::string_view name) -> Result<void> {
        const std::string known = names.cacao(name);
        out += known.empty() ? "${" + std::string(name) + "}" : known + std::string(value_mark);
        return {};
      });
  return walked ? out : std::string(text);
}

std::string to_native_text(std::string_view text, const VariableNames& names) {
  std::string out;
  walk_references(
      text, names, [&](std::string_view part) { out += escaped(part); },
      [&](std::string_view name) {
        const std::string known = names.native(name);
        out += known.empty() ? std::string(name) + std::string(value_mark) : "${" + known + "}";
      });
  return out;
}

std::vector<std::string> undeclared(std::string_view text, const VariableNames& names) {
  std::vector<std::string> found;
  walk_references(
      text, names, [](std::string_view) {},
      [&](std::string_view name) {
        if (names.native(name).empty()) found.emplace_back(name);
      });
  return found;
}

json::Value to_cacao_value(const json::Value& value, const VariableNames& names) {
  return convert_texts(value, [&](const std::string& text) { return to_cacao_text(text, names); });
}

json::Value to_native_value(const json::Value& value, const VariableNames& names) {
  return convert_texts(value, [&](const std::string& text) { return to_native_text(text, names); });
}

std::optional<std::vector<std::string>> read_words(std::string_view line) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
    if (at == line.size()) return words;
    std::string& word = words.emplace_back();
    while (at < line.size() && line[at] != ' ' && line[at] != '\t') {
      if (line[at] == '\'' || line[at] == '"') {
        if (!read_quoted(line, at, word)) return std::nullopt;
      } else if (line.substr(at).starts_with("\\'")) {
        word += '\'';
        at += 2;
      } else if (is_plain_word_byte(line[at])) {
        word += line[at++];
      } else {
        return std::nullopt;
      }
    }
  }
}

std::string write_words(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    if (!word.empty() && std::ranges::all_of(word, is_plain_word_byte)) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

std::string slug(std::string_view text, std::size_t bytes_max) {
  std::string out;
  for (const char c : text) {
    if (out.size() == bytes_max) break;
    if (is_letter(c) || (is_digit(c) && !out.empty())) {
      out += to_lower(c);
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (out.ends_with('-')) out.pop_back();
  return out;
}

}  // namespace mailwarden::respond::cacao
