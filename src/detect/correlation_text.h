// Correlations as texts: what makes two the same, and what a person reads of one.
//
// What     signature_of() is equal for two correlations whose windows may be exchanged.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   None.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "detect/rule.h"

namespace mailwarden::detect {

std::string signature_of(const Correlation& correlation);

// "user, src_endpoint.ip"
std::string field_text(const Correlation& correlation);

std::optional<std::string> field_for(const std::map<std::string, std::string>& alias,
                                     const std::string& rule);

}  // namespace mailwarden::detect
