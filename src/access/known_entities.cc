#include "access/known_entities.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_set>
#include <utility>

#include "policy/entity_json.h"

namespace mailwarden::access {
namespace {

using identity::EntityFacts;
using identity::EntityNames;
using identity::PeopleBook;

// The ids under which the book has ever told of somebody, however long ago.
template <class Record>
std::unordered_set<std::string> ids_of(const std::map<identity::DirectoryKey, Record>& records,
                                       const std::string& provider, EntityNames::Id form) {
  std::unordered_set<std::string> ids;
  for (const auto& [key, record] : records) {
    if (key.provider != provider) continue;
    if (form == EntityNames::Id::directory) {
      ids.insert(key.id);
    } else if (record.email) {
      ids.insert(record.email->value);
    }
  }
  return ids;
}

class Gathering {
 public:
  Gathering(const KnownPeople& people, const EntityNames& names, const policy::Schema& schema)
      : book_(people.book),
        is_complete_(people.is_complete),
        names_(names),
        schema_(schema),
        user_(schema.entity(names.user_type)) {
    if (book_ == nullptr) return;
    users_ = ids_of(book_->records().accounts, names.provider, names.user_id);
    groups_ = ids_of(book_->records().groups, names.provider, names.group_id);
  }

  Result<void> add(const EntityText& text) {
    const policy::EntityJsonOptions options{
        .wants = [&](const json::Value& entity) { return wants(entity, text.file); }};
    if (auto done = policy::add_entities(builder_, text.text, &schema_, options); !done) {
      return fail(text.file, done.error());
    }
    return {};
  }

  Result<KnownEntities> finish(Timestamp now) {
    auto origins = std::make_shared<OriginsByUser>();
    if (book_ != nullptr && user_ != nullptr) {
      known_.until = identity::each_entity(
          *book_, names_, now, [&](EntityFacts facts) { take(std::move(facts), *origins); });
    }
    if (auto done = policy::add_actions(builder_, schema_); !done) {
      return std::unexpected(done.error());
    }
    auto entities = builder_.finish();
    if (!entities) return std::unexpected(entities.error());
    known_.entities = std::make_shared<const policy::Entities>(*std::move(entities));
    known_.origins = std::move(origins);
    return std::move(known_);
  }

 private:
  bool wants(const json::Value& entity, const std::string& file) {
    const auto uid = policy::read_uid(entity["uid"]);
    if (!uid) return true;  // and be told so
    if (uid->type == names_.user_type && (is_complete_ || users_.contains(uid->id))) {
      known_.left_out.push_back(file + ": " + policy::to_text(*uid) +
                                " is left out, since the directory tells of people");
      return false;
    }
    if (uid->type != names_.group_type || !groups_.contains(uid->id)) return true;
    if (const json::Array* const parents = entity["parents"].as_array(); parents != nullptr) {
      json::Array& more = parents_[uid->id];
      more.insert(more.end(), parents->begin(), parents->end());
    }
    return false;
  }

  void take(EntityFacts facts, OriginsByUser& origins) {
    const auto uid = policy::read_uid(facts.entity.at("uid"));
    if (!uid) return;
    const bool is_user = uid->type == names_.user_type;
    keep_declared(uid->type, *facts.entity.at("attrs").as_object());
    if (const auto more = parents_.find(uid->id); !is_user && more != parents_.end()) {
      json::Array& parents = *facts.entity.at("parents").as_array();
      parents.insert(parents.end(), more->second.begin(), more->second.end());
    }
    const auto added = policy::add_entity(builder_, facts.entity, &schema_);
    if (!added) {
      known_.left_out.push_back(added.error().what);
    } else if (is_user) {
      origins.emplace(uid->id, std::move(facts.origins));
    }
  }

  void keep_declared(const std::string& type, json::Object& attributes) const {
    const policy::EntityType* const declared = schema_.entity(type);
    if (declared == nullptr) return;
    std::erase_if(attributes, [&](const auto& attribute) {
      return schema_.types().attribute(declared->attributes, attribute.first) == nullptr;
    });
  }

  const PeopleBook* book_;
  const bool is_complete_;
  const EntityNames& names_;
  const policy::Schema& schema_;
  const policy::EntityType* user_;
  policy::EntitiesBuilder builder_;
  std::unordered_set<std::string> users_;
  std::unordered_set<std::string> groups_;
  std::unordered_map<std::string, json::Array> parents_;  // of groups, as files add them
  KnownEntities known_;
};

}  // namespace

Result<KnownEntities> known_entities(std::span<const EntityText> texts, const KnownPeople& people,
                                     const EntityNames& names, const policy::Schema& schema,
                                     Timestamp now) {
  Gathering gathering(people, names, schema);
  for (const EntityText& text : texts) {
    if (auto done = gathering.add(text); !done) return std::unexpected(done.error());
  }
  return gathering.finish(now);
}

Result<void> fits_people(const policy::Schema& schema, const EntityNames& names) {
  const policy::EntityType* const user = schema.entity(names.user_type);
  if (user == nullptr) {
    return fail(Code::invalid, "the schema has no type " + names.user_type +
                                   ", which people of the directory would be");
  }
  std::string wrong;
  const auto mistake = [&](const std::string& what) {
    wrong += (wrong.empty() ? "" : "\n") + what;
  };
  const auto& types = schema.types();
  for (const policy::AttributeType& attribute : types[user->attributes].attributes) {
    const std::string place = names.user_type + "." + attribute.name;
    if (attribute.is_required) {
      mistake("the schema asks for " + place + ", which is not known of everybody; it must be " +
              attribute.name + "?");
    }
    const auto fact = std::ranges::find(identity::fact_types(), std::string_view(attribute.name),
                                        &identity::FactType::attribute);
    if (fact == identity::fact_types().end()) continue;
    const std::string known = fact->type == "User" ? names.user_type : std::string(fact->type);
    if (const std::string declared = types.text(attribute.type); declared != known) {
      mistake("the schema has " + place + " as " + declared + "; of people it is known as " +
              known);
    }
  }
  if (!schema.may_be_in(names.user_type, names.group_type)) {
    mistake("the schema has no " + names.user_type + " in " + names.group_type +
            ", as people of the directory stand in groups");
  }
  return wrong.empty() ? Result<void>() : fail(Code::invalid, std::move(wrong));
}

}  // namespace mailwarden::access
