#include "report/html.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace mailwarden::report {

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : to_utf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        // What a terminal or a browser might obey is shown as what it is.
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') {
          out += "\xEF\xBF\xBD";
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string time_html(std::string_view rfc3339) {
  std::string words = escape(rfc3339.substr(0, 19)) + " UTC";
  if (words.size() > 10) words[10] = ' ';
  return "<time datetime=\"" + escape(rfc3339) + "\">" + words + "</time>";
}

std::string severity_html(std::int64_t severity) {
  constexpr std::array<std::string_view, 4> words{"Low", "Medium", "High", "Extreme"};
  const auto index = static_cast<std::size_t>(std::clamp<std::int64_t>(severity, 0, 3));
  return "<span class=\"severity severity-" + std::to_string(index) + "\">" +
         std::to_string(index) + " " + std::string(words[index]) + "</span>";
}

std::string section(std::string_view title, const std::string& body) {
  return "<section>\n<h2>" + escape(title) + "</h2>\n" + body + "</section>\n";
}

std::string table(const std::vector<Column>& columns,
                  const std::vector<std::vector<std::string>>& rows, std::string_view none) {
  if (rows.empty()) return "<p class=\"soft\">" + escape(none) + "</p>\n";
  std::string out = "<table>\n<thead><tr>";
  for (const Column& column : columns) {
    out += std::string("<th scope=\"col\"") + (column.number ? " class=\"n\">" : ">") +
           escape(column.name) + "</th>";
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool number = i < columns.size() && columns[i].number;
      out += std::string(number ? "<td class=\"n\">" : "<td>") + row[i] + "</td>";
    }
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table>\n";
}

std::string bar_chart(const std::vector<Bar>& all, std::string_view title) {
  const std::vector<Bar> bars(
      all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), bars_max)));
  if (bars.empty()) return {};
  constexpr double width = 960;
  constexpr double height = 180;
  constexpr double bottom = 150;
  constexpr double top = 18;
  const std::int64_t most =
      std::max<std::int64_t>(1, std::ranges::max_element(bars, {}, &Bar::value)->value);
  const double step = width / static_cast<double>(bars.size());
  // A style sheet overrules these; what prints the report may not apply one within a drawing.
  const auto colour = [](const std::string& classes) {
    constexpr std::array<std::string_view, 4> severities{"#2f6f3e", "#8a5a00", "#b3261e",
                                                         "#5b1480"};
    const bool graded = classes.starts_with("severity-") && classes.size() == 10 &&
                        classes.back() >= '0' && classes.back() <= '3';
    return std::string(graded ? severities[static_cast<std::size_t>(classes.back() - '0')]
                              : "#0b5cad");
  };
  auto number = [](double value) { return std::to_string(static_cast<std::int64_t>(value)); };
  std::string out = "<svg viewBox=\"0 0 960 180\" role=\"img\" aria-label=\"" + escape(title) +
                    "\" font-family=\"sans-serif\" font-size=\"11\">\n<line stroke=\"#d7dce3\" "
                    "x1=\"0\" y1=\"150\" x2=\"960\" y2=\"150\"/>\n";
  if (bars.size() >= 16) {
    out += "<text fill=\"#55606f\" x=\"0\" y=\"12\">at most " + std::to_string(most) + "</text>\n";
  }
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const double share = static_cast<double>(bars[i].value) / static_cast<double>(most);
    // What happened at all is seen, however little beside the most.
    const double tall = bars[i].value > 0 ? std::max(1.0, share * (bottom - top)) : 0;
    const double left = static_cast<double>(i) * step;
    out += "<rect" +
           (bars[i].classes.empty() ? std::string() : " class=\"" + bars[i].classes + "\"") +
           " fill=\"" + colour(bars[i].classes) + "\" x=\"" + number(left + step * 0.1) +
           "\" y=\"" + number(bottom - tall) + "\" width=\"" + number(std::max(1.0, step * 0.8)) +
           "\" height=\"" + number(tall) + "\"><title>" + escape(bars[i].name) + ": " +
           std::to_string(bars[i].value) + "</title></rect>\n";
    // Names and worths are drawn as far apart as they can be read.
    const std::size_t every = std::max<std::size_t>(1, bars.size() / 8);
    if (every == 1) {
      out += "<text fill=\"#55606f\" x=\"" + number(left + step * 0.1) + "\" y=\"" +
             number(bottom - tall - 4) + "\">" + std::to_string(bars[i].value) + "</text>\n";
    }
    if (i % every == 0) {
      out += "<text fill=\"#55606f\" x=\"" + number(left + step * 0.1) + "\" y=\"" +
             number(height - 12) + "\">" + escape(bars[i].name) + "</text>\n";
    }
  }
  return out + "</svg>\n";
}

}  // namespace mailwarden::report
