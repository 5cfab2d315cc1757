#include "identity/people_csv.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "base/text.h"
#include "identity/mistakes.h"

namespace mailwarden::identity {
namespace {

constexpr std::array<std::string_view, 13> columns{"id",
                                                   "email",
                                                   "name",
                                                   "role",
                                                   "department",
                                                   "manager",
                                                   "employed_from",
                                                   "employed_until",
                                                   "trained",
                                                   "trained_until",
                                                   "background_checked",
                                                   "policy_accepted",
                                                   "policy_version"};

enum class Edge { begins, ends };

// A day as the moment it begins, or as the one behind its end.
std::optional<Timestamp> read_moment(std::string_view text, Edge edge) {
  constexpr std::size_t date_size = std::string_view("2026-11-24").size();
  if (text.size() != date_size) {
    const auto at = parse_rfc3339(text);
    return at ? std::optional(*at) : std::nullopt;
  }
  const auto at = parse_rfc3339(std::string(text) + "T00:00:00Z");
  if (!at) return std::nullopt;
  // The last day of the calendar has none behind it.
  return edge == Edge::begins ? *at : std::min(*at + std::chrono::days(1), Timestamp::latest);
}

class PeopleReader {
 public:
  PeopleReader(const Origin& origin, const PeopleCsvOptions& options)
      : origin_(origin), options_(options) {}

  Result<Register> read(const std::vector<CsvRow>& rows) {
    if (rows.empty())
      return fail(Code::invalid, "line 1: the row with the columns' names is missing");
    read_names(rows.front());
    if (mistakes_.any()) return mistakes_.error();
    Register people{.origin = origin_};
    for (const CsvRow& row : std::span(rows).subspan(1)) {
      if (row.cells.size() != places_) {
        mistakes_.add(line(row), "it has " + std::to_string(row.cells.size()) + " cells, and not " +
                                     std::to_string(places_) + " as the first row");
      } else {
        people.people.push_back(read_person(row));
      }
    }
    if (rows.size() == 1) mistakes_.add(line(rows.front()), "nobody follows it");
    if (mistakes_.any()) return mistakes_.error();
    return people;
  }

 private:
  static std::string line(const CsvRow& row) { return "line " + std::to_string(row.line); }

  void read_names(const CsvRow& row) {
    places_ = row.cells.size();
    for (std::size_t i = 0; i < places_; ++i) {
      const std::string name = to_lower(trim(row.cells[i]));
      const bool ignored = std::ranges::any_of(
          options_.ignored_columns,
          [&](const std::string& one) { return equal_ignoring_case(one, name); });
      if (ignored) continue;
      if (std::ranges::find(columns, name) == columns.end()) {
        mistakes_.add(line(row), shown(row.cells[i]) + " is no column that is known here");
      } else if (!place_.emplace(name, i).second) {
        mistakes_.add(line(row), "the column " + name + " is there twice");
      }
    }
    if (!place_.contains("id")) mistakes_.add(line(row), "the column id is missing");
    if (place_.contains("employed_from") != place_.contains("employed_until")) {
      mistakes_.add(line(row), "employed_from and employed_until must both be columns, or neither");
    }
    if (place_.contains("policy_version") && !place_.contains("policy_accepted")) {
      mistakes_.add(line(row), "policy_version is there without policy_accepted");
    }
  }

  Person read_person(const CsvRow& row) {
    row_ = &row;
    Person person{.id = cell("id")};
    if (person.id.empty()) wrong("id", "is missing");
    if (!person.id.empty() && !ids_.insert(person.id).second) {
      wrong("id", "is " + shown(person.id) + ", which an earlier line has");
    }
    person.emails = emails();
    person.name = text("name");
    person.role = text("role");
    person.department = text("department");
    person.manager = text("manager");
    // Compared with addresses in their normal form.
    if (person.manager && person.manager->value.contains('@')) {
      const auto normal = normal_email(person.manager->value);
      if (!normal) wrong("manager", "is neither an id nor an e-mail address");
      person.manager->value = normal.value_or("");
    }
    person.employment = employment();
    person.trained_at = fact(moment("trained", Edge::begins));
    person.trained_until = fact(moment("trained_until", Edge::ends));
    person.background_checked = fact(moment("background_checked", Edge::begins));
    const std::string version = cell("policy_version");
    const auto accepted = moment("policy_accepted", Edge::begins);
    if (accepted)
      person.policy_acceptance = fact(std::optional(PolicyAcceptance{*accepted, version}));
    if (!version.empty() && cell("policy_accepted").empty()) {
      wrong("policy_version", "is told, and policy_accepted is not");
    }
    return person;
  }

