// Entities and contexts as JSON (Cedar 4.5, "Entities and context syntax"): what is read with and
// without a schema, and what is refused.
#include <gtest/gtest.h>

#include "policy/conform.h"
#include "tests/policy/given.h"

namespace mailwarden::policy {
namespace {

std::string entity(const std::string& attrs, const std::string& parents = "[]",
                   const std::string& more = "",
                   const std::string& uid = R"("type":"User","id":"a")") {
  return R"([{"uid":{)" + uid + R"(},"attrs":)" + attrs + R"(,"parents":)" + parents + more + "}]";
}

// The attributes of User::"a", as Cedar writes them.
std::string attributes(const std::string& json, const Schema* schema = nullptr) {
  const auto made = entities(json, schema);
  return to_text((*made)[made->find("User", "a")->number].attributes);
}

struct Read {
  const char* name;
  const char* json;
  const char* value;
};

TEST(EntityJson, ValuesWithoutASchema) {
  const std::vector<Read> cases{
      {"truth", "true", "true"},
      {"number", "-7", "-7"},
      {"the largest number", "9223372036854775807", "9223372036854775807"},
      {"the smallest number", "-9223372036854775808", "-9223372036854775808"},
      {"string", R"("\u00e9\n")", "\"\xc3\xa9\\n\""},
      {"what looks like an address", R"("10.0.0.1")", R"("10.0.0.1")"},
      {"set", "[2, 1, 2]", "[1, 2]"},
      {"record", R"({"b": 1, "a": {}})", R"({"a": {}, "b": 1})"},
      {"entity", R"({"__entity": {"type": "A::B", "id": "x"}})", R"(A::B::"x")"},
      {"what looks like an entity", R"({"type": "A", "id": "x"})", R"({"id": "x", "type": "A"})"},
      {"address", R"({"__extn": {"fn": "ip", "arg": "10.0.0.0/8"}})", R"(ip("10.0.0.0/8"))"},
      {"decimal", R"({"__extn": {"fn": "decimal", "arg": "33.57"}})", R"(decimal("33.57"))"},
      {"duration", R"({"__extn": {"fn": "duration", "arg": "1h"}})", R"(duration("3600000ms"))"},
      {"datetime", R"({"__extn": {"fn": "datetime", "arg": "2024-10-15"}})",
       R"(datetime("2024-10-15T00:00:00.000Z"))"},
      {"entities in a set", R"([{"__entity": {"type": "A", "id": "x"}}])", R"([A::"x"])"}};
  for (const Read& one : cases) {
    EXPECT_EQ(attributes(entity(R"({"v":)" + std::string(one.json) + "}")),
              R"({"v": )" + std::string(one.value) + "}")
        << one.name;
  }
}

TEST(EntityJson, TheShapeOfAnEntity) {
  const auto made = entities(R"( [ {
      "uid": {"__entity": {"type": "User", "id": "a"}}, "attrs": {"n": 1},
      "parents": [{"type": "G", "id": "1"}, {"__entity": {"type": "G", "id": "2"}}],
      "tags": {"t": [1]}},
    {"uid": {"type": "G", "id": "1"}, "attrs": {}, "parents": []} ] )");
  const EntityName* const a = made->find("User", "a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(to_text((*made)[a->number].tags), R"({"t": [1]})");
  EXPECT_EQ(made->ancestors(a->number).size(), 2U);
  EXPECT_EQ(made->defined(), 2U);
  EXPECT_EQ(entities("[]")->size(), 0U);
  EXPECT_EQ(entities(" [ ] ")->size(), 0U);
}

struct RefusedEntities {
  const char* name;
  std::string json;
  const char* says;
};

void expect_entities_refused(const std::vector<RefusedEntities>& cases,
                             const Schema* schema = nullptr) {
  for (const RefusedEntities& one : cases) {
    const auto made = read_entities(one.json, schema);
    ASSERT_FALSE(made) << one.name;
    EXPECT_NE(made.error().what.find(one.says), std::string::npos)
        << one.name << ": " << made.error().what;
  }
}

TEST(EntityJson, WhatNoEntitiesAre) {
  const std::string plain = R"({"uid":{"type":"U","id":"a"},"attrs":{},"parents":[]})";
  const std::string changed = R"({"uid":{"type":"U","id":"a"},"attrs":{"x":1},"parents":[]})";
  expect_entities_refused({
      {"nothing", "", "a JSON array"},
      {"an object", "{}", "a JSON array"},
      {"an array without an end", "[", "a JSON array"},
      {"an array of numbers", "[1]", "entity 1: an entity is an object"},
      {"no JSON", "[{]", "entity 1"},
      {"a comma at the end", "[" + plain + ",]", "ends with a ','"},
      {"a comma alone", "[,]", "entity 1"},
      {"no comma", "[" + plain + plain + "]", "entity 1"},
      {"more behind the array", "[" + plain + "] 1", "a JSON array"},
      {"no uid", R"([{"attrs":{},"parents":[]}])", "'uid'"},
      {"a uid without an id", entity("{}", "[]", "", R"("type":"U")"), "a 'type' and an 'id'"},
      {"a uid with more", entity("{}", "[]", "", R"("type":"U","id":"a","x":1)"),
       "a 'type' and an 'id'"},
      {"a uid that is a text", R"([{"uid":"U::\"a\"","attrs":{},"parents":[]}])",
       "a 'type' and an 'id'"},
      {"an escaped uid with more",
       R"([{"uid":{"__entity":{"type":"U","id":"a"},"x":1},"attrs":{},"parents":[]}])",
       "a 'type' and an 'id'"},
      {"a type with white space", entity("{}", "[]", "", R"("type":"User ","id":"a")"),
       "'User ' is no entity type"},
      {"a reserved type", entity("{}", "[]", "", R"("type":"__cedar::U","id":"a")"),
       "no entity type"},
      {"no attrs", R"([{"uid":{"type":"U","id":"a"},"parents":[]}])", "'attrs'"},
      {"attrs that are a list", entity("[]"), "'attrs'"},
      {"no parents", R"([{"uid":{"type":"U","id":"a"},"attrs":{}}])", "'parents'"},
      {"parents that are an object", entity("{}", "{}"), "'parents'"},
      {"a parent without a type", entity("{}", R"([{"id":"x"}])"), "'parents': an entity has"},
      {"tags that are a list", entity("{}", "[]", R"(,"tags":[])"), "'tags'"},
      {"a member that is not known", entity("{}", "[]", R"(,"parent":[])"), "no 'parent'"},
      {"the same twice, and different", "[" + plain + "," + changed + "]", "entity 2"},
      {"a circle", entity("{}", R"([{"type":"User","id":"a"}])"), "its own ancestor"},
  });
  EXPECT_EQ(entities("[" + plain + "," + plain + "]")->size(), 1U);
}

