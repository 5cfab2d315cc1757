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

Refusal refusal(const Header& header, std::size_t line, std::string reason);

void claim_names(RuleTexts& texts);
void put_filters(RuleTexts& texts, const Placeholders& placeholders);
// Puts ids in place of names.
void order_correlations(RuleTexts& texts);

}  // namespace mailwarden::detect
