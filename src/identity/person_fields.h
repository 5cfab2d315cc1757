// The facts of each record by name, for what is done to all of them alike: holding them against a
// time, merging, writing and reading.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>

#include "identity/person.h"

namespace mailwarden::identity {

// Whether a new value is worth telling. Uses come with every event, which is told itself.
enum class Telling : std::uint8_t { told, quiet };

template <class Record, class T>
struct FactField {
  std::string_view name;
  MaybeFact<T> Record::* member;
  Telling telling = Telling::told;
};
template <class Record, class T>
FactField(const char*, MaybeFact<T> Record::*) -> FactField<Record, T>;
template <class Record, class T>
FactField(const char*, MaybeFact<T> Record::*, Telling) -> FactField<Record, T>;

constexpr auto fields_of(const Person*) {
  return std::tuple{FactField{"background_checked", &Person::background_checked},
                    FactField{"department", &Person::department},
                    FactField{"emails", &Person::emails},
                    FactField{"employment", &Person::employment},
                    FactField{"manager", &Person::manager},
                    FactField{"name", &Person::name},
                    FactField{"policy_acceptance", &Person::policy_acceptance},
                    FactField{"role", &Person::role},
                    FactField{"trained_at", &Person::trained_at},
                    FactField{"trained_until", &Person::trained_until}};
}

constexpr auto fields_of(const Account*) {
  return std::tuple{FactField{"admin", &Account::admin},
                    FactField{"aliases", &Account::aliases},
                    FactField{"archived", &Account::archived},
                    FactField{"customer", &Account::customer},
                    FactField{"delegated_admin", &Account::delegated_admin},
                    FactField{"deleted", &Account::deleted},
                    FactField{"department", &Account::department},
                    FactField{"email", &Account::email},
                    FactField{"last_seen", &Account::last_seen, Telling::quiet},
                    FactField{"last_sign_in", &Account::last_sign_in, Telling::quiet},
                    FactField{"manager", &Account::manager},
                    FactField{"name", &Account::name},
                    FactField{"org_unit", &Account::org_unit},
                    FactField{"person", &Account::person},
                    FactField{"role", &Account::role},
                    FactField{"second_factor_enforced", &Account::second_factor_enforced},
                    FactField{"second_factor_enrolled", &Account::second_factor_enrolled},
                    FactField{"second_factor_used", &Account::second_factor_used, Telling::quiet},
                    FactField{"suspended", &Account::suspended},
                    FactField{"suspension_reason", &Account::suspension_reason}};
}

constexpr auto fields_of(const Group*) {
  return std::tuple{FactField{"email", &Group::email}, FactField{"members", &Group::members},
                    FactField{"name", &Group::name}};
}

// Calls `f` with each field of the record's kind.
template <class Record, class F>
void each_field(F f) {
  std::apply([&f](const auto&... field) { (f(field), ...); },
             fields_of(static_cast<const Record*>(nullptr)));
}

}  // namespace mailwarden::identity