TEST(EntityJson, ValuesThatCedarDoesNotHave) {
  const std::vector<RefusedEntities> values{
      {"null", "null", "'v': null is no value"},
      {"a fraction", "1.5", "'v': Cedar has whole numbers"},
      {"a number with a point", "1.0", "whole numbers"},
      {"a number with an exponent", "1e2", "whole numbers"},
      {"beyond 64 bits", "9223372036854775808", "whole numbers of 64 bits"},
      {"below 64 bits", "-9223372036854775809", "whole numbers of 64 bits"},
      {"null in a set", "[1, null]", "null is no value"},
      {"null in a record", R"({"w": null})", "'v': 'w': null"},
      {"an old escape", R"({"__expr": "1"})", "__expr"},
      {"an entity without an id", R"({"__entity": {"type": "A"}})", "a 'type' and an 'id'"},
      {"an entity's id that is a number", R"({"__entity": {"type": "A", "id": 1}})",
       "a 'type' and an 'id'"},
      {"an extension without an argument", R"({"__extn": {"fn": "ip"}})", "'arg'"},
      {"an extension without a function", R"({"__extn": {"arg": "::1"}})", "'fn'"},
      {"an extension with more", R"({"__extn": {"fn": "ip", "arg": "::1", "x": 1}})", "alone"},
      {"an extension of no such function", R"({"__extn": {"fn": "foo", "arg": "::1"}})", "'foo'"},
      {"an extension by a method", R"({"__extn": {"fn": "isIpv4", "arg": "::1"}})", "'isIpv4'"},
      {"an extension that is a text", R"({"__extn": "ip"})", "'__extn'"},
      {"no address", R"({"__extn": {"fn": "ip", "arg": "10.0.0.256"}})",
       "\"10.0.0.256\" is no ipaddr"},
      {"no datetime", R"({"__extn": {"fn": "datetime", "arg": "2023-02-29"}})", "no datetime"},
      {"an offset of one", R"({"__extn": {"fn": "offset", "args": [1]}})", "'args'"},
      {"an offset of numbers", R"({"__extn": {"fn": "offset", "args": [1, 2]}})", "'offset'"}};
  for (const RefusedEntities& one : values) {
    expect_entities_refused(
        {{one.name, entity(R"({"v":)" + one.json + "}"), one.says},
         {one.name, entity("{}", "[]", R"(,"tags":{"v":)" + one.json + "}"), one.says}});
  }
  expect_entities_refused(
      {{"a member twice", entity(R"({"v":1,"v":1})"), "entity 1"},
       {"a member twice by an escape", entity(R"({"v":1,"\u0076":1})"), "entity 1"},
       {"attrs twice", entity("{}", "[]", R"(,"attrs":{})"), "entity 1"}});
}

