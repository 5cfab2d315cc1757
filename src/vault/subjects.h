// Whom a text names: the mail addresses in it.
//
// What     The text may be anything: a record in JSON, a raw log line, one within the other. An
//          address is a local part, '@' and a domain; '@' may be written %40, as in URLs, or
//          \u0040, as in JSON, also with the backslash doubled. A local part is RFC 5322's atext,
//          dots, and bytes from 0x80 on; a domain is letters, digits, '-', '.' and such bytes, and
//          needs no dot (root@localhost). Dots before the one, dots and hyphens behind the other
//          are left out.
//
//          Most of atext stands in logs as a separator, so one occurrence may name several: the
//          longest local part, and those that begin behind each character other than letters,
//          digits, '.', '_', '+', '-', behind a byte written as %3C or \u003c or \n, and behind
//          the last byte from 0x80 on. Thus user=erin@example.com names erin@example.com, and
//          o'brien@example.com is found as well. A domain with such bytes also counts up to the
//          first of them, as a quotation mark may follow it. A name too many costs a key; a name
//          too few would be a value that erasing the person does not reach.
// Owns     What it gives; a SubjectScanner keeps a view of the text.
// Threads  Pure; a SubjectScanner is of one thread.
// Errors   None.
// Limits   local_bytes_max, domain_bytes_max: what is longer counts up to there. subjects_max for
//          an occurrence. The time is linear in the text.
// Source   RFC 5321, section 4.5.3.1, for the lengths; RFC 5322, section 3.2.3; RFC 6532.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailwarden::vault {

// One address as it stands in the text, from the first byte of the longest local part to the last
// one of the domain.
struct Occurrence {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::vector<std::string> subjects;  // ASCII in lower case; the longest first, no two alike
};

// Tells occurrences one after the other. Two may share bytes, as in a@b@c, but never three.
class SubjectScanner {
 public:
  static constexpr std::size_t local_bytes_max = 64;
  static constexpr std::size_t domain_bytes_max = 255;
  static constexpr std::size_t locals_max = 4;
  static constexpr std::size_t domains_max = 2;
  static constexpr std::size_t subjects_max = locals_max * domains_max;

  explicit SubjectScanner(std::string_view text) : text_(text) {}

  std::optional<Occurrence> next();

 private:
  std::string_view text_;
  std::size_t at_ = 0;     // all before it is done with
  std::size_t floor_ = 0;  // behind the '@' before it, which no local part reaches over
};

// Each once, in the order in which they appear.
std::vector<std::string> subjects_of(std::string_view text);

// A part of a text and whom it names.
struct NamingPart {
  std::string_view text;
  std::vector<std::string> subjects;
};

// The text in as few parts as it takes for each to name at most `subjects_max`, which must be at
// least twice SubjectScanner's; a single part where it names no more. No occurrence is cut, unless
// so many hang together that there is no other way: then both parts name it.
std::vector<NamingPart> parts_of(std::string_view text, std::size_t subjects_max);

}  // namespace mailwarden::vault
