// How an expected failure is told.
//
// What     Result<T> is a T or an Error. An Error is a code from a closed set, which a caller may
//          branch on, and one sentence for a person, which a caller only passes on.
// Owns     The sentence.
// Threads  Values; share them as any other value.
// Errors   None.
// Limits   None.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace mailwarden {

enum class Code { invalid, not_found, conflict, denied, full, unavailable, corrupt, io };

struct Error {
  Code code = Code::invalid;
  std::string what;

  bool operator==(const Error&) const = default;
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Code code, std::string what) {
  return std::unexpected(Error{code, std::move(what)});
}

// Passes an error on, saying before it where it arose: "store: database is locked".
[[nodiscard]] inline std::unexpected<Error> fail(std::string_view where, const Error& error) {
  return std::unexpected(Error{error.code, std::string(where) + ": " + error.what});
}

constexpr std::string_view to_string(Code code) {
  switch (code) {
    case Code::invalid:
      return "invalid";
    case Code::not_found:
      return "not_found";
    case Code::conflict:
      return "conflict";
    case Code::denied:
      return "denied";
    case Code::full:
      return "full";
    case Code::unavailable:
      return "unavailable";
    case Code::corrupt:
      return "corrupt";
    case Code::io:
      return "io";
  }
  return "unknown";
}

}  // namespace mailwarden
