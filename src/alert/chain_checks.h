// Chains of escalation in the light of the routes.
//
// What     What of escalations.yaml cannot work with these receivers, schedules and routes.
// Owns     Nothing.
// Threads  Pure.
// Errors   Sentences, each with file and line.
// Limits   None.
#pragma once

#include <string>
#include <vector>

#include "alert/routes.h"

namespace mailwarden::alert {

// Why nobody can be told by that name of a `to`; "" where somebody can. `on_call` is null where it
// is not known.
std::string cannot_be_told(const Routes& routes, const OnCallSchedules* on_call,
                           const std::string& name);

// Names in steps that lead to nobody, and chains whose routes send nothing but what has ended them:
// a sentence a line, `separator` before the first.
std::string chain_mistakes(const EscalationChains& chains, const Routes& routes,
                           const OnCallSchedules* on_call, std::string separator);

// Of the chains that no route names; a sentence each, and no mistake.
std::vector<std::string> unnamed_chains(const Routes& routes);

}  // namespace mailwarden::alert
