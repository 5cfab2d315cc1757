#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/value.h"
#include "tests/policy/described_schema.h"

namespace mailwarden::policy {
namespace {

using testing::HasSubstr;

Result<Schema> schema_of_json(const std::string& json) {
  return resolved(parse_schema_json(json));
}

// {"A": {..}} with one entity type U, of which `inside` is said.
std::string entity_type(const std::string& inside) {
  return R"({"A":{"entityTypes":{"U":{)" + inside + R"(}},"actions":{"r":{}},)" +
         R"("commonTypes":{"R":{"type":"Record","attributes":{}},"T":{"type":"Long"}}}})";
}
std::string tags(const std::string& type) {
  return entity_type(R"("tags":{)" + type + "}");
}
std::string action(const std::string& inside) {
  return R"({"A":{"entityTypes":{"U":{}},"actions":{"s":{},"r":{)" + inside + "}}}}";
}

// What is taken, and beside it what is not.
struct Pair {
  const char* name;
  std::string taken;
  std::string refused;
  const char* why;
};

class SchemaJson : public testing::TestWithParam<Pair> {};

TEST_P(SchemaJson, IsTakenOrRefused) {
  const auto taken = schema_of_json(GetParam().taken);
  EXPECT_TRUE(taken) << taken.error().what;
  const auto refused = schema_of_json(GetParam().refused);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_THAT(refused.error().what, HasSubstr(GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(
    Namespaces, SchemaJson,
    testing::Values(
        Pair{"AreAnObject", "{}", "[]", "an object of namespaces"},
        Pair{"HaveEntityTypes", R"({"":{"entityTypes":{},"actions":{}}})", R"({"":{"actions":{}}})",
             "'entityTypes' must be an object"},
        Pair{"HaveActions", R"({"A":{"entityTypes":{},"actions":{},"commonTypes":{}}})",
             R"({"A":{"entityTypes":{}}})", "'actions' must be an object"},
        Pair{"HaveNoMore", R"({"A":{"entityTypes":{},"actions":{},"annotations":{"a":"b"}}})",
             R"({"A":{"entityTypes":{},"actions":{},"x":{}}})", "no member 'x'"},
        Pair{"NullIsNoObject", R"({"A":{"entityTypes":{},"actions":{},"commonTypes":{}}})",
             R"({"A":{"entityTypes":{},"actions":{},"commonTypes":null}})", "must be an object"},
        Pair{"TheEmptyOneHasNoAnnotations", R"({"":{"entityTypes":{},"actions":{}}})",
             R"({"":{"entityTypes":{},"actions":{},"annotations":{"a":"b"}}})",
             "has no annotations"},
        Pair{"NamesArePaths", R"({"A::B":{"entityTypes":{},"actions":{}}})",
             R"({"A :: B":{"entityTypes":{},"actions":{}}})", "no name of a namespace"},
        Pair{"NamesAreNotCedars", R"({"x__cedar":{"entityTypes":{},"actions":{}}})",
             R"({"__cedar":{"entityTypes":{},"actions":{}}})", "no name of a namespace"},
        Pair{"EachStandsOnce", R"({"A":{"entityTypes":{},"actions":{}}})",
             R"({"A":{"entityTypes":{},"actions":{}},"A":{"entityTypes":{},"actions":{}}})",
             "twice"},
        Pair{"ShadowsAreRefused",
             R"({"":{"entityTypes":{"U":{}},"actions":{}},"A":{"entityTypes":{},"actions":{}}})",
             R"({"":{"entityTypes":{"U":{}},"actions":{}},)"
             R"("A":{"entityTypes":{"U":{}},"actions":{}}})",
             "hides"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Entities, SchemaJson,
    testing::Values(
        Pair{"AreObjects", entity_type(""), R"({"A":{"entityTypes":{"U":null},"actions":{}}})",
             "an object was expected"},
        Pair{"NamesAreIdentifiers", R"({"A":{"entityTypes":{"permit":{}},"actions":{}}})",
             R"({"A":{"entityTypes":{"B::U":{}},"actions":{}}})", "no name of a type"},
        Pair{"NamesAreNotReserved", R"({"A":{"entityTypes":{"Long":{}},"actions":{}}})",
             R"({"A":{"entityTypes":{"if":{}},"actions":{}}})", "no name of a type"},
        Pair{"MembersAreKnown", entity_type(R"("annotations":{"a":null})"),
             entity_type(R"("foo":1)"),
             "namespace 'A': entityTypes: 'U': there is no member 'foo' here"},
        Pair{"ParentsAreAList", entity_type(R"("memberOfTypes":["U","A::U"])"),
             entity_type(R"("memberOfTypes":null)"), "'memberOfTypes' must be a list"},
        Pair{"ParentsAreTypes", entity_type(R"("memberOfTypes":[])"),
             entity_type(R"("memberOfTypes":[" U"])"), "must hold types"},
        Pair{"ChoicesAreStrings", entity_type(R"("enum":["a","a"])"),
             entity_type(R"("enum":["a",1])"), "must hold strings"},
        Pair{"ChoicesAreSome", entity_type(R"("enum":["a"],"annotations":{"b":""})"),
             entity_type(R"("enum":[])"), "'enum' is empty"},
        Pair{"ChoicesStandAlone", entity_type(R"("enum":["a"])"),
             entity_type(R"("enum":["a"],"memberOfTypes":[])"), "no member 'memberOfTypes'"},
        Pair{"ChoicesAreNotNull", entity_type(R"("enum":["a"])"), entity_type(R"("enum":null)"),
             "no member 'enum'"},
        Pair{"ShapesAreRecords", entity_type(R"("shape":{"type":"Record","attributes":{}})"),
             entity_type(R"("shape":{"type":"Long"})"), "must be a record"},
        Pair{"ShapesMayBeCommonTypes", entity_type(R"("shape":{"type":"R"})"),
             entity_type(R"("shape":{"type":"T"})"), "must be a record"},
        Pair{"AnnotationsAreStrings", entity_type(R"("annotations":{"if":"x"})"),
             entity_type(R"("annotations":{"a":1})"), "must be a string or null"},
        Pair{"AnnotationsAreIdentifiers", entity_type(R"("annotations":{"__cedar":"x"})"),
             entity_type(R"("annotations":{"a b":"x"})"), "annotation 'a b' has no name"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    TypesOfTags, SchemaJson,
    testing::Values(
        Pair{"HaveAType", tags(R"("type":"String")"), tags(R"("name":"U")"),
             "'type' must be a string"},
        Pair{"AreObjects", tags(R"("type":"Long")"), entity_type(R"("tags":null)"), "is an object"},
        Pair{"MembersAreKnown", tags(R"("type":"Boolean")"), tags(R"("type":"Long","name":"x")"),
             "no member 'name'"},
        Pair{"RequiredIsOfAttributes", tags(R"("type":"Bool")"),
             tags(R"("type":"Long","required":true)"), "no member 'required'"},
        Pair{"SetsHaveAnElement", tags(R"("type":"Set","element":{"type":"Long"})"),
             tags(R"("type":"Set")"), "element: a type is an object"},
        Pair{"ElementsHaveNoAnnotations", tags(R"("type":"Set","element":{"type":"T"})"),
             tags(R"("type":"Set","element":{"type":"T","annotations":{}})"),
             "no member 'annotations'"},
        Pair{"RecordsHaveAttributes", tags(R"("type":"Record","attributes":{})"),
             tags(R"("type":"Record")"), "'attributes' must be an object"},
        Pair{"RecordsAreClosed",
             tags(R"("type":"Record","attributes":{},"additionalAttributes":false)"),
             tags(R"("type":"Record","attributes":{},"additionalAttributes":true)"),
             "can only be false"},
        Pair{"RequiredIsATruth",
             tags(R"("type":"Record","attributes":{"a b":{"type":"Long","required":false}})"),
             tags(R"("type":"Record","attributes":{"a b":{"type":"Long","required":null}})"),
             "attribute 'a b': 'required' must be true or false"},
        Pair{"AttributesStandOnce",
             tags(R"("type":"Record","attributes":{"a":{"type":"T","annotations":{"d":"e"}}})"),
             tags(R"("type":"Record","attributes":{"a":{"type":"T"},"a":{"type":"T"}})"), "twice"},
        Pair{"EntitiesAreDeclared", tags(R"("type":"Entity","name":"U")"),
             tags(R"("type":"Entity","name":"V")"), "'V' is not declared"},
        Pair{"EntitiesAreNoCommonTypes", tags(R"("type":"Entity","name":"Action")"),
             tags(R"("type":"Entity","name":"T")"), "'T' is not declared"},
        Pair{"EntitiesAreNotCedars", tags(R"("type":"Entity","name":"A::U")"),
             tags(R"("type":"Entity","name":"__cedar::Long")"), "not declared"},
        Pair{"EntitiesHaveAName", tags(R"("type":"Entity","name":"U")"),
             tags(R"("type":"Entity","name":"U ")"), "'name' must name a type"},
        Pair{"ExtensionsAreKnown", tags(R"("type":"Extension","name":"datetime")"),
             tags(R"("type":"Extension","name":"ip")"), "no type 'ip'"},
        Pair{"ExtensionsAreNoPrimitives", tags(R"("type":"Extension","name":"ipaddr")"),
             tags(R"("type":"Extension","name":"Long")"), "no type 'Long'"},
        Pair{"ExtensionsHaveNoPath", tags(R"("type":"Extension","name":"decimal")"),
             tags(R"("type":"Extension","name":"__cedar::ipaddr")"), "no type '__cedar::ipaddr'"},
        Pair{"EitherIsOneOfBoth", tags(R"("type":"EntityOrCommon","name":"U")"),
             tags(R"("type":"EntityOrCommon","name":"Boolean")"), "not declared"},
        Pair{"EitherMayBeCedars", tags(R"("type":"EntityOrCommon","name":"__cedar::ipaddr")"),
             tags(R"("type":"EntityOrCommon","name":"__cedar::Boolean")"), "not declared"},
        Pair{"OtherWordsAreCommonTypes", tags(R"("type":"A::T")"), tags(R"("type":"U")"),
             "'U' is not declared"},
        Pair{"OrCedarsOwn", tags(R"("type":"ipaddr")"), tags(R"("type":"__cedar::Set")"),
             "not declared"},
        Pair{"OrNothing", tags(R"("type":"__cedar::Bool")"), tags(R"("type":"if")"),
             "type 'if' is none"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Actions, SchemaJson,
    testing::Values(
        Pair{"MembersAreKnown", action(R"("appliesTo":null,"memberOf":null,"attributes":null)"),
             action(R"("x":{})"), "no member 'x'"},
        Pair{"AttributesAreNone", action(R"("annotations":{"a":"b"})"),
             action(R"("attributes":{})"), "actions have no attributes"},
        Pair{"ParentsAreObjects", action(R"("memberOf":[{"id":"s"},{"id":"s"}])"),
             action(R"("memberOf":["s"])"), "memberOf: an object was expected"},
        Pair{"ParentsHaveAType", action(R"("memberOf":[{"id":"s","type":"A::Action"}])"),
             action(R"("memberOf":[{"id":"s","type":"A::Foo"}])"), "above"},
        Pair{"TypesOfParentsArePaths", action(R"("memberOf":[{"id":"s","type":"Action"}])"),
             action(R"("memberOf":[{"id":"s","type":"A::if"}])"), "'type' must be a type"},
        Pair{"ParentsHaveAnId", action(R"("memberOf":[{"id":"s","type":null}])"),
             action(R"("memberOf":[{"type":"Action"}])"), "'id' must be a string"},
        Pair{"ParentsAreNotThemselves", action(R"("memberOf":[])"),
             action(R"("memberOf":[{"id":"r"}])"), "above itself"},
        Pair{"PrincipalsAreNeeded",
             action(R"("appliesTo":{"principalTypes":[],"resourceTypes":["U"]})"),
             action(R"("appliesTo":{"resourceTypes":[]})"), "'principalTypes' must be a list"},
        Pair{"ResourcesAreNeeded",
             action(R"("appliesTo":{"principalTypes":["U","U"],"resourceTypes":[]})"),
             action(R"("appliesTo":{"principalTypes":[]})"), "'resourceTypes' must be a list"},
        Pair{"PrincipalsAreNoActions",
             action(R"("appliesTo":{"principalTypes":["A::U"],"resourceTypes":["U"]})"),
             action(R"("appliesTo":{"principalTypes":["Action"],"resourceTypes":["U"]})"),
             "'Action' is not declared"},
        Pair{"ContextIsARecord",
             action(R"("appliesTo":{"principalTypes":["U"],"resourceTypes":["U"],)"
                    R"("context":{"type":"Record","attributes":{}}})"),
             action(R"("appliesTo":{"principalTypes":["U"],"resourceTypes":["U"],)"
                    R"("context":{"type":"Long"}})"),
             "must be a record"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    CommonTypes, SchemaJson,
    testing::Values(
        Pair{"HaveAnnotations",
             R"({"A":{"entityTypes":{},"actions":{},)"
             R"("commonTypes":{"T":{"type":"Long","annotations":{"a":"b"}}}}})",
             R"({"A":{"entityTypes":{},"actions":{},)"
             R"("commonTypes":{"T":{"type":"Long","required":true}}}})",
             "no member 'required'"},
        Pair{"NamesAreNotReserved",
             R"({"A":{"entityTypes":{},"actions":{},"commonTypes":{"ipaddr":{"type":"Long"}}}})",
             R"({"A":{"entityTypes":{},"actions":{},"commonTypes":{"Bool":{"type":"Long"}}}})",
             "reserved"},
        Pair{"AreNotMadeOfThemselves",
             R"({"A":{"entityTypes":{},"actions":{},"commonTypes":{"ipaddr":{"type":"Extension",)"
             R"("name":"ipaddr"}}}})",
             R"({"A":{"entityTypes":{},"actions":{},"commonTypes":{"T":{"type":"T"}}}})",
             "made of itself"}),
    [](const auto& info) { return info.param.name; });

// What is to be said in both.
constexpr std::string_view both_text = R"(
@doc("all of it") namespace A {
  @doc entity U in [G, B::V] { "a b"?: Set<{ c: Bool }>, @doc("own") l: L } tags ipaddr;
  entity G enum ["x", "\n"];
  type L = __cedar::Long;
  action "read it" in [all, B::Action::"any"] appliesTo {
    principal: [U, G], resource: U, context: { who: U, when: datetime }
  };
  action all;
}
namespace B { entity V; action any; })";

TEST(SchemaJsonText, SaysWhatTextSays) {
  const auto text = parse_schema(both_text);
  ASSERT_TRUE(text) << text.error().what;
  const auto json = parse_schema_json(print_schema_json(*text));
  ASSERT_TRUE(json) << json.error().what;
  EXPECT_EQ(described(resolved(json)), described(resolved(text)));
  EXPECT_THAT(described(resolved(text)), HasSubstr("A::U in A::G in B::V {\"a b\"?: "));
  EXPECT_EQ(print_schema_json(*json), print_schema_json(*text));
}

TEST(SchemaJsonText, IsIndentedAndComplete) {
  const auto fragment = parse_schema(
      R"(@a type T = {}; entity U in U { b?: T } tags Set<U>; action r in s; @c("d") action s;)");
  ASSERT_TRUE(fragment);
  const auto expected = json::parse(R"({"": {
    "commonTypes": {"T": {"type": "Record", "attributes": {}, "annotations": {"a": null}}},
    "entityTypes": {"U": {
      "memberOfTypes": ["U"],
      "shape": {"type": "Record", "attributes": {
        "b": {"type": "EntityOrCommon", "name": "T", "required": false}}},
      "tags": {"type": "Set", "element": {"type": "EntityOrCommon", "name": "U"}}}},
    "actions": {"r": {"memberOf": [{"id": "s"}]}, "s": {"annotations": {"c": "d"}}}}})");
  EXPECT_EQ(print_schema_json(*fragment), json::to_pretty_text(*expected) + "\n");
}

TEST(SchemaJsonText, KeepsEveryForm) {
  for (const char* type :
       {R"("type":"Boolean")", R"("type":"Long")", R"("type":"String")", R"("type":"T")",
        R"("name":"ipaddr","type":"Extension")", R"("name":"U","type":"Entity")",
        R"("name":"T","type":"EntityOrCommon")", R"("element":{"type":"T"},"type":"Set")",
        R"("attributes":{"a":{"required":false,"type":"T"}},"type":"Record")"}) {
    const auto fragment = parse_schema_json(tags(type));
    ASSERT_TRUE(fragment) << type;
    EXPECT_EQ(json::parse(print_schema_json(*fragment)), json::parse(tags(type)));
  }
}

TEST(SchemaJsonLimits, HoldForTypesItemsAndBytes) {
  const auto nested = [](std::size_t levels) {
    std::string type = R"("type":"Long")";
    for (std::size_t i = 1; i < levels; ++i) {
      type = R"("type":"Record","attributes":{"a":{)" + type + "}}";
    }
    return tags(type);
  };
  EXPECT_TRUE(parse_schema_json(nested(100)));
  const auto refused = parse_schema_json(nested(101));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("deeper in one another than 100 levels"));
  EXPECT_FALSE(parse_schema_json(nested(2000)));
  EXPECT_TRUE(parse_schema_json(entity_type(R"("memberOfTypes":["U","U"])"), {.items_max = 4}));
  EXPECT_FALSE(parse_schema_json(entity_type(R"("memberOfTypes":["U","U"])"), {.items_max = 3}));
  EXPECT_FALSE(parse_schema_json(entity_type(""), {.bytes_max = 10}));
}

}  // namespace
}  // namespace mailwarden::policy
