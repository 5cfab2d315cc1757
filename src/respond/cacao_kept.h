// What a JSON object holds beyond another, kept so that it can be given back.
//
// What     keep() says in which members `real` differs from `usual`, kept() puts these differences
//          onto a `usual` of another time. A difference that took the place of something holds the
//          digest of that, and lapses where there is something else now: what somebody has changed
//          since is never written over by what once stood there.
//
//            members  what `real` has that differs, objects within objects
//            without  JSON pointers of what `real` has not
//            was      JSON pointer to digest of what stood there
// Owns     Nothing.
// Threads  Pure.
// Errors   None: what is no such difference is passed over.
// Limits   None.
// Source   RFC 6901 for the pointers.
#pragma once

#include <string>
#include <string_view>

#include "json/value.h"

namespace mailwarden::respond::cacao {

// Empty where they are equal.
json::Object keep(const json::Object& usual, const json::Object& real);
json::Object kept(json::Object usual, const json::Object& differences);

// 16 digits of the SHA-256.
std::string digest_of(const json::Value& value);

// `pointer` and one step more.
std::string below(std::string_view pointer, std::string_view name);

}  // namespace mailwarden::respond::cacao
