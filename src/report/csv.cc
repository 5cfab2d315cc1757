#include "report/csv.h"

namespace mailwarden::report {

std::string csv_cell(std::string_view text) {
  constexpr std::string_view obeyed = "=+-@\t\r'";
  std::string cell;
  if (!text.empty() && obeyed.contains(text.front())) cell += '\'';
  cell += text;
  if (cell.find_first_of("\",\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_cell(const json::Value& value) {
  if (value.is_null()) return {};
  if (const std::string* const text = value.as_string()) return csv_cell(std::string_view(*text));
  if (const std::int64_t* const number = value.as_integer()) return std::to_string(*number);
  if (value.as_number() != nullptr) return json::to_text(value);
  return csv_cell(std::string_view(json::to_text(value)));
}

}  // namespace mailwarden::report
