// Conditions to and from STIX patterning, in which CACAO writes them.
//
// What     to_stix() writes one of ours as STIX does, to_native() reads one:
//
//            not (kind in ["a", "b"]) and left > 0
//            __kind__:value NOT IN ('a', 'b') AND __left__:value > 0
//
//          Both sides of a comparison may be variables, and a NOT may stand before parentheses;
//          both go beyond STIX's grammar. A text beside a boolean or a number is read as one, since
//          CACAO holds those as texts. LIKE, MATCHES, ISSUBSET, ISSUPERSET, observation qualifiers
//          and the literals t'…', h'…' and b'…' are not known here.
// Owns     Nothing.
// Threads  Pure.
// Errors   invalid, with the column.
// Limits   Condition's.
// Source   STIX 2.1, section 9 (the patterning grammar); CACAO 2.0, sections 4.9 to 4.11.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "respond/cacao_text.h"
#include "respond/flow.h"

namespace mailwarden::respond::cacao {

Result<std::string> to_stix(std::string_view condition, const VariableNames& names);
Result<std::string> to_native(std::string_view pattern, const VariableNames& names,
                              const flow::Variables& variables);

}  // namespace mailwarden::respond::cacao