std::shared_ptr<const Schema> people_schema() {
  return schema(R"(
    entity User in [Group] {
      age?: Long, name?: String, boss?: User, home?: ipaddr, score?: decimal, at?: datetime,
      lasts?: duration, of?: {city: String, home?: ipaddr}, homes?: Set<ipaddr>,
      friends?: Set<User>, color?: Color
    } tags Set<String>;
    entity Must { age: Long };
    entity Group in [Group];
    entity Color enum ["red", "blue"];
    action all;
    action write in [all];
    action read in [write] appliesTo {
      principal: User, resource: Group,
      context: {mfa: Bool, source?: ipaddr, who?: User, when?: datetime}
    };
  )");
}

TEST(EntityJson, ASchemaTellsWhatAnEscapeWould) {
  const auto known = people_schema();
  const std::vector<Read> cases{
      {"address", R"({"home": "10.0.0.1"})", R"({"home": ip("10.0.0.1/32")})"},
      {"address with its function", R"({"home": {"fn": "ip", "arg": "::1"}})",
       R"({"home": ip("0:0:0:0:0:0:0:1/128")})"},
      {"address with its escape", R"({"home": {"__extn": {"fn": "ip", "arg": "10.0.0.1"}}})",
       R"({"home": ip("10.0.0.1/32")})"},
      {"decimal", R"({"score": "1.5"})", R"({"score": decimal("1.5")})"},
      {"datetime", R"({"at": "1970-01-01"})", R"({"at": datetime("1970-01-01T00:00:00.000Z")})"},
      {"duration", R"({"lasts": "1s"})", R"({"lasts": duration("1000ms")})"},
      {"entity", R"({"boss": {"type": "User", "id": "b"}})", R"({"boss": User::"b"})"},
      {"entity with its escape", R"({"boss": {"__entity": {"type": "User", "id": "b"}}})",
       R"({"boss": User::"b"})"},
      {"in a set", R"({"homes": ["10.0.0.2", "10.0.0.1"]})",
       R"({"homes": [ip("10.0.0.1/32"), ip("10.0.0.2/32")]})"},
      {"entities in a set", R"({"friends": [{"type": "User", "id": "b"}]})",
       R"({"friends": [User::"b"]})"},
      {"in a record", R"({"of": {"city": "10.0.0.1", "home": "10.0.0.1"}})",
       R"({"of": {"city": "10.0.0.1", "home": ip("10.0.0.1/32")}})"},
      {"enumerated", R"({"color": {"type": "Color", "id": "red"}})", R"({"color": Color::"red"})"},
      {"a text stays one", R"({"name": "10.0.0.1"})", R"({"name": "10.0.0.1"})"}};
  for (const Read& one : cases) {
    EXPECT_EQ(attributes(entity(one.json), known.get()), one.value) << one.name;
  }
}

