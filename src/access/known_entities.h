// What decisions know of people, groups and systems: what operators wrote down, and what is known
// of people now.
//
// What     known_entities() makes one store of entity files and the book of people. Where a
//          directory tells of accounts it alone has the word on people: what files say of users is
//          left out, so that none keeps a leaver in, nor one whom the directory has dropped.
//          Without a directory, what a file says of somebody is left out where the book has told of
//          that account. Of a group that both tell of, the file may add what it stands in, which is
//          how a directory's groups become those that policies name:
//            {"uid": {"type": "Group", "id": "team@example.com"}, "attrs": {},
//             "parents": [{"type": "Group", "id": "staff"}]}
//          Facts that the schema does not declare are left out of their entities.
// Owns     Nothing; a KnownEntities is a value.
// Threads  As PeopleBook's const functions.
// Errors   Error{invalid}, Error{conflict}, Error{full}: those of the entity files, each with its
//          file. What is known of one person and does not fit the schema is left out with all of
//          that person, who is then unknown, and told.
// Limits   EntityJsonOptions, EntitiesBuilder::Options.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "identity/entity_facts.h"
#include "policy/entities.h"
#include "policy/schema.h"

namespace mailwarden::access {

struct EntityText {
  std::string file;
  std::string text;
};

// By the ids of users, those that rest on the book.
using OriginsByUser = std::unordered_map<std::string, identity::Origins>;

struct KnownEntities {
  std::shared_ptr<const policy::Entities> entities;
  std::shared_ptr<const OriginsByUser> origins;
  // Before this moment nothing of it changes by itself.
  Timestamp until = Timestamp::latest;
  std::vector<std::string> left_out;  // a sentence each
};

// What is known of people.
struct KnownPeople {
  const identity::PeopleBook* book = nullptr;  // null where nobody tells of any
  bool is_complete =
      false;  // whether a directory tells of all accounts, so that files tell of none
};

Result<KnownEntities> known_entities(std::span<const EntityText> texts, const KnownPeople& people,
                                     const identity::EntityNames& names,
                                     const policy::Schema& schema, Timestamp now);

// Whether the schema has the facts about people as they come: a user's attributes of the right
// types and, where groups are declared, users that may stand in them. Every mistake, a sentence a
// line.
Result<void> fits_people(const policy::Schema& schema, const identity::EntityNames& names);

}  // namespace mailwarden::access
