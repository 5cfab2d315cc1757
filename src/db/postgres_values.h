// Values as they are sent to PostgreSQL.
//
// What     put() writes a value as text, whatever its kind; append_field() as a field of a line
//          that COPY reads, where NULL is \N.
// Owns     The text.
// Threads  Pure.
// Errors   None.
// Limits   None.
// Source   PostgreSQL 15, COPY, "Text Format".
#pragma once

#include <string>

#include "db/database.h"

namespace mailwarden::db {

struct Sent {
  bool is_null = true;
  std::string text;
};

void put(Sent& sent, const Value& value);
void append_field(std::string& line, const Value& value);
void append_field(std::string& line, const Sent& value);

}  // namespace mailwarden::db
