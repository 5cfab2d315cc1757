#include "identity/person.h"

#include <algorithm>

#include "base/text.h"
#include "identity/person_fields.h"

namespace mailwarden::identity {
namespace {

template <class Record>
Record keep_known(Record record, const AgeLimits& limits, Timestamp now, Timestamp* until) {
  each_field<Record>([&](const auto& field) {
    auto& fact = record.*field.member;
    if (!fact) return;
    if (!limits.holds(fact->source, fact->time, now)) {
      fact.reset();
    } else if (until != nullptr) {
      *until = std::min(*until, fact->time + limits.of(fact->source));
    }
  });
  return record;
}

}  // namespace

Duration AgeLimits::of(std::string_view source) const {
  const auto found = of_source.find(source);
  return found == of_source.end() ? otherwise : found->second;
}

bool AgeLimits::holds(std::string_view source, Timestamp time, Timestamp now) const {
  return !is_ahead(time, now) && now < time + of(source);
}

Person known_at(Person person, const AgeLimits& limits, Timestamp now, Timestamp* until) {
  return keep_known(std::move(person), limits, now, until);
}

Account known_at(Account account, const AgeLimits& limits, Timestamp now, Timestamp* until) {
  return keep_known(std::move(account), limits, now, until);
}

Group known_at(Group group, const AgeLimits& limits, Timestamp now, Timestamp* until) {
  return keep_known(std::move(group), limits, now, until);
}

std::optional<std::string> normal_email(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == text.npos || at == 0 || at + 1 == text.size()) return std::nullopt;
  if (text.size() > email_bytes_max || !is_utf8(text)) return std::nullopt;
  const bool blank = std::ranges::any_of(text, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == ',' || c == ';';
  });
  if (blank) return std::nullopt;
  return std::string(text.substr(0, at + 1)) + to_lower(text.substr(at + 1));
}

}  // namespace mailwarden::identity
