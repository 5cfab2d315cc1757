// An act on grants as somebody asks for it.
//
// What     What to do, to which grant or for whom, and who says so. obey() has the book decide it.
// Owns     Its texts.
// Threads  As the book.
// Errors   Those of GrantBook; invalid for an act that nobody orders.
// Limits   None.
#pragma once

#include <string>

#include "access/grant_book.h"

namespace mailwarden::access {

struct GrantOrder {
  GrantAct act = GrantAct::request;
  std::string who;
  bool is_shown = false;  // by a token, and not only said
  GrantRequest request;   // of request and break_glass
  GrantId grant;          // of the others
  std::string why;
};

// Who acts stands in the groups that the entities know; denied where rules ask for a token and none
// was shown.
Result<GrantChange> obey(GrantBook& book, const GrantOrder& order, const GrantRules& rules,
                         const policy::Entities& entities, Timestamp now);

}  // namespace mailwarden::access
