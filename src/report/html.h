// Pieces of HTML out of text that nobody vouches for.
//
// What     escape() makes any text harmless in HTML; the others build tables, words and charts from
//          texts that they escape themselves.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   bar_chart() draws at most bars_max bars.
// Source   HTML Living Standard, SVG 1.1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"

namespace mailwarden::report {

std::string escape(std::string_view text);
std::string time_html(std::string_view rfc3339);
std::string severity_html(std::int64_t severity);
std::string section(std::string_view title, const std::string& body);

// Rows of cells that are HTML already.
struct Column {
  std::string name;
  bool number = false;
};
std::string table(const std::vector<Column>& columns,
                  const std::vector<std::vector<std::string>>& rows, std::string_view none);

struct Bar {
  std::string name;
  std::int64_t value = 0;
  std::string classes;  // of the rectangle
};
inline constexpr std::size_t bars_max = 200;
// Upright bars with the greatest value told; `title` is what a screen reader says.
std::string bar_chart(const std::vector<Bar>& bars, std::string_view title);

}  // namespace mailwarden::report
