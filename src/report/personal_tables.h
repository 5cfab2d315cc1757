// What is personal in a store: the columns of all modules' tables.
//
// What     One list, for whoever has to do with all of them: the book of keys, walks through sealed
//          tables, verification.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   None.
#pragma once

#include <string>
#include <vector>

#include "db/sealing.h"

namespace mailwarden::report {

std::vector<db::PersonalTable> personal_tables();
std::vector<std::string> personal_table_names();

}  // namespace mailwarden::report
