// Which incidents belong together because they name the same account, address, host or campaign.
#include <algorithm>

#include "incident/incident.h"
#include "incident/incident_json.h"
#include "incident/incident_parts.h"

namespace mailwarden::incident {
namespace {

// Those by which a link may find others.
std::vector<detect::Entity> linking(const LinkRule& link, const Grouping& grouping,
                                    std::vector<detect::Entity> entities) {
  std::erase_if(entities, [&](const detect::Entity& one) {
    return std::ranges::find(link.by, one.kind) == link.by.end() || grouping.is_shared(one);
  });
  return entities;
}

std::string same(const LinkRule& link, const detect::Entity& entity) {
  return "the same " + entity.kind + ", by '" + link.name + "'";
}

}  // namespace

void IncidentBook::name(Incident& incident, const Entities& entities, Entities& fresh) {
  for (const detect::Entity& one : entities) {
    if (incident.named.size() >= named_max) return;
    if (!incident.named.insert(one).second) continue;
    by_named_[one].insert(incident.number);
    fresh.push_back(one);
  }
}

// Open incidents near in time that name it; none where too many do, since it says nothing then.
std::vector<std::int64_t> IncidentBook::linked(const LinkRule& link, const detect::Entity& entity,
                                               const detect::Detection& detection,
                                               std::int64_t besides) const {
  std::vector<std::int64_t> found;
  const auto named = by_named_.find(entity);
  if (named == by_named_.end()) return found;
  for (const std::int64_t number : named->second) {
    if (number == besides) continue;
    if (!is_near(incidents_.at(number), detection.time, link.within)) continue;
    if (std::ssize(found) == link.incidents_max) return {};
    found.push_back(number);
  }
  return found;
}

// From then on it is about what the detection is about, too, and split() gives that back.
Incident* IncidentBook::find_linked(std::vector<Change>& changes,
                                    const detect::Detection& detection, const Group& group,
                                    Timestamp now) {
  for (const LinkRule& link : grouping_->links()) {
    if (link.then != LinkRule::Then::join || !fits(link.filter, detection, group.type)) continue;
    for (const detect::Entity& entity : linking(link, *grouping_, entities_of(detection))) {
      const auto numbers = linked(link, entity, detection, 0);
      if (numbers.empty()) continue;
      Incident& incident = incidents_.at(numbers.back());
      const detect::Entity& other = group.key.front();
      if (other != incident.entity && !incident.others.contains(other)) {
        if (incident.others.size() >= others_max) continue;
        incident.others.insert(other);
        by_entity_[other].insert(incident.number);
        Change& change = add(changes, incident, now, "linked",
                             detection.title + " names " + same(link, entity) + ": " + entity.name);
        change.after = {{"entity", entity_json(other)}, {"link", link.name}};
      }
      return &incident;
    }
  }
  return nullptr;
}

void IncidentBook::relate(std::vector<Change>& changes, Incident& incident,
                          const detect::Detection& detection, std::string_view type,
                          const Entities& fresh, Timestamp now) {
  if (fresh.empty()) return;
  const auto tell = [&](Incident& one, const Incident& other, const LinkRule& link,
                        const detect::Entity& entity) {
    const std::string why = same(link, entity);
    if (one.related.size() >= related_max || !one.related.emplace(other.number, why).second) return;
    Change& change = add(changes, one, now, "related", why + ": " + entity.name);
    change.after = {{"incident", other.number}, {"link", link.name}};
  };
  for (const LinkRule& link : grouping_->links()) {
    if (link.then != LinkRule::Then::relate || !fits(link.filter, detection, type)) continue;
    for (const detect::Entity& entity : linking(link, *grouping_, fresh)) {
      for (const std::int64_t number : linked(link, entity, detection, incident.number)) {
        Incident& other = incidents_.at(number);
        tell(incident, other, link, entity);
        tell(other, incident, link, entity);
      }
    }
  }
}

}  // namespace mailwarden::incident
