// Personnel's facts about people, as a table.
//
// What     read_people() takes CSV and gives a Register: people whose facts have its source and
//          time. A register is whole: who or what is not in it, its source says no more.
// Owns     The register.
// Threads  Pure.
// Errors   Those of csv.h; invalid, all other mistakes together, each with its line. full, beyond a
//          limit. Nothing is taken from a text with a mistake.
// Limits   PeopleCsvOptions.
// Source   RFC 4180 for the form; OWASP, "CSV Injection", for the cells that are refused.
//
// The first row names the columns, in any order and without regard to case:
//   id                  personnel's id of the person; must be there, and once
//   email               e-mail addresses, with ';' or blanks between them
//   name, role, department
//   manager             a person's id, or an e-mail address
//   employed_from       a date, or an RFC 3339 time
//   employed_until      the last day, all of which still belongs to the employment; or a time,
//                       before which it lasts. Empty where no end is known. It and employed_from go
//                       together, since a beginning alone would make everybody employed for good.
//   trained             when the last security training was completed
//   trained_until       the last day on which it holds, or a time
//   background_checked  when the background check was passed
//   policy_accepted     when the privacy policy was accepted
//   policy_version      which one
// Dates are days of UTC. An empty cell says nothing, employed_until beside a beginning excepted.
// A column of another name is a mistake unless `ignored_columns` names it: the misspelt end of an
// employment would otherwise be none. So is a cell that begins with = + - @ or a control character,
// which a spreadsheet may run where somebody opens what is exported here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/csv.h"
#include "identity/person.h"

namespace mailwarden::identity {

struct PeopleCsvOptions {
  CsvLimits csv;
  std::size_t emails_max = 20;        // of one person
  std::size_t text_bytes_max = 1024;  // of one cell
  std::vector<std::string> ignored_columns;
};

struct Register {
  Origin origin;
  std::vector<Person> people;
};

Result<Register> read_people(std::string_view text, const Origin& origin,
                             const PeopleCsvOptions& options = {});

}  // namespace mailwarden::identity
