// A line of a selection as a question to an event.
//
// What     "field|modifiers: values" becomes a Test. Values are questions to one text, and lines,
//          selections and conditions are put together from questions alone.
// Owns     What its Tests need.
// Threads  Tests are pure.
// Errors   Error{invalid} with a sentence that begins with the line.
// Limits   oracle_text.h's.
// Source   docs/sigma.md; Sigma 2.1.0.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/event.h"
#include "json/yaml.h"
#include "tests/detect/oracle_text.h"

namespace mailwarden::oracle {

using Test = std::function<bool(const Event&)>;

// The error "line 3: what".
std::unexpected<Error> refuse(const yaml::Node& where, const std::string& what);

Result<Test> read_selection(const yaml::Node& selection, const Placeholders& placeholders);

// `condition` is a text or a list of texts. "sel*" is answered from the names of `selections`.
Result<Test> read_condition(const yaml::Node& condition,
                            const std::map<std::string, Test>& selections);

}  // namespace mailwarden::oracle
