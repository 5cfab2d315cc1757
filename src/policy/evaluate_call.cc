// The part of evaluate.h about extension functions.
#include "policy/evaluate.h"

namespace mailwarden::policy {

bool Evaluator::call(ExprId id, const Node& node, Value& out) {
  const auto parts = linked_.expressions().list(node.a);
  const FunctionInfo& info = info_of(static_cast<Function>(node.detail));
  std::array<Value, 2> values;
  for (std::size_t at = 0; at < parts.size(); ++at) {
    Value more;
    if (!evaluate(parts[at], at < values.size() ? values[at] : more)) return false;
  }
  if (parts.size() != info.arity) return fail(Failure::wrong_type, id);
  for (std::size_t at = 0; at < info.arity; ++at) {
    if (values[at].kind != info.arguments[at]) return fail(Failure::wrong_type, id);
  }
  const auto number = [&](std::optional<std::int64_t> made) {
    if (!made) return fail(Failure::bad_extension, id);
    out = Value::of(*made, info.result);
    return true;
  };
  const auto& [a, b] = values;
  switch (info.function) {
    case Function::decimal:
      return number(read_decimal(a.as_text()));
    case Function::datetime:
      return number(read_datetime(a.as_text()));
    case Function::duration:
      return number(read_duration(a.as_text()));
    case Function::ip: {
      const auto range = read_ip(a.as_text());
      if (!range) return fail(Failure::bad_extension, id);
      out = copy(memory_, Value::of(&*range));
      return true;
    }
    case Function::less_than:
      return number(a.number < b.number);
    case Function::less_than_or_equal:
      return number(a.number <= b.number);
    case Function::greater_than:
      return number(a.number > b.number);
    case Function::greater_than_or_equal:
      return number(a.number >= b.number);
    case Function::is_ipv4:
      return number(!a.range->is_v6);
    case Function::is_ipv6:
      return number(a.range->is_v6);
    case Function::is_loopback:
      return number(is_loopback(*a.range));
    case Function::is_multicast:
      return number(is_multicast(*a.range));
    case Function::is_in_range:
      return number(is_in_range(*a.range, *b.range));
    default:
      return datetime_call(id, info.function, values, out);
  }
}

bool Evaluator::datetime_call(ExprId id, Function function, std::span<const Value> values,
                              Value& out) {
  const std::int64_t a = values[0].number;
  const std::int64_t b = values[1].number;
  const Kind kind = info_of(function).result;
  std::int64_t made = 0;
  switch (function) {
    case Function::offset:
      if (__builtin_add_overflow(a, b, &made)) return fail(Failure::bad_extension, id);
      break;
    case Function::duration_since:
      if (__builtin_sub_overflow(a, b, &made)) return fail(Failure::bad_extension, id);
      break;
    case Function::to_date: {
      const auto date = date_of(a);
      if (!date) return fail(Failure::bad_extension, id);
      made = *date;
      break;
    }
    case Function::to_time:
      made = time_of_day(a);
      break;
    case Function::to_seconds:
      made = a / 1000;
      break;
    case Function::to_minutes:
      made = a / 60'000;
      break;
    case Function::to_hours:
      made = a / 3'600'000;
      break;
    case Function::to_days:
      made = a / 86'400'000;
      break;
    default:
      made = a;
  }
  out = Value::of(made, kind);
  return true;
}

}  // namespace mailwarden::policy
