// A checkpoint as it is kept elsewhere: a file of its own, or a saved mail.
//
// What     checkpoint_note() gives the signed note that a file holds. A file that is no note is
//          read as a mail: of its parts, those of text/plain and application/octet-stream are
//          looked at, whatever they lie in (multipart, message/rfc822), and a part counts only
//          where it is a checkpoint's note from its first byte to its last.
// Owns     Nothing.
// Threads  Pure.
// Errors   invalid: neither a note nor a mail with one; conflict: a mail with two that differ, of
//          which nobody could say which one is meant; full: too large, too deep, too many parts.
// Limits   mail_bytes_max, mail_parts_max, mail_depth_max.
// Source   RFC 5322, RFC 2045 and RFC 2046, as much of them as this needs; C2SP signed-note.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mailwarden::ledger {

inline constexpr std::size_t mail_bytes_max = std::size_t{32} * 1024 * 1024;
inline constexpr std::size_t mail_parts_max = 1000;
inline constexpr std::size_t mail_depth_max = 10;

// The note has line feeds alone, as it was signed.
Result<std::string> checkpoint_note(std::string_view file);

}  // namespace mailwarden::ledger
