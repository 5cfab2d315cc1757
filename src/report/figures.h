// What a report says, worked out of its row sets and of nothing else.
//
// What     The same function works out a report when it is made, from a store, and when it is
//          checked, from the rows that it holds: what a report says cannot differ from its rows
//          without being found.
// Owns     Nothing.
// Threads  Pure, but for what the RowReader does.
// Errors   Those of the RowReader.
// Limits   `rows_max` of what is listed one by one; how many more there are stands in "left_out".
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "json/value.h"
#include "privacy/retention_policy.h"
#include "report/row_set.h"

namespace mailwarden::report {

// Tells every row of the set of that name, in its order.
using RowReader = std::function<Result<void>(std::string_view set, const EachRow& each)>;

Result<json::Object> audit_figures(const RowReader& read, std::int64_t rows_max);
Result<json::Object> retention_figures(const RowReader& read,
                                       std::span<const privacy::RetentionPolicy> policies);

}  // namespace mailwarden::report
