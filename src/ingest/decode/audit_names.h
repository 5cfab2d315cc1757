// The kernel's numbers in audit records, by their names.
//
// What     name_numbers() asks libauparse what an architecture, a system call, an exit code, a file
//          mode, a signal or a socket address means.
// Owns     One parser of the library for the whole process, since version 3.0.9 keeps its lists of
//          names in static variables and so has one state whatever one does.
// Threads  Any; calls take turns. Nothing of a call is left for the next.
// Errors   What the library does not know is left out.
// Limits   Only digits reach the library, at most digits_max of a value: its own reading of whole
//          records was not made for lines that an attacker wrote.
// Source   libauparse 3.0.9.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailwarden::ingest {

struct AuditNumbers {
  static constexpr std::size_t digits_max = 256;

  std::string_view architecture;  // hexadecimal
  std::string_view system_call;
  std::string_view exit;
  std::string_view mode;  // octal
  std::string_view signal;
  std::string_view address;  // a socket address, hexadecimal
};

// Pairs of field name and meaning: ARCH, SYSCALL, EXIT, MODE, SIG, saddr_family, saddr_ip,
// saddr_port.
std::vector<std::pair<std::string, std::string>> name_numbers(const AuditNumbers& numbers);

}  // namespace mailwarden::ingest
