// Values and table definitions in the text that PostgreSQL takes.
//
// What     PostgreSQL keeps in TEXT neither NUL nor ill-formed UTF-8, both of which whoever writes
//          log lines can put into a name. escape() writes each such byte as the character U+10FF00
//          plus the byte, of a private area, and the characters of that area byte by byte, so that
//          unescape() gives back exactly what was told. Other text stays as it is.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   Four times the bytes, at worst.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mailwarden::db {

bool needs_escape(std::string_view bytes);
std::string escape(std::string_view bytes);
// Whether text that escape() wrote holds an escaped byte.
bool is_escaped(std::string_view text);
std::string unescape(std::string_view text);

// Text as a field of a line that COPY reads.
void append_copied(std::string& line, std::string_view text);

// A BLOB as PostgreSQL writes it: \x and two digits a byte.
void append_hex(std::string& out, std::span<const std::byte> blob);
std::vector<std::byte> from_hex(std::string_view text);

// A table definition in the types of SQLite (INTEGER, DOUBLE, TEXT, BLOB) in those of PostgreSQL;
// text compares by bytes, as it does there.
std::string postgres_types(std::string_view definition);

}  // namespace mailwarden::db
