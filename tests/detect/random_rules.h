// Random Sigma rules and events, for whoever holds two readings of Sigma against each other.
//
// What     make_case() makes a text of one to eight rules, some of them with filters, and a few
//          events that are made to meet them halfway: rules of a case share few fields, few values
//          and few log sources, and what a rule asks for is often what an event has.
// Owns     A Choices of bytes points into them; all else is values.
// Threads  One thread a Choices.
// Errors   None: a rule that is unlawful is now and then meant to be.
// Limits   Eight rules, twenty values in a list, four levels in a condition, six events.
// Source   docs/sigma.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "event/event.h"
#include "tests/detect/oracle_text.h"

namespace mailwarden::random_rules {

// Where all chance comes from. The same seed or the same bytes make the same choices.
class Choices {
 public:
  static Choices of_seed(std::uint64_t seed);
  // A byte a choice, two where it is between more than 256. When they run out every choice is 0.
  static Choices of_bytes(std::span<const std::uint8_t> bytes);

  // Less than `n`; 0 where `n` is 0.
  std::size_t below(std::size_t n) { return n == 0 ? 0 : choose_(n) % n; }
  // Seldom, and never when bytes have run out.
  bool one_in(std::size_t n) { return n != 0 && below(n) == n - 1; }
  template <class T>
  const T& of(const std::vector<T>& some) {
    return some[below(some.size())];
  }

 private:
  explicit Choices(std::function<std::size_t(std::size_t)> choose) : choose_(std::move(choose)) {}

  std::function<std::size_t(std::size_t)> choose_;
};

struct Case {
  std::string rules;  // YAML documents
  std::vector<Event> events;
};

// What the rules' placeholders stand for; %nothing% has no values.
const oracle::Placeholders& placeholders();

Case make_case(Choices& choices);

}  // namespace mailwarden::random_rules
