#include "detect/pipeline_values.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>

#include <re2/re2.h>
#include <utf8proc.h>

#include "base/text.h"
#include "detect/decimal.h"
#include "detect/fold.h"

namespace mailwarden::detect {
namespace {

using Words = std::vector<std::string_view>;

// A star, question mark or percent sign that means itself. They are code points that no text
// holds, so that a text may be changed and still be told from its wildcards.
constexpr std::string_view star = "\xEF\xB7\x90";
constexpr std::string_view question_mark = "\xEF\xB7\x91";
constexpr std::string_view percent = "\xEF\xB7\x92";

bool has_any(const DetectionItem& item, const Words& words) {
  return std::ranges::any_of(words,
                             [&](std::string_view word) { return has_modifier(item, word); });
}

// Modifiers that make something else than a text of the value.
bool is_text(const DetectionItem& item) {
  return !has_any(item, {"re", "cidr", "lt", "lte", "gt", "gte", "minute", "hour", "day", "week",
                         "month", "year", "exists", "fieldref"});
}

bool is_encoded(const DetectionItem& item) {
  return has_any(item, {"base64", "base64offset", "wide", "utf16", "utf16le", "utf16be"});
}

bool is_anchored(const DetectionItem& item) {
  return has_any(item, {"contains", "startswith", "endswith"});
}

// Keywords are found anywhere without any modifier, and a text with wildcards cannot be encoded:
// there the ends stay open by modifiers.
bool shows_ends(const DetectionItem& item) {
  return is_anchored(item) && !item.field.empty() && !is_encoded(item);
}

// The value's text, with the code points above for characters that mean themselves.
std::string plain_text(const DetectionItem& item, const RuleValue& value) {
  const bool expands = has_modifier(item, "expand");
  std::string plain;
  const std::string& text = value.text;
  bool ends_open = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    const bool hides =
        text[i] == '\\' && (next == '*' || next == '?' || next == '\\' || (next == '%' && expands));
    ends_open = text[i] == '*';
    if (!hides) {
      plain += text[i];
      continue;
    }
    ++i;
    if (next == '\\') {
      plain += next;
    } else {
      plain += next == '*' ? star : next == '?' ? question_mark : percent;
    }
  }
  if (!shows_ends(item)) return plain;
  const bool opens_start = has_any(item, {"contains", "endswith"});
  const bool opens_end = has_any(item, {"contains", "startswith"});
  if (opens_end && !ends_open) plain += '*';
  if (opens_start && !plain.starts_with('*')) plain.insert(0, 1, '*');
  return plain;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// Back to how a rule writes it.
std::string written(std::string plain) {
  replace_all(plain, "\\", "\\\\");
  replace_all(plain, star, "\\*");
  replace_all(plain, question_mark, "\\?");
  replace_all(plain, percent, "\\%");
  return plain;
}

std::string shown(std::string plain) {
  replace_all(plain, star, "\\*");
  replace_all(plain, question_mark, "\\?");
  replace_all(plain, percent, "%");
  return plain;
}

RuleValue text_value(std::string text, const RuleValue& from) {
  return {.kind = RuleValue::Kind::text, .text = std::move(text), .line = from.line};
}

void remove_modifiers(DetectionItem& item, const Words& words) {
  std::erase_if(item.modifiers, [&](const std::string& one) {
    return std::ranges::find(words, one) != words.end();
  });
}

// What a text becomes, or nothing where it stays.
using TextChange =
    std::function<Result<std::optional<std::vector<std::string>>>(const std::string& plain)>;

// Changes the item's texts; `numbers` too where asked for.
MaybeChanged change_texts(const DetectionItem& item, bool numbers, const TextChange& change) {
  if (!is_text(item)) return std::nullopt;
  ChangedValues changed{.item = item, .values = {}};
  std::vector<bool> stays(item.values.size(), true);
  for (std::size_t i = 0; i < item.values.size(); ++i) {
    const RuleValue& value = item.values[i];
    std::vector<RuleValue>& into = changed.values.emplace_back();
    if (is_string(item, value) || (numbers && value.kind == RuleValue::Kind::number)) {
      auto texts = change(plain_text(item, value));
      if (!texts) return std::unexpected(texts.error());
      stays[i] = !*texts;
      if (*texts) {
        for (std::string& text : **texts) into.push_back(text_value(std::move(text), value));
      }
    }
    if (stays[i]) into.push_back(value);
  }
  if (std::ranges::find(stays, false) == stays.end()) return std::nullopt;
  if (!shows_ends(item)) return changed;
  // Those that stay must say by themselves what the modifiers said of all.
  for (std::size_t i = 0; i < item.values.size(); ++i) {
    if (!stays[i]) continue;
    changed.values[i] = {text_value(written(plain_text(item, item.values[i])), item.values[i])};
  }
  remove_modifiers(changed.item, {"contains", "startswith", "endswith"});
  return changed;
}

// The text's parts: wildcards and placeholders are special, the others are not.
template <class Each>
std::string by_parts(const std::string& plain, bool expands, Each each) {
  std::string out;
  std::string part;
  auto flush = [&] {
    if (!part.empty()) out += each(part);
    part.clear();
  };
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const std::size_t end = expands && plain[i] == '%' ? plain.find('%', i + 1) : plain.npos;
    if (end != plain.npos) {
      flush();
      out += plain.substr(i, end + 1 - i);
      i = end;
    } else if (plain[i] == '*' || plain[i] == '?') {
      flush();
      out += plain[i];
    } else {
      part += plain[i];
    }
  }
  flush();
  return out;
}

// All matches replaced, no further than to a text of `bytes_max` and one replacement.
std::string replaced(const ReplaceString& change, const std::string& text, std::size_t bytes_max) {
  std::vector<re2::StringPiece> groups(
      static_cast<std::size_t>(RE2::MaxSubmatch(change.replacement)) + 1);
  std::string out;
  std::size_t at = 0;
  bool behind_match = false;
  while (at <= text.size() && out.size() <= bytes_max) {
    const int count = static_cast<int>(groups.size());
    if (!change.regex->Match(text, at, text.size(), RE2::UNANCHORED, groups.data(), count)) break;
    const auto start = static_cast<std::size_t>(groups[0].data() - text.data());
    out.append(text, at, start - at);
    if (groups[0].empty()) {
      // Nothing behind a match is no match of its own; the next character is copied.
      if (!behind_match || start > at) {
        change.regex->Rewrite(&out, change.replacement, groups.data(), count);
      }
      const std::size_t length = start < text.size() ? character_at(text, start) : 1;
      if (start < text.size()) out.append(text, start, length);
      at = start + length;
      behind_match = false;
    } else {
      change.regex->Rewrite(&out, change.replacement, groups.data(), count);
      at = start + groups[0].size();
      behind_match = true;
    }
  }
  if (at < text.size()) out.append(text, at);
  return out;
}

std::string replaced_part(const ReplaceString& change, std::string part, bool expands,
                          std::size_t bytes_max) {
  replace_all(part, star, "*");
  replace_all(part, question_mark, "?");
  replace_all(part, percent, "%");
  part = replaced(change, part, bytes_max);
  if (change.interpret_special) return part;
  replace_all(part, "*", star);
  replace_all(part, "?", question_mark);
  if (expands) replace_all(part, "%", percent);
  return part;
}

std::string cased(const std::string& part, bool upper) {
  std::string out;
  for (std::size_t i = 0; i < part.size();) {
    const std::size_t length = character_at(part, i);
    utf8proc_int32_t code = 0;
    const auto* const bytes = reinterpret_cast<const utf8proc_uint8_t*>(part.data() + i);
    if (utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(length), &code) > 0) {
      std::array<utf8proc_uint8_t, 4> encoded{};
      const auto size = utf8proc_encode_char(
          upper ? utf8proc_toupper(code) : utf8proc_tolower(code), encoded.data());
      for (utf8proc_ssize_t j = 0; j < size; ++j) {
        out += static_cast<char>(encoded[static_cast<std::size_t>(j)]);
      }
    } else {
      out.append(part, i, length);
    }
    i += length;
  }
  return out;
}

}  // namespace

