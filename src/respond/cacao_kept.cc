#include "respond/cacao_kept.h"

#include <set>
#include <span>

#include "crypto/sha256.h"

namespace mailwarden::respond::cacao {
namespace {

using json::Object;
using json::Value;

struct Differences {
  json::Array without;
  Object was;
};

Object members_of(const Object& usual, const Object& real, const std::string& at,
                  Differences& out) {
  Object members;
  for (const auto& [name, value] : real) {
    const auto there = usual.find(name);
    if (there != usual.end() && there->second == value) continue;
    const std::string place = below(at, name);
    const Object* const inner = value.as_object();
    if (there != usual.end() && inner != nullptr && there->second.as_object() != nullptr) {
      Object deeper = members_of(*there->second.as_object(), *inner, place, out);
      if (!deeper.empty()) members[name] = std::move(deeper);
      continue;
    }
    if (there != usual.end()) out.was[place] = digest_of(there->second);
    members[name] = value;
  }
  for (const auto& [name, value] : usual) {
    if (real.contains(name)) continue;
    out.without.emplace_back(below(at, name));
    out.was[below(at, name)] = digest_of(value);
  }
  return members;
}

void put(Object& usual, const Object& members, const std::string& at, const Value& was) {
  for (const auto& [name, value] : members) {
    const std::string place = below(at, name);
    const Value& before = was[place];
    const auto there = usual.find(name);
    if (there == usual.end()) {
      // Where something stood that is gone, nothing takes its place.
      if (before.is_null()) usual[name] = value;
    } else if (!before.is_null()) {
      if (before == Value(digest_of(there->second))) there->second = value;
    } else if (there->second.as_object() != nullptr && value.as_object() != nullptr) {
      put(*there->second.as_object(), *value.as_object(), place, was);
    }
  }
}

// Members whose pointer is among `without` and that are still what they were.
void take_out(Object& usual, const std::set<std::string, std::less<>>& without,
              const std::string& at, const Value& was) {
  for (auto member = usual.begin(); member != usual.end();) {
    const std::string place = below(at, member->first);
    if (without.contains(place) && was[place] == Value(digest_of(member->second))) {
      member = usual.erase(member);
      continue;
    }
    if (Object* const inner = member->second.as_object()) take_out(*inner, without, place, was);
    ++member;
  }
}

}  // namespace

json::Object keep(const json::Object& usual, const json::Object& real) {
  Differences found;
  Object members = members_of(usual, real, "", found);
  Object differences;
  if (!members.empty()) differences["members"] = std::move(members);
  if (!found.without.empty()) differences["without"] = std::move(found.without);
  if (!found.was.empty()) differences["was"] = std::move(found.was);
  return differences;
}

json::Object kept(json::Object usual, const json::Object& differences) {
  const Value all(differences);
  std::set<std::string, std::less<>> without;
  if (const json::Array* places = all["without"].as_array()) {
    for (const Value& place : *places) {
      if (place.as_string() != nullptr) without.insert(*place.as_string());
    }
  }
  if (!without.empty()) take_out(usual, without, "", all["was"]);
  if (const Object* members = all["members"].as_object()) put(usual, *members, "", all["was"]);
  return usual;
}

std::string digest_of(const json::Value& value) {
  const crypto::Digest digest = crypto::sha256(json::to_text(value));
  return crypto::to_hex(std::span(digest).first(8));
}

std::string below(std::string_view pointer, std::string_view name) {
  std::string out(pointer);
  out += '/';
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace mailwarden::respond::cacao
