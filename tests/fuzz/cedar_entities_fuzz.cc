// Any text as entities and as a context, with a schema and without. What is read keeps to the
// schema, its ancestors are complete, and its values can be written and read again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "policy/conform.h"
#include "policy/entity_json.h"

namespace {

using namespace mailwarden;
using namespace mailwarden::policy;

template <class T>
void check_refusal(const Result<T>& read) {
  CHECK(read || !read.error().what.empty());
}

const Schema& schema() {
  static const Schema made = *Schema::resolve(*parse_schema(
      "entity User in [Group] {a?: Long, s?: String, b?: {c: String, d?: ipaddr}, u?: User,"
      " i?: ipaddr, n?: decimal, t?: datetime, l?: duration, m?: Set<ipaddr>, e?: Color}"
      " tags Set<Long>; entity Group in [Group]; entity Color enum [\"red\"];"
      "action all; action read in [all] appliesTo {principal: User, resource: Group,"
      " context: {a?: Bool, u?: User, i?: ipaddr, m?: Set<decimal>, r?: {t: datetime}}};"));
  return made;
}

void check_value(const Value& value) {
  Memory memory;
  const std::string text = json::to_text(to_json(value));
  const auto again = read_value(*json::parse(text, {.depth_max = 400}), memory);
  CHECK(again);
  CHECK(equal(*again, value));
  CHECK(to_text(*again) == to_text(value));
}

void check_entities(const Entities& entities, const Schema* known) {
  for (std::uint32_t number = 0; number < entities.size(); ++number) {
    const Entities::Entity& one = entities[number];
    const EntityName& name = entities.name(number);
    CHECK(entities.find(name.type, name.id) == &name);
    CHECK(type_is_valid(name.type));
    check_value(one.attributes);
    check_value(one.tags);
    const auto above = entities.ancestors(number);
    CHECK(std::ranges::is_sorted(above));
    for (const std::uint32_t parent : above) {
      CHECK(parent != number);
      CHECK(entities.is_below(number, parent) && !entities.is_below(parent, number));
      for (const std::uint32_t higher : entities.ancestors(parent)) {
        CHECK(std::ranges::binary_search(above, higher));
      }
    }
    if (known == nullptr || !one.is_defined) continue;
    std::vector<const EntityName*> parents;
    for (const std::uint32_t parent : above) parents.push_back(&entities.name(parent));
    CHECK(conforms(name, one.attributes, one.tags, parents, *known));
  }
}

void read_all(const std::string& text, const Schema* known) {
  const auto entities = read_entities(text, known);
  check_refusal(entities);
  if (entities) check_entities(*entities, known);
}

void read_one(const std::string& text) {
  const auto json = json::parse(text);
  if (!json) return;
  for (const Schema* known : {static_cast<const Schema*>(nullptr), &schema()}) {
    Memory memory;
    const auto context = read_context(*json, memory, known, {"Action", "read"});
    check_refusal(context);
    if (context) check_value(*context);
  }
  const auto uid = read_uid(*json);
  check_refusal(uid);
  if (uid) CHECK(*read_uid(to_json(*uid)) == *uid);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  read_all(text, nullptr);
  read_all(text, &schema());
  read_one(text);
  return 0;
}
