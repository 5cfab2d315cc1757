#include "access/grant_order.h"

namespace mailwarden::access {

Result<GrantChange> obey(GrantBook& book, const GrantOrder& order, const GrantRules& rules,
                         const policy::Entities& entities, Timestamp now) {
  if (rules.token_needed && !order.is_shown) {
    return fail(Code::denied, "who acts must show a token (--token FILE)");
  }
  const Actor actor = actor_of(entities, order.who);
  const Deed deed{.grant = order.grant, .by = actor, .why = order.why};
  switch (order.act) {
    case GrantAct::request:
      return book.request(order.request, actor, rules, now);
    case GrantAct::break_glass:
      return book.break_glass(order.request, actor, rules, now);
    case GrantAct::approve:
      return book.approve(deed, rules, now);
    case GrantAct::refuse:
      return book.refuse(deed, rules, now);
    case GrantAct::withdraw:
      return book.withdraw(deed, now);
    case GrantAct::end:
      return book.end(deed, rules, now);
    case GrantAct::review:
      return book.review(deed, rules, now);
    case GrantAct::expire:
    case GrantAct::miss_review:
      break;
  }
  return fail(Code::invalid, "nobody orders that a grant " + std::string(to_string(order.act)));
}

}  // namespace mailwarden::access
