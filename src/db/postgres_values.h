// Values as they are sent to PostgreSQL.
//
// What     put() writes a value as text, whatever its kind; copy_line() puts a row of them together
//          as COPY reads it.
// Owns     The text.
// Threads  Pure.
// Errors   None.
// Limits   None.
// Source   PostgreSQL 15, COPY, "Text Format".
#pragma once

#include <span>
#include <string>

#include "db/database.h"

namespace mailwarden::db {

struct Sent {
  bool is_null = true;
  std::string text;
};

void put(Sent& sent, const Value& value);
// Fields between tabs, NULL as \N.
std::string copy_line(std::span<const Sent> row);

}  // namespace mailwarden::db