std::string field_name(std::string_view written) {
  std::string name(written);
  std::erase(name, ' ');
  return name;
}

bool is_reference(const DetectionItem& item) {
  return has_modifier(item, "fieldref");
}

bool has_modifier(const DetectionItem& item, std::string_view modifier) {
  return std::ranges::find(item.modifiers, modifier) != item.modifiers.end();
}

bool is_string(const DetectionItem& item, const RuleValue& value) {
  if (!is_text(item) || value.kind == RuleValue::Kind::null) return false;
  if (value.kind == RuleValue::Kind::text || item.field.empty()) return true;
  return is_anchored(item) || is_encoded(item) || has_any(item, {"cased", "windash", "expand"});
}

std::string seen_text(const DetectionItem& item, const RuleValue& value) {
  return shown(plain_text(item, value));
}

bool sees_wildcards(const DetectionItem& item, const RuleValue& value) {
  return is_string(item, value) && plain_text(item, value).find_first_of("*?") != std::string::npos;
}

bool equals(const DetectionItem& item, const RuleValue& value, const RuleValue& wanted) {
  if (!is_text(item)) return false;
  if (wanted.kind == RuleValue::Kind::text) {
    const DetectionItem bare{.field = item.field, .modifiers = {}, .values = {}};
    return is_string(item, value) && seen_text(item, value) == seen_text(bare, wanted);
  }
  if (is_string(item, value) || value.kind != wanted.kind) return false;
  if (wanted.kind != RuleValue::Kind::number) return value.text == wanted.text;
  return Decimal::parse(value.text) == Decimal::parse(wanted.text);
}

