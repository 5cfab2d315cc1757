// Whose tokens are believed, as a file says.
//
// What     A YAML file lists issuers of tokens:
//
//            issuers:
//              - name: google
//                issuers: [https://accounts.google.com, accounts.google.com]
//                audiences: [our-client-id.apps.googleusercontent.com]
//                hosted_domains: [example.com]
//                keys: https://www.googleapis.com/oauth2/v3/certs
//
//          `keys` is the address of the key set; without it the first of `issuers` is asked where
//          that is (OpenID discovery). `type: access` is for access tokens, `skew` and `age_max`
//          are spans of time.
// Owns     What it returns.
// Threads  Pure; fetching happens later, in the verifier.
// Errors   Error{invalid} with every mistake at once, each with file and line.
// Limits   Those of yaml::parse and VerifierOptions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "identity/verifier.h"

namespace mailwarden::identity {

Result<std::vector<Issuer>> parse_issuers(std::string_view text, const std::string& file);

}  // namespace mailwarden::identity
