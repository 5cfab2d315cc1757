#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "identity/people_index.h"

namespace mailwarden::identity {
namespace {

using Edges = std::map<const Group*, std::vector<const Group*>>;

Edges members_of(const std::map<DirectoryKey, Group>& groups) {
  std::map<DirectoryKey, const Group*> by_email;
  for (const auto& [key, group] : groups) {
    if (group.email) by_email[{key.provider, group.email->value}] = &group;
  }
  Edges members;
  for (const auto& [key, group] : groups) {
    if (!group.members) continue;
    for (const Member& member : group.members->value) {
      if (member.kind != MemberKind::group) continue;
      const auto found = groups.find({key.provider, member.id});
      const auto named = by_email.find({key.provider, member.email});
      if (found != groups.end()) {
        members[&group].push_back(&found->second);
      } else if (member.id.empty() && named != by_email.end()) {
        members[&group].push_back(named->second);
      }
    }
  }
  return members;
}

Edges turned(const Edges& edges) {
  Edges back;
  for (const auto& [from, all] : edges) {
    for (const Group* const to : all) back[to].push_back(from);
  }
  return back;
}

// Takes from `left` all that no chain of edges from itself leads to.
void peel(std::set<const Group*>& left, const Edges& edges) {
  std::map<const Group*, std::size_t> leading;
  for (const Group* const from : left) {
    const auto all = edges.find(from);
    if (all == edges.end()) continue;
    for (const Group* const to : all->second) leading[to] += left.contains(to) ? 1U : 0U;
  }
  std::vector<const Group*> free;
  for (const Group* const one : left) {
    if (leading[one] == 0) free.push_back(one);
  }
  while (!free.empty()) {
    const Group* const one = free.back();
    free.pop_back();
    left.erase(one);
    const auto all = edges.find(one);
    if (all == edges.end()) continue;
    for (const Group* const to : all->second) {
      if (left.contains(to) && --leading[to] == 0) free.push_back(to);
    }
  }
}

}  // namespace

std::set<DirectoryKey> groups_in_circles(const std::map<DirectoryKey, Group>& groups) {
  const Edges members = members_of(groups);
  std::set<const Group*> left;
  for (const auto& [from, all] : members) {
    left.insert(from);
    left.insert(all.begin(), all.end());
  }
  // What nothing leads into, and then what leads nowhere.
  peel(left, members);
  peel(left, turned(members));
  std::set<DirectoryKey> circles;
  for (const Group* const group : left) circles.insert(group->key);
  return circles;
}

}  // namespace mailwarden::identity
