#include "access/recorded.h"

#include <algorithm>
#include <tuple>

#include "policy/entity_json.h"

namespace mailwarden::access {
namespace {

std::unexpected<Error> damaged(std::int64_t entry) {
  return fail(Code::corrupt,
              "the stored decision of entry " + std::to_string(entry) + " is damaged");
}

std::optional<Recorded> read_recorded(const json::Value& record) {
  const auto when = parse_rfc3339(record.text("when"));
  const auto principal = policy::parse_entity_uid(record.text("principal"));
  const auto action = policy::parse_entity_uid(record.text("action"));
  const auto resource = policy::parse_entity_uid(record.text("resource"));
  if (!when || !principal || !action || !resource) return std::nullopt;
  Recorded made{.id = record.text("id"),
                .when = *when,
                .principal = *principal,
                .action = *action,
                .resource = *resource,
                .context = record["context"],
                .facts = record["facts"],
                .was_allowed = record.text("decision") == "allow"};
  const json::Array* const groups = record["groups"].as_array();
  made.is_whole = record["groups"].as_object() == nullptr && made.facts["sha256"].is_null();
  if (!made.is_whole) made.facts = {};
  if (groups == nullptr) return made;
  for (const json::Value& group : *groups) {
    const auto uid =
        policy::parse_entity_uid(group.as_string() == nullptr ? "" : *group.as_string());
    if (!uid) return std::nullopt;
    made.groups.push_back(*uid);
  }
  return made;
}

// Null where nobody knew the principal.
json::Value entity_of(const Recorded& one) {
  if (one.facts.is_null()) return {};
  json::Array parents;
  for (const policy::EntityUid& group : one.groups) parents.push_back(policy::to_json(group));
  return json::Object{
      {"uid", policy::to_json(one.principal)}, {"attrs", one.facts}, {"parents", parents}};
}

// The sets of facts that each principal had, in the order in which they came.
class States {
 public:
  void add(const Recorded& one) {
    json::Value entity = entity_of(one);
    const std::string text = json::to_text(entity);
    auto& states = by_principal_[one.principal];
    if (states.places.emplace(text, states.entities.size()).second) {
      states.entities.push_back(std::move(entity));
      most_ = std::max(most_, states.entities.size());
    }
  }
  // Nothing where it was not added: it has been decided since.
  std::optional<std::size_t> place(const Recorded& one) const {
    const auto states = by_principal_.find(one.principal);
    if (states == by_principal_.end()) return std::nullopt;
    const auto place = states->second.places.find(json::to_text(entity_of(one)));
    return place == states->second.places.end() ? std::nullopt : std::optional(place->second);
  }
  bool knows(const policy::EntityUid& principal) const { return by_principal_.contains(principal); }
  std::size_t most() const { return most_; }
  // take(entity) for each principal that was known in its state of that place.
  template <class Take>
  Result<void> each(std::size_t place, Take take) const {
    for (const auto& [principal, states] : by_principal_) {
      if (place >= states.entities.size() || states.entities[place].is_null()) continue;
      if (auto done = take(states.entities[place]); !done) return done;
    }
    return {};
  }

 private:
  struct OfOne {
    std::map<std::string, std::size_t> places;
    std::vector<json::Value> entities;
  };
  std::map<policy::EntityUid, OfOne> by_principal_;
  std::size_t most_ = 0;
};

// Policies over what was known while principals were in their state of that place.
Result<std::unique_ptr<const policy::DecisionPoint>> point_of(const policy::Loaded& loaded,
                                                              const RecastParts& parts,
                                                              const States& states,
                                                              std::size_t place) {
  const policy::Schema* const schema = loaded.schema.get();
  policy::EntitiesBuilder builder;
  const policy::EntityJsonOptions options{.wants = [&](const json::Value& entity) {
    const auto uid = policy::read_uid(entity["uid"]);
    return !uid || !states.knows(*uid);
  }};
  for (const EntityText& text : parts.entities) {
    if (auto done = policy::add_entities(builder, text.text, schema, options); !done) {
      return fail(text.file, done.error());
    }
  }
  const auto add = [&](const json::Value& entity) {
    return policy::add_entity(builder, entity, schema);
  };
  if (auto done = states.each(place, add); !done) return std::unexpected(done.error());
  if (schema != nullptr) {
    if (auto done = policy::add_actions(builder, *schema); !done) {
      return std::unexpected(done.error());
    }
  }
  auto entities = builder.finish();
  if (!entities) return std::unexpected(entities.error());
  return std::make_unique<const policy::DecisionPoint>(
      loaded, std::make_shared<const policy::Entities>(*std::move(entities)));
}

class Recaster {
 public:
  explicit Recaster(const RecastParts& parts) : parts_(parts) {}

