#include "json/jcs.h"

#include <algorithm>
#include <vector>

namespace mailwarden::json {
namespace {

constexpr std::int64_t exact_max = std::int64_t{1} << 53;

// UTF-8 orders as UTF-16 does but for two kinds of characters: those above U+FFFF (lead bytes F0
// and more) are surrogates there, D800 and on, which stand before U+E000 to U+FFFF (EE and EF).
int rank(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte >= 0xF0) return 0xEE;
  return byte >= 0xEE ? byte + 0x10 : byte;
}

bool stands_before(const std::string* a, const std::string* b) {
  const auto [left, right] = std::ranges::mismatch(*a, *b);
  if (left == a->end() || right == b->end()) return left == a->end() && right != b->end();
  const auto byte = [](char c) { return static_cast<unsigned char>(c); };
  if (rank(*left) != rank(*right)) return rank(*left) < rank(*right);
  return byte(*left) < byte(*right);
}

void append(std::string& out, const Value& value);

void append(std::string& out, const Object& members) {
  std::vector<const std::string*> names;
  names.reserve(members.size());
  for (const auto& [name, member] : members) names.push_back(&name);
  std::ranges::sort(names, stands_before);
  out += '{';
  for (const std::string* name : names) {
    if (name != names.front()) out += ',';
    append_string(out, *name);
    out += ':';
    append(out, members.at(*name));
  }
  out += '}';
}

void append(std::string& out, const Value& value) {
  if (const Object* members = value.as_object()) return append(out, *members);
  if (const Array* items = value.as_array()) {
    out += '[';
    for (std::size_t i = 0; i < items->size(); ++i) {
      if (i > 0) out += ',';
      append(out, (*items)[i]);
    }
    out += ']';
    return;
  }
  const std::int64_t* integer = value.as_integer();
  if (integer != nullptr && (*integer > exact_max || *integer < -exact_max)) {
    return append_text(out, Value(static_cast<double>(*integer)));
  }
  append_text(out, value);
}

}  // namespace

std::string to_jcs(const Value& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace mailwarden::json