  void wrong(std::string_view column, std::string_view what) {
    mistakes_.add(line(*row_), std::string(column) + " " + std::string(what));
  }

  // Without the blanks around it; "" where there is none or it is wrong.
  std::string cell(std::string_view column) {
    const auto place = place_.find(column);
    if (place == place_.end()) return "";
    const std::string& raw = row_->cells[place->second];
    const std::string_view text = trim(raw);
    if (text.empty()) return "";
    const bool control =
        std::ranges::any_of(raw, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
    if (control) {
      wrong(column, "holds control characters or line ends");
    } else if (std::string_view("=+-@").contains(text.front())) {
      wrong(column, "begins with '" + std::string(1, text.front()) +
                        "', which a spreadsheet would take for a formula");
    } else if (text.size() > options_.text_bytes_max) {
      wrong(column, "has " + std::to_string(text.size()) + " bytes; at most " +
                        std::to_string(options_.text_bytes_max) + " are read");
    } else {
      return std::string(text);
    }
    return "";
  }

  template <class T>
  MaybeFact<T> fact(std::optional<T> value) const {
    if (!value) return std::nullopt;
    return Fact<T>{.value = *std::move(value), .source = origin_.source, .time = origin_.time};
  }

  MaybeFact<std::string> text(std::string_view column) {
    std::string value = cell(column);
    return value.empty() ? MaybeFact<std::string>() : fact(std::optional(std::move(value)));
  }

  std::optional<Timestamp> moment(std::string_view column, Edge edge) {
    const std::string value = cell(column);
    if (value.empty()) return std::nullopt;
    const auto at = read_moment(value, edge);
    if (!at) wrong(column, "is " + shown(value) + ", which is neither a date nor an RFC 3339 time");
    return at;
  }

  MaybeFact<Employment> employment() {
    const auto from = moment("employed_from", Edge::begins);
    const auto until = moment("employed_until", Edge::ends);
    if (!from) {
      if (until) wrong("employed_until", "is told, and employed_from is not");
      return std::nullopt;
    }
    if (until && *until <= *from) wrong("employed_until", "is not after employed_from");
    return fact(std::optional(Employment{.from = *from, .until = until}));
  }

  MaybeFact<std::vector<std::string>> emails() {
    std::string all = cell("email");
    if (all.empty()) return std::nullopt;
    std::ranges::replace(all, ' ', ';');
    std::vector<std::string> found;
    for (const std::string_view one : split(all, ';')) {
      if (one.empty()) continue;
      auto normal = normal_email(one);
      if (!normal) wrong("email", "holds " + shown(one) + ", which is no e-mail address");
      if (normal && std::ranges::find(found, *normal) == found.end()) {
        found.push_back(*std::move(normal));
      }
    }
    if (found.size() > options_.emails_max) {
      wrong("email", "holds more than " + std::to_string(options_.emails_max) + " addresses");
    }
    return fact(std::optional(std::move(found)));
  }

  const Origin& origin_;
  const PeopleCsvOptions& options_;
  Mistakes mistakes_;
  std::map<std::string, std::size_t, std::less<>> place_;  // of a column
  std::size_t places_ = 0;
  std::set<std::string> ids_;
  const CsvRow* row_ = nullptr;
};

}  // namespace

Result<Register> read_people(std::string_view text, const Origin& origin,
                             const PeopleCsvOptions& options) {
  const auto rows = read_csv(text, options.csv);
  if (!rows) return std::unexpected(rows.error());
  return PeopleReader(origin, options).read(*rows);
}

}  // namespace mailwarden::identity