  Result<Recasting> run() {
    const auto collect = [&](const Recorded& one) {
      states_.add(one);
      last_entry_ = one.entry;
      return Result<void>();
    };
    if (auto done = each_recorded(parts_.database, parts_.period, collect); !done) {
      return std::unexpected(done.error());
    }
    for (std::size_t place = 0; place < states_.most(); ++place) {
      if (auto done = run(place); !done) return std::unexpected(done.error());
    }
    for (auto& [key, change] : changes_) recasting_.changes.push_back(std::move(change));
    return std::move(recasting_);
  }

 private:
  Result<void> run(std::size_t place) {
    const auto before = point_of(parts_.before, parts_, states_, place);
    if (!before) return fail("the old policies", before.error());
    const auto after = point_of(parts_.after, parts_, states_, place);
    if (!after) return fail("the new policies", after.error());
    return each_recorded(parts_.database, parts_.period, [&](Recorded one) {
      if (one.entry <= last_entry_ && states_.place(one) == place)
        compare(**before, **after, std::move(one));
      return Result<void>();
    });
  }

  std::optional<policy::Decision> decide(const policy::DecisionPoint& point, const Recorded& one) {
    policy::Request request{
        .principal = one.principal, .action = one.action, .resource = one.resource};
    const auto context =
        policy::read_context(one.context, *request.memory, point.loaded().schema.get(), one.action);
    if (!context) return std::nullopt;
    request.context = *context;
    return point.decide(request, scratch_);
  }

  void compare(const policy::DecisionPoint& before, const policy::DecisionPoint& after,
               Recorded one) {
    ++recasting_.requests;
    if (!one.is_whole) {
      ++recasting_.not_decidable;
      return;
    }
    const auto old_one = decide(before, one);
    const auto new_one = decide(after, one);
    if (!old_one || !new_one) {
      ++recasting_.not_decidable;
      return;
    }
    if (old_one->is_allowed != one.was_allowed) ++recasting_.differ_from_record;
    if (old_one->is_allowed == new_one->is_allowed) return;
    ++recasting_.changed;
    AccessChange& change = changes_[{one.principal, one.action, one.resource, new_one->is_allowed,
                                     old_one->policies, new_one->policies}];
    change.last = change.requests == 0 ? one.when : std::max(change.last, one.when);
    if (change.requests++ > 0) return;
    change.first = std::move(one);
    change.before = *old_one;
    change.after = *new_one;
  }

  using Key = std::tuple<policy::EntityUid, policy::EntityUid, policy::EntityUid, bool,
                         std::vector<std::string>, std::vector<std::string>>;

  const RecastParts& parts_;
  States states_;
  std::int64_t last_entry_ = 0;
  policy::Authorizer::Scratch scratch_;
  std::map<Key, AccessChange> changes_;
  Recasting recasting_;
};

}  // namespace

Result<void> each_recorded(db::Database& database, const RecordedPeriod& period,
                           const std::function<Result<void>(Recorded)>& take) {
  const auto asked = database.scan(
      "SELECT entry, body FROM decision WHERE time >= $1 AND time < $2 ORDER BY entry",
      {period.from.us, period.until.us});
  if (!asked) return std::unexpected(asked.error());
  db::Statement& statement = **asked;
  while (true) {
    const auto row = statement.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    const auto record = json::parse(statement.text(1));
    auto one = record ? read_recorded(*record) : std::nullopt;
    if (!one) return damaged(statement.integer(0));
    one->entry = statement.integer(0);
    if (auto taken = take(*std::move(one)); !taken) return taken;
  }
}

Result<Recasting> recast(const RecastParts& parts) {
  return Recaster(parts).run();
}

}  // namespace mailwarden::access
