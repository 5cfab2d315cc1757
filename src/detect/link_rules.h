// What rules ask of each other.
//
// What     Ids and names that are theirs alone, filters put on the rules that they name, and
//          correlations that rest on rules which are there, each behind those that it names.
// Owns     Nothing.
// Threads  Pure.
// Errors   What cannot be linked moves from its list to `refused`.
// Limits   None.
// Source   Sigma 2.1.0 correlations (rules, aliases) and filters; docs/sigma.md, "Collections" and
//          "Filters".
#pragma once

#include "detect/modifiers.h"
#include "detect/rule.h"

namespace mailwarden::detect {

// A rule or filter with the tests of its items, in their order.
template <class Document>
struct Resolved {
  Document document;
  std::vector<FieldTest> tests;
};

struct LinkedRules {
  std::vector<Resolved<Rule>> rules;
  std::vector<Correlation> correlations;
  std::vector<Resolved<Filter>> filters;
  std::vector<Refusal> refused;
};

// Whether a filter can be put on a rule: no part that both log sources state differs.
bool suits(const Logsource& filter, const Logsource& rule);

LinkedRules link(RuleTexts texts, const Placeholders& placeholders);

}  // namespace mailwarden::detect