TEST(EntityJson, EntitiesThatDoNotFitTheSchema) {
  const auto known = people_schema();
  const auto uid = [](const std::string& type, const std::string& id) {
    return R"("type":")" + type + R"(","id":")" + id + "\"";
  };
  const std::string all = R"([{"type":"Action","id":"all"}])";
  const std::string write = R"([{"type":"Action","id":"write"}])";
  expect_entities_refused(
      {{"an attribute that is not declared", entity(R"({"foo": 1})"),
        "entity 1: User::\"a\": 'foo' is not declared"},
       {"an attribute of another type", entity(R"({"age": "1"})"), "'age': \"1\" is no Long"},
       {"an entity of another type", entity(R"({"boss": {"type": "Group", "id": "g"}})"),
        "'boss': Group::\"g\" is no User"},
       {"no address", entity(R"({"home": "10.0.0"})"), "'home': \"10.0.0\" is no ipaddr"},
       {"another extension", entity(R"({"home": {"__extn": {"fn": "decimal", "arg": "1.0"}}})"),
        "'home': decimal(\"1.0\") is no ipaddr"},
       {"a set's member of another type", entity(R"({"homes": [1]})"), "1 is no ipaddr"},
       {"a record without what it needs", entity(R"({"of": {}})"), "'of': 'city' is missing"},
       {"a record with more", entity(R"({"of": {"city": "x", "zip": 1}})"),
        "'of': 'zip' is not declared"},
       {"a required attribute that is missing", entity("{}", "[]", "", uid("Must", "a")),
        "'age' is missing"},
       {"an enumerated entity that is none", entity(R"({"color": {"type": "Color", "id": "x"}})"),
        "Color::\"x\" is none of those"},
       {"one of an enumerated type that is none", entity("{}", "[]", "", uid("Color", "x")),
        "none of those"},
       {"an enumerated entity with attributes",
        entity(R"({"a": 1})", "[]", "", uid("Color", "red")), "'a' is not declared"},
       {"a type that is not declared", entity("{}", "[]", "", uid("Foo", "a")),
        "'Foo' is not declared"},
       {"a parent that may not be", entity("{}", R"([{"type":"User","id":"b"}])"),
        "may not stand under User::\"b\""},
       {"a parent of no declared type", entity("{}", R"([{"type":"Foo","id":"b"}])"),
        "may not stand under"},
       {"a tag of another type", entity("{}", "[]", R"(,"tags":{"t":"x"})"), "the tag 't'"},
       {"tags where there are none",
        entity("{}", "[]", R"(,"tags":{"t":["x"]})", uid("Group", "g")), "no tags"},
       {"an action that is not declared", entity("{}", "[]", "", uid("Action", "gone")),
        "not declared"},
       {"an action with attributes", entity(R"({"a": 1})", write, "", uid("Action", "read")),
        "neither attributes nor tags"},
       {"an action with tags", entity("{}", write, R"(,"tags":{"t":1})", uid("Action", "read")),
        "neither attributes nor tags"},
       {"an action without its parents", entity("{}", "[]", "", uid("Action", "read")),
        "ancestors"},
       {"an action with another parent", entity("{}", all, "", uid("Action", "read")), "ancestors"},
       {"an action with more parents",
        entity("{}", R"([{"type":"Action","id":"write"},{"type":"Action","id":"read"}])", "",
               uid("Action", "write")),
        "ancestors"}},
      known.get());
  EXPECT_TRUE(read_entities(entity("{}", write, "", uid("Action", "read")), known.get()));
  EXPECT_TRUE(read_entities(entity("{}", "[]", R"(,"tags":{"t":["x"]})"), known.get()));
  EXPECT_TRUE(read_entities(entity("{}", "[]", "", uid("Color", "red")), known.get()));
}

TEST(EntityJson, ActionsOfTheSchemaStandAmongTheEntities) {
  const auto known = people_schema();
  const auto made = entities("[]", known.get());
  const EntityName* const read = made->find("Action", "read");
  ASSERT_NE(read, nullptr);
  EXPECT_TRUE((*made)[read->number].is_defined);
  EXPECT_TRUE(made->is_below(read->number, made->find("Action", "all")->number));
  EXPECT_EQ(made->defined(), 3U);
}

