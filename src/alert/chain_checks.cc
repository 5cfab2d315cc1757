#include "alert/chain_checks.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace mailwarden::alert {
namespace {

bool names(const Route& route, const Chain& chain) {
  return std::ranges::find(route.to, std::string(escalation_prefix) + chain.name) != route.to.end();
}

bool can_begin(const Chain& chain, const Routes& routes) {
  if (chain.until != Until::acknowledged) return true;
  bool is_named = false;
  for (const Route& route : routes.routes()) {
    if (!names(route, chain)) continue;
    is_named = true;
    for (const std::string& change : route.changes) {
      // Who moves an incident has seen it.
      if (change != "acknowledged" && change != "state_changed") return true;
    }
  }
  return !is_named;
}

}  // namespace

std::string cannot_be_told(const Routes& routes, const OnCallSchedules* on_call,
                           const std::string& name) {
  if (!name.starts_with(on_call_prefix)) {
    return routes.find(name) != nullptr ? "" : "there is no receiver '" + printable(name) + "'";
  }
  const std::string schedule = name.substr(on_call_prefix.size());
  if (on_call == nullptr || on_call->find(schedule) != nullptr) return "";
  return "there is no schedule '" + printable(schedule) + "' in on_call.yaml";
}

std::string chain_mistakes(const EscalationChains& chains, const Routes& routes,
                           const OnCallSchedules* on_call, std::string separator) {
  std::string sentences;
  const auto add = [&](const std::string& where, const std::string& what) {
    sentences += std::exchange(separator, "\n") + where + ": " + what;
  };
  for (const Chain& chain : chains.chains()) {
    for (const ChainStep& step : chain.steps) {
      for (const std::string& name : step.to) {
        const std::string why = cannot_be_told(routes, on_call, name);
        if (!why.empty()) add(step.where, why);
      }
    }
    if (can_begin(chain, routes)) continue;
    add(chain.where,
        "its steps never come, since the routes that name it send nothing but what "
        "has ended it by then");
  }
  return sentences;
}

std::vector<std::string> unnamed_chains(const Routes& routes) {
  std::vector<std::string> sentences;
  for (const Chain& chain : routes.chains().chains()) {
    const auto names_it = [&](const Route& route) { return names(route, chain); };
    if (std::ranges::any_of(routes.routes(), names_it)) continue;
    sentences.push_back(chain.where + ": no route names the chain '" + chain.name +
                        "', so it never begins");
  }
  return sentences;
}

}  // namespace mailwarden::alert