MaybeChanged replace_string(const ReplaceString& change, const DetectionItem& item,
                            std::size_t text_bytes_max) {
  const bool expands = has_modifier(item, "expand");
  return change_texts(
      item, true, [&](const std::string& plain) -> Result<std::optional<std::vector<std::string>>> {
        std::string text = plain;
        if (change.skip_special) {
          text = by_parts(plain, expands, [&](const std::string& part) {
            return replaced_part(change, part, expands, text_bytes_max);
          });
        } else {
          text = replaced(change, plain, text_bytes_max);
        }
        if (text == plain) return std::nullopt;
        if (text.size() > text_bytes_max) {
          return fail(Code::full, "a text of more than " + std::to_string(text_bytes_max) +
                                      " bytes comes of it");
        }
        return std::vector{written(std::move(text))};
      });
}

MaybeChanged map_string(const MapString& change, const DetectionItem& item) {
  return change_texts(
      item, false,
      [&](const std::string& plain) -> Result<std::optional<std::vector<std::string>>> {
        const auto found = change.texts.find(shown(plain));
        if (found == change.texts.end()) return std::nullopt;
        return found->second;
      });
}

MaybeChanged change_case(const ChangeCase& change, const DetectionItem& item) {
  return change_texts(
      item, false,
      [&](const std::string& plain) -> Result<std::optional<std::vector<std::string>>> {
        std::string text =
            by_parts(plain, has_modifier(item, "expand"),
                     [&](const std::string& part) { return cased(part, change.upper); });
        if (text == plain) return std::nullopt;
        return std::vector{written(std::move(text))};
      });
}

MaybeChanged convert_type(const ConvertType& change, const DetectionItem& item) {
  if (!is_text(item)) return std::nullopt;
  ChangedValues changed{.item = item, .values = {}};
  bool any = false;
  for (const RuleValue& value : item.values) {
    RuleValue& converted = changed.values.emplace_back(1, value).front();
    if (!change.to_number) {
      if (value.kind != RuleValue::Kind::number) continue;
      converted.kind = RuleValue::Kind::text;
    } else {
      if (!is_string(item, value)) continue;
      const bool is_plain = value.kind == RuleValue::Kind::text && !is_anchored(item) &&
                            !is_encoded(item) && !item.field.empty() &&
                            !has_any(item, {"cased", "windash", "expand"});
      if (!is_plain || !Decimal::parse(value.text)) {
        return fail(Code::invalid, "'" + printable(value.text) + "' cannot become a number");
      }
      converted.kind = RuleValue::Kind::number;
    }
    any = true;
  }
  if (!any) return std::nullopt;
  return changed;
}

MaybeChanged set_value(const SetValue& change, const DetectionItem& item) {
  ChangedValues changed{.item = item, .values = {{change.value}}};
  const bool stays_cased = change.value.kind == RuleValue::Kind::text && is_text(item);
  std::erase_if(changed.item.modifiers, [&](const std::string& one) {
    return one != "neq" && !(one == "cased" && stays_cased);
  });
  changed.values.front().front().line = item.values.front().line;
  return changed;
}

std::vector<std::vector<DetectionItem>> with_values(const ChangedValues& changed) {
  const bool splits =
      has_modifier(changed.item, "all") &&
      std::ranges::any_of(changed.values, [](const auto& some) { return some.size() > 1; });
  auto with = [&](std::vector<RuleValue> values) {
    DetectionItem item = changed.item;
    item.is_list = values.size() > 1;
    item.values = std::move(values);
    return item;
  };
  if (!splits) {
    std::vector<RuleValue> values;
    for (const auto& some : changed.values) std::ranges::copy(some, std::back_inserter(values));
    return {{with(std::move(values))}};
  }
  std::vector<DetectionItem> items;
  for (const auto& some : changed.values) {
    items.push_back(with(some));
    remove_modifiers(items.back(), {"all"});
  }
  // Not all of them is the same as one of them not.
  if (!has_modifier(changed.item, "neq")) return {std::move(items)};
  std::vector<std::vector<DetectionItem>> any;
  for (DetectionItem& item : items) any.push_back({std::move(item)});
  return any;
}

}  // namespace mailwarden::detect
