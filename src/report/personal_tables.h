// What is personal in a store: the columns of all modules' tables.
//
// What     One list, for whoever has to do with all of them: the book of keys, walks through sealed
//          tables, verification.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   None.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "db/sealing.h"

namespace mailwarden::report {

std::span<const db::PersonalTable> personal_tables();
// CHECKs that it is one of them.
const db::PersonalTable& personal_table(std::string_view name);
std::vector<std::string> personal_table_names();

}  // namespace mailwarden::report