TEST(EntityJson, Contexts) {
  const auto known = people_schema();
  Memory memory;
  const EntityUid read{"Action", "read"};
  const auto context = [&](const std::string& json, const Schema* schema,
                           const EntityUid& action) -> std::string {
    const auto made = read_context(must(json::parse(json)), memory, schema, action);
    return made ? to_text(*made) : "! " + made.error().what;
  };
  EXPECT_EQ(context(R"({"mfa": true, "source": "10.0.0.1"})", known.get(), read),
            R"({"mfa": true, "source": ip("10.0.0.1/32")})");
  EXPECT_EQ(context(R"({"source": "10.0.0.1"})", nullptr, read), R"({"source": "10.0.0.1"})");
  EXPECT_EQ(context(R"({"who": {"type": "User", "id": "a"}})", known.get(), read),
            R"({"who": User::"a"})");
  EXPECT_EQ(context("{}", known.get(), {"Action", "gone"}),
            "! the action Action::\"gone\" is not declared");
  EXPECT_TRUE(context("[]", nullptr, read).starts_with("! a context is"));
  EXPECT_TRUE(context(R"({"__extn": {"fn": "ip", "arg": "::1"}})", nullptr, read)
                  .starts_with("! a context is"));
  EXPECT_TRUE(context(R"({"a": null})", nullptr, read).starts_with("! 'a'"));
}

TEST(EntityJson, RequestsThatDoNotFitTheSchema) {
  const auto known = people_schema();
  const auto fits = [&](const char* principal, const char* action, const char* resource,
                        const char* context) {
    return refusal(conforms(request(principal, action, resource, context), *known));
  };
  const char* const user = R"(User::"a")";
  const char* const read = R"(Action::"read")";
  const char* const group = R"(Group::"g")";
  EXPECT_EQ(fits(user, read, group, R"({"mfa": true})"), "");
  EXPECT_EQ(fits(user, read, group, "{}"), "context: 'mfa' is missing");
  EXPECT_EQ(fits(user, read, group, R"({"mfa": 1})"), "context: 'mfa': 1 is no Bool");
  EXPECT_EQ(fits(user, read, group, R"({"mfa": true, "x": 1})"), "context: 'x' is not declared");
  EXPECT_EQ(fits(group, read, group, R"({"mfa": true})"),
            "Action::\"read\" is not for a principal of type Group");
  EXPECT_EQ(fits(user, read, user, R"({"mfa": true})"),
            "Action::\"read\" is not for a resource of type User");
  EXPECT_NE(fits(user, R"(Action::"all")", group, "{}"), "");
  EXPECT_EQ(fits(user, R"(Action::"gone")", group, "{}"),
            "the action Action::\"gone\" is not declared");
  EXPECT_NE(fits(R"(Foo::"a")", read, group, R"({"mfa": true})").find("principal: "),
            std::string::npos);
  EXPECT_NE(fits(user, read, R"(Color::"green")", R"({"mfa": true})").find("resource: "),
            std::string::npos);
}

TEST(EntityJson, ValuesAreWrittenAsTheyAreRead) {
  const std::vector<const char*> cases{
      "true",
      "-9223372036854775808",
      R"("x\n")",
      R"([1,"a"])",
      R"({"a":{"b":[]}})",
      R"({"__entity":{"id":"x","type":"A"}})",
      R"({"__extn":{"arg":"1.5","fn":"decimal"}})",
      R"({"__extn":{"arg":"10.0.0.0/8","fn":"ip"}})",
      R"({"__extn":{"arg":"5ms","fn":"duration"}})",
      R"({"__extn":{"arg":"2024-10-15T01:02:03.004Z","fn":"datetime"}})",
      R"({"__extn":{"args":[{"__extn":{"arg":"1970-01-01","fn":"datetime"}},)"
      R"({"__extn":{"arg":"9223372036854775807ms","fn":"duration"}}],"fn":"offset"}})"};
  for (const char* text : cases) {
    Memory memory;
    const Value value = must(read_value(must(json::parse(text)), memory));
    EXPECT_EQ(json::to_text(to_json(value)), text);
  }
}

TEST(EntityJson, Limits) {
  EXPECT_TRUE(read_entities("[]", nullptr, {.bytes_max = 2}));
  EXPECT_FALSE(read_entities("[ ]", nullptr, {.bytes_max = 2}));
  const std::string two = R"([{"uid":{"type":"U","id":"a"},"attrs":{},"parents":[]},)"
                          R"({"uid":{"type":"U","id":"b"},"attrs":{},"parents":[]}])";
  EXPECT_TRUE(read_entities(two, nullptr, {.entities_max = 2}));
  const auto more = read_entities(two, nullptr, {.entities_max = 1});
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Code::full);
  EXPECT_FALSE(read_entities(entity(R"({"v":)" + std::string(100'000, '[') + "}"), nullptr));
}

}  // namespace
}  // namespace mailwarden::policy
