#include "policy/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policy/described_schema.h"

namespace mailwarden::policy {
namespace {

using testing::HasSubstr;

Result<Schema> schema_of(const std::string& text) {
  return resolved(parse_schema(text));
}

// A rule of the language, a schema that keeps it and one that does not.
struct Rule {
  const char* name;
  const char* kept;
  const char* broken;
  const char* why;  // part of what is said of the broken one
};

class SchemaRule : public testing::TestWithParam<Rule> {};

TEST_P(SchemaRule, IsKeptOrNamed) {
  const auto kept = schema_of(GetParam().kept);
  EXPECT_TRUE(kept) << kept.error().what;
  const auto broken = schema_of(GetParam().broken);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::invalid);
  EXPECT_THAT(broken.error().what, HasSubstr(GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(
    Namespaces, SchemaRule,
    testing::Values(
        Rule{"NamesArePaths", "namespace A::B { entity U; }", "namespace A::if {}", "namespace"},
        Rule{"CedarsOwnIsReserved", "namespace x::cedar__ {}", "namespace A::__cedar {}",
             "'__cedar'"},
        Rule{"EachStandsOnce", "namespace A { entity U; } namespace B { entity U; }",
             "namespace A {} namespace A {}", "'A' is declared twice"},
        Rule{"NoneStandsInAnother", "namespace A {} namespace A::B {}",
             "namespace A { namespace B {} }", "'entity', 'action', 'type'"},
        Rule{"NamesOfOthersAreWrittenInFull",
             "namespace A { entity V; } namespace B { entity U { a: A::V }; }",
             "namespace A { entity V; } namespace B { entity U { a: V }; }", "'V' is not declared"},
        Rule{"TheOneAroundIsAnother",
             "namespace A { entity V; } namespace A::B { entity U { a: A::V }; }",
             "namespace A { entity V; } namespace A::B { entity U { a: V }; }",
             "'V' is not declared"},
        Rule{"PathsBeginAtTheTop",
             "namespace A { entity U { a: A::B::V }; } namespace A::B { entity V; }",
             "namespace A { entity U { a: B::V }; } namespace A::B { entity V; }",
             "'B::V' is not declared"},
        Rule{"OwnNamesNeedNoPath", "namespace A { entity U { a: V }; entity V; }",
             "entity U { a: V }; namespace A { entity V; }", "'V' is not declared"},
        Rule{"TheEmptyOneIsSeenFromAll",
             "entity V; namespace A { entity U in V { a: V }; "
             "action r appliesTo { principal: V, resource: U }; }",
             "namespace A { entity U in V; }", "'V' is not declared"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Shadows, SchemaRule,
    testing::Values(Rule{"TypeOfType",
                         "namespace A { type id = Long; } namespace A::B { type id = Long; }",
                         "type id = Long; namespace A { type id = Long; }", "'A::id' hides 'id'"},
                    Rule{"TypeOfEntity", "entity id; namespace A { type other = Long; }",
                         "entity id; namespace A { type id = Long; }", "'A::id' hides 'id'"},
                    Rule{"EntityOfType", "type id = Long; namespace A { entity other; }",
                         "type id = Long; namespace A { entity id; }", "'A::id' hides 'id'"},
                    Rule{"EntityOfEntity",
                         "namespace A { entity id; } namespace A::B { entity id; }",
                         "entity id; namespace A { entity id; }", "'A::id' hides 'id'"},
                    Rule{"ActionOfAction", "action id; namespace A { entity id; }",
                         "action id; namespace A { action id; }", "the action 'id' of 'A' hides"},
                    Rule{"ActionsHideNoTypes", "entity id; namespace A { action id; }",
                         "action id; namespace A { action other, id; }", "hides"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Entities, SchemaRule,
    testing::Values(
        Rule{"EachStandsOnce", "entity A, B;", "entity A, A;", "'A' is declared twice"},
        Rule{"ADeclarationEnds", "entity U;", "entity U", "';' was expected"},
        Rule{"NamesAreNotReserved", "entity permit, principal, entity, Set, Long, Record;",
             "entity is;", "an entity type's name"},
        Rule{"NoneIsNamedAction", "entity Actions;", "entity Action;", "what actions are"},
        Rule{"NoneIsNamedActionInANamespace", "namespace A { entity Actions; }",
             "namespace A { entity Action; }", "what actions are"},
        Rule{"ParentsAreDeclared", "entity U in [U, V]; entity V;", "entity U in V;",
             "'V' is not declared"},
        Rule{"ParentsAreNoCommonTypes", "entity U in V; entity V;", "entity U in V; type V = Long;",
             "'V' is not declared"},
        Rule{"ParentsAreNoActions", "entity U { a: Action }; action r;",
             "entity U in Action; action r;", "'Action' is not declared"},
        Rule{"ParentsMayBeNone", "entity U in [];", "entity U in;", "an entity type"},
        Rule{"ListsEndWithoutComma", "entity U in [U, V]; entity V;", "entity U in [U,];",
             "an entity type"},
        Rule{"ShapesAreWrittenOut", "entity U = { a: T }; type T = {};",
             "entity U = T; type T = {};", "'{'"},
        Rule{"ShapeBeforeTags", "entity U { a: Long } tags Long;",
             "entity U tags Long { a: Long };", "';'"},
        Rule{"TagsAreOfAnyType", "entity U tags Set<{ a: U }>;", "entity U tags T;",
             "'T' is not declared"},
        Rule{"ChoicesAreStrings", R"(entity U enum ["a", "a b"];)", "entity U enum [a];",
             "an id in quotes"},
        Rule{"ChoicesAreSome", R"(entity U enum ["a"];)", "entity U enum [];", "an id in quotes"},
        Rule{"ChoicesEndWithoutComma", R"(entity U enum ["a", "a"];)", R"(entity U enum ["a",];)",
             "an id in quotes"},
        Rule{"EnumeratedTypesMayBeParents", R"(entity U enum ["a"]; entity V in U;)",
             R"(entity U in U enum ["a"];)", "';'"},
        Rule{"EnumeratedTypesHaveNoTags", R"(entity U enum ["a"]; entity V tags U;)",
             R"(entity U enum ["a"] tags Long;)", "';'"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    TypesOfAttributes, SchemaRule,
    testing::Values(
        Rule{"AreDeclared", "entity U { a: U };", "entity U { a: V };", "'V' is not declared"},
        Rule{"BooleanIsBool", "entity U { a: Bool };", "entity U { a: Boolean };",
             "'Boolean' is not declared"},
        Rule{"BooleanMayBeAnEntity", "entity Boolean { a: Boolean };",
             "entity Bool { a: __cedar::Boolean };", "'__cedar::Boolean' is not declared"},
        Rule{"CedarHasItsOwn",
             "entity U { a: __cedar::Long, b: __cedar::String, c: __cedar::Bool, "
             "d: __cedar::ipaddr, e: __cedar::decimal, f: __cedar::datetime, "
             "g: __cedar::duration };",
             "entity U { a: __cedar::U };", "'__cedar::U' is not declared"},
        Rule{"CedarsOwnStandNowhereElse", "namespace A { entity U { a: Long }; }",
             "namespace A { entity U { a: A::Long }; }", "'A::Long' is not declared"},
        Rule{"SetsHaveAnElement", "entity Set { a: Set<Set>, b: Set<Set<Long>> };",
             "entity U { a: Set };", "'Set' is not declared"},
        Rule{"ActionsNeedOneToBeThere", "namespace A { entity U { a: Action }; action r; }",
             "namespace A { entity U { a: Action }; } namespace B { action r; }",
             "'Action' is not declared"},
        Rule{"NamesAreNotReserved", R"(entity U { "if": Long, __cedar: Long, permit: Long };)",
             "entity U { if: Long };", "an attribute's name"},
        Rule{"ACommaMayEndARecord", "entity U { a: Long, };", "entity U { , };",
             "an attribute's name"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    CommonTypes, SchemaRule,
    testing::Values(
        Rule{"EachStandsOnce", "type T = Long; entity T;", "type T = Long; type T = Long;",
             "'T' is declared twice"},
        Rule{"MayNameOneAnother", "type T = { a: S }; type S = Set<R>; type R = Long;",
             "type T = { a: S }; type S = Set<R>; type R = T;", "is made of itself"},
        Rule{"AreNotMadeOfThemselves", "type T = __cedar::Long;", "type T = T;",
             "'T' is made of itself"},
        Rule{"HideTheEntityOfTheirName", "namespace A { type U = Long; entity U { a: U }; }",
             "namespace A { type U = U; entity U; }", "'A::U' is made of itself"},
        Rule{"HideAnExtension", "type ipaddr = __cedar::ipaddr;", "type ipaddr = ipaddr;",
             "'ipaddr' is made of itself"},
        Rule{"LongIsReserved", "entity Long;", "type Long = String;", "reserved"},
        Rule{"BooleanIsReserved", "type EntityOrCommon = Long;",
             "namespace A { type Boolean = Long; }", "reserved"},
        Rule{"SetIsReserved", "entity Set;", "type Set = Long;", "reserved"},
        Rule{"RecordIsReserved", "entity Record;", "type Record = Long;", "reserved"},
        Rule{"EntityIsReserved", "entity Entity;", "type Entity = Long;", "reserved"},
        Rule{"ExtensionIsReserved", "entity Extension;", "type Extension = Long;", "reserved"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Actions, SchemaRule,
    testing::Values(
        Rule{"EachStandsOnce", R"(action r, "r s";)", "action r, r;", "'r' is declared twice"},
        Rule{"NamesAreNotReserved", R"(action "if", permit, __cedar;)", "action if;",
             "an action's name"},
        Rule{"ParentsAreDeclared", R"(action r in [s, "t", Action::"u"]; action s, t, u;)",
             "action r in s;", "\"s\", above"},
        Rule{"ParentsAreNotThemselves", "action r in s; action s in t; action t;",
             "action r in s; action s in t; action t in r;", "is above itself"},
        Rule{"ParentsElsewhereAreWrittenInFull",
             R"(action r in A::Action::"s"; namespace A { action s; })",
             R"(namespace B { action r in Action::"s"; } namespace A { action s; })", "above"},
        Rule{"PathsOfParentsBeginAtTheTop",
             R"(namespace A { action r in A::B::Action::"s"; } namespace A::B { action s; })",
             R"(namespace A { action r in B::Action::"s"; } namespace A::B { action s; })",
             "above"},
        Rule{"ParentsOutsideNeedNoPath", "namespace A { action r in s; } action s;",
             "action r in s; namespace A { action s; }", "above"},
        Rule{"ParentsAreActions", R"(action r in Action::"U"; action U; entity U;)",
             R"(entity Foo; action r in Foo::"s";)", "above"},
        Rule{"ParentsInFullHaveAnId", R"(action r in Action::"s"; action s;)",
             "action r in Action::s; action s;", "an action's id in quotes"},
        Rule{"ParentsAreSome", "action r in [s]; action s;", "action r in []; action s;",
             "an action"},
        Rule{"ParentsEndWithoutComma", "action r in [s, s]; action s;",
             "action r in [s,]; action s;", "an action"},
        Rule{"PrincipalsAreNeeded",
             "entity U; action r appliesTo { resource: U, principal: [U, U], };",
             "entity U; action r appliesTo { resource: U };", "names its principal"},
        Rule{"ResourcesAreNeeded", "entity U; action r appliesTo { principal: U, resource: U };",
             "entity U; action r appliesTo { principal: U };", "its resource"},
        Rule{"SomethingIsSaid", "action r;", "action r appliesTo {};", "names its principal"},
        Rule{"PrincipalsAreSome", "entity U; action r appliesTo { principal: [U], resource: U };",
             "entity U; action r appliesTo { principal: [], resource: U };", "is empty"},
        Rule{"PrincipalsAreSaidOnce",
             "entity U; action r appliesTo { principal: U, resource: U, context: {} };",
             "entity U; action r appliesTo { principal: U, principal: U, resource: U };",
             "'principal' stands twice"},
        Rule{"PrincipalsAreDeclared", "entity U; action r appliesTo { principal: U, resource: U };",
             "entity U; action r appliesTo { principal: V, resource: U };", "'V' is not declared"},
        Rule{"PrincipalsAreNoCommonTypes",
             "entity U; type T = Long; action r appliesTo { principal: U, resource: U };",
             "entity U; type T = U; action r appliesTo { principal: T, resource: U };",
             "'T' is not declared"},
        Rule{"PrincipalsAreNoActions",
             "entity U; action r appliesTo { principal: U, resource: U };",
             "entity U; action r appliesTo { principal: U, resource: Action };",
             "'Action' is not declared"},
        Rule{"ContextIsARecord",
             "entity U; type C = {}; action r appliesTo { principal: U, resource: U, context: C };",
             "entity U; action r appliesTo { principal: U, resource: U, context: Long };",
             "must be a record"},
        Rule{"ContextIsNoEntity",
             "entity U; action r appliesTo { principal: U, resource: U, context: {} };",
             "entity U; action r appliesTo { principal: U, resource: U, context: U };",
             "must be a record"},
        Rule{"AttributesOfActionsAreNone", "action r attributes {};",
             "action r attributes { a: 1 };", "'}'"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Annotations, SchemaRule,
    testing::Values(
        Rule{"StandOnDeclarationsAndAttributes",
             R"(@a("x") @if namespace A { @a entity U { @b("") c: Long }; @d action r; )"
             R"(@e type T = U; })",
             R"(entity U; action r appliesTo { @a principal: U, resource: U };)",
             "'principal', 'resource' or 'context'"},
        Rule{"EachStandsOnce", "@a @b entity U;", "@a @a entity U;", "'a' stands twice"},
        Rule{"HaveAString", R"(@a("\u{1F600}") entity U;)", "@a(b) entity U;", "a string"},
        Rule{"StandBeforeSomething", "@a entity U;", "@a", "'entity', 'action'"}),
    [](const auto& info) { return info.param.name; });

struct SchemaCase {
  const char* name;
  const char* text;
  const char* expected;
};

class ResolvedSchema : public testing::TestWithParam<SchemaCase> {};

TEST_P(ResolvedSchema, IsWhatTheTextSays) {
  EXPECT_EQ(described(schema_of(GetParam().text)), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ResolvedSchema,
    testing::Values(
        SchemaCase{"NothingIsASchema", "// nothing", ""},
        SchemaCase{"TheExampleOfTheManual",
                   R"(namespace Demo {
                  entity Host { ip: ipaddr, bandwidth: decimal };
                  entity String { groups: Set<__cedar::String> };
                  type ipaddr = { repr: String, isV4: Bool };
                })",
                   "Demo::Host {bandwidth: decimal, ip: {isV4: Bool, repr: Demo::String}}\n"
                   "Demo::String {groups: Set<String>}\n"},
        SchemaCase{"CommonTypesComeBeforeEntities",
                   "type T = Long; entity T; namespace A { entity U { a: T }; }",
                   "A::U {a: Long}\nT\n"},
        SchemaCase{"EntitiesComeBeforeCedarsTypes",
                   "entity Long; entity U { a: Long, b: __cedar::Long };",
                   "Long\nU {a: Long, b: Long}\n"},
        SchemaCase{"ActionsOfTheNamespaceComeBeforeTypesOutside",
                   "type Action = Long; namespace A { action r; entity U { a: Action }; }",
                   "A::U {a: A::Action}\nA::Action::\"r\"\n"},
        SchemaCase{"TypesOfTheNamespaceComeBeforeItsActions",
                   "namespace A { type Action = Long; action r; entity U { a: Action }; }",
                   "A::U {a: Long}\nA::Action::\"r\"\n"},
        SchemaCase{"AncestorsAreComplete", "entity A in B; entity B in [C, B]; entity C;",
                   "A in B in C\nB in B in C\nC\n"},
        SchemaCase{"AncestorsMayBeInACircle", "entity A in B; entity B in A;",
                   "A in A in B\nB in A in B\n"},
        SchemaCase{"ActionsHaveAncestors", R"(action a in b; action b in N::Action::"c d";
                                        namespace N { action "c d"; })",
                   "Action::\"a\" in Action::\"b\" in N::Action::\"c d\"\n"
                   "Action::\"b\" in N::Action::\"c d\"\nN::Action::\"c d\"\n"},
        SchemaCase{"ManyNamesShareADeclaration",
                   R"(entity A, B in A { x?: Bool } tags B; action p, q appliesTo
                { principal: [A, B], resource: A, context: { "a b": A } };)",
                   "A in A {x?: Bool} tags B\nB in A {x?: Bool} tags B\n"
                   "Action::\"p\" by A by B to A with {\"a b\": A}\n"
                   "Action::\"q\" by A by B to A with {\"a b\": A}\n"},
        SchemaCase{"ChoicesAreASet", R"(entity C enum ["b", "a", "b"];)", "C is a is b\n"},
        SchemaCase{"OfTwoAttributesTheLastCounts",
                   R"(entity U { a: Long, b: Long, "a"?: String };)", "U {a?: String, b: Long}\n"}),
    [](const auto& info) { return info.param.name; });

TEST(Schema, TellsWhatItKnows) {
  const auto schema = schema_of(
      R"(namespace A { entity U in G; entity G; entity C enum ["x"]; action r in s; action s; })");
  ASSERT_TRUE(schema);
  EXPECT_TRUE(schema->knows({"A::U", "anyone"}));
  EXPECT_FALSE(schema->knows({"U", "anyone"}));
  EXPECT_TRUE(schema->knows({"A::C", "x"}));
  EXPECT_FALSE(schema->knows({"A::C", "y"}));
  EXPECT_TRUE(schema->knows({"A::Action", "r"}));
  EXPECT_FALSE(schema->knows({"A::Action", "t"}));
  EXPECT_TRUE(schema->is_action_type("A::Action"));
  EXPECT_FALSE(schema->is_action_type("Action"));
  EXPECT_TRUE(schema->may_be_in("A::U", "A::G"));
  EXPECT_FALSE(schema->may_be_in("A::G", "A::U"));
  EXPECT_TRUE(schema->may_be_in("A::Action", "A::Action"));
  EXPECT_EQ(schema->entity("A::V"), nullptr);
  EXPECT_EQ(schema->action({"A::Action", "r"})->parents.size(), 1U);
}

// T0 = T1, T1 = T2, ... so that as many types stand in one another as there are names.
std::string chain(std::size_t types, bool is_backward) {
  std::string text;
  for (std::size_t i = 0; i < types; ++i) {
    const std::string one = "type T" + std::to_string(i) + " = " +
                            (i + 1 < types ? "T" + std::to_string(i + 1) : "Long") + ";\n";
    text.insert(is_backward ? 0 : text.size(), one);
  }
  return text;
}

TEST(SchemaLimits, CommonTypesStandSoDeepInOneAnotherInAnyOrder) {
  for (const bool is_backward : {false, true}) {
    EXPECT_TRUE(schema_of(chain(Schema::nesting_max, is_backward)));
    const auto refused = schema_of(chain(Schema::nesting_max + 1, is_backward));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("deeper in one another than 1000 levels"));
  }
  EXPECT_FALSE(schema_of(chain(20'000, false)));
}

TEST(SchemaLimits, RecordsOfCommonTypesCountWithThem) {
  std::string text = "type T0 = Long;\n";
  for (int i = 1; i <= 500; ++i) {
    text += "type T" + std::to_string(i) + " = {a: T" + std::to_string(i - 1) + "};\n";
  }
  EXPECT_FALSE(schema_of(text));
}

TEST(SchemaLimits, TypesStandSoDeepInOneAnother) {
  const auto nested = [](std::size_t levels) {
    std::string text = "type T = ";
    for (std::size_t i = 1; i < levels; ++i) text += "Set<";
    return text + "Long" + std::string(levels - 1, '>') + ";";
  };
  EXPECT_TRUE(parse_schema(nested(100)));
  const auto refused = parse_schema(nested(101));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("deeper in one another than 100 levels"));
  EXPECT_FALSE(parse_schema(nested(100), {.nesting_max = 99}));
}

TEST(SchemaLimits, ItemsCountForEachNameOfADeclaration) {
  const std::string text = "entity A, B, C { a: Long, b: Long };";
  EXPECT_TRUE(parse_schema(text, {.items_max = 11}));
  const auto refused = parse_schema(text, {.items_max = 10});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("more than 10 types and list items"));
}

TEST(SchemaLimits, AncestorsAreCounted) {
  std::string text = "entity E0;\n";
  for (int i = 1; i < 1500; ++i) {
    text += "entity E" + std::to_string(i) + " in E" + std::to_string(i - 1) + ";\n";
  }
  const auto refused = schema_of(text);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("1000000 ancestors"));
}

TEST(SchemaLimits, TextsHaveALengthAndAreUtf8) {
  EXPECT_TRUE(parse_schema("entity U;", {.bytes_max = 9}));
  EXPECT_FALSE(parse_schema("entity U;", {.bytes_max = 8}));
  EXPECT_FALSE(parse_schema("// \xff"));
}

TEST(SchemaErrors, TellThePlace) {
  const auto refused = parse_schema("entity U {\n  a: Long,\n  b Long\n};");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, "line 3, column 5: 'Long' where ':' was expected");
}

// The name of Cedar's own namespace is no type; the forms of JSON refuse it, too.
TEST(Schema, CedarsNamespaceIsNoType) {
  EXPECT_TRUE(parse_schema("entity U {a: __cedar::Long};"));
  for (const char* text : {"entity U {a: __cedar};", "entity U {a: Set<__cedar>};",
                           "type T = __cedar;", "entity U tags __cedar;"}) {
    const auto refused = parse_schema(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_THAT(refused.error().what, HasSubstr("'__cedar' where a type was expected")) << text;
  }
}

}  // namespace
}  // namespace mailwarden::policy
