#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policy/described_schema.h"

namespace mailwarden::policy {
namespace {

using testing::HasSubstr;

// {"A": {..}, "": {..}} with what is said of A's U, A's common types and the empty namespace's.
std::string json_of(const std::string& entity, const std::string& types,
                    const std::string& outside = "") {
  return R"({"A":{"entityTypes":{"U":{)" + entity + R"(}},"actions":{"r":{}},"commonTypes":{)" +
         types + R"(}},"":{"entityTypes":{},"actions":{},"commonTypes":{)" + outside + "}}}";
}

TEST(PrintSchema, LaysOutEveryKindOfDeclaration) {
  const auto fragment = parse_schema(
      R"(entity U; action "a b", if_;
         @doc("x") namespace A::B { entity C enum ["a","\"b"]; entity E in [E,C] {} tags U;
         @one @two("2") entity F in E { a?:Set<{"b c":Long}>, @k("v") "if":{} } ;
         type T=Set<Set<Bool>>; action r; action s in [r,Action::"r"] appliesTo
         { principal:E, resource:[E,F], context:{t:T} }; })");
  ASSERT_TRUE(fragment) << fragment.error().what;
  const auto text = print_schema(*fragment);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, R"(entity U;
action "a b";
action if_;

@doc("x")
namespace A::B {
  type T = Set<Set<Bool>>;
  entity C enum ["a", "\"b"];
  entity E in [E, C] {} tags U;

  @one
  @two("2")
  entity F in E {
    a?: Set<{
      "b c": Long,
    }>,
    @k("v")
    "if": {},
  };

  action r;

  action s in [r, Action::"r"] appliesTo {
    principal: E,
    resource: [E, F],
    context: {
      t: T,
    },
  };
}
)");
  const auto again = parse_schema(*text);
  ASSERT_TRUE(again);
  EXPECT_EQ(print_schema(*again), text);
  EXPECT_EQ(described(resolved(again)), described(resolved(fragment)));
}

struct PrintCase {
  const char* name;
  std::string json;
  const char* part;  // of the text
};

class PrintSchemaJson : public testing::TestWithParam<PrintCase> {};

TEST_P(PrintSchemaJson, MeansTheSame) {
  const auto fragment = parse_schema_json(GetParam().json);
  const auto schema = resolved(fragment);
  ASSERT_TRUE(schema) << schema.error().what;
  const auto text = print_schema(*fragment);
  ASSERT_TRUE(text) << text.error().what;
  EXPECT_THAT(*text, HasSubstr(GetParam().part));
  EXPECT_EQ(described(resolved(parse_schema(*text))), described(*schema)) << *text;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, PrintSchemaJson,
    testing::Values(
        PrintCase{"NothingIsNothing", "{}", ""},
        PrintCase{"PrimitivesArePlain", json_of(R"("tags":{"type":"Boolean"})", ""), "tags Bool;"},
        PrintCase{"PrimitivesAreCedarsBesideAnEntity",
                  R"({"A":{"entityTypes":{"Long":{"tags":{"type":"Long"}}},"actions":{}}})",
                  "entity Long tags __cedar::Long;"},
        PrintCase{"ExtensionsAreCedarsBesideACommonType",
                  json_of(R"("tags":{"type":"Extension","name":"ipaddr"})",
                          R"("ipaddr":{"type":"Long"})"),
                  "tags __cedar::ipaddr;"},
        PrintCase{"CommonWordsAreCedarsBesideAnEntity",
                  R"({"A":{"entityTypes":{"ipaddr":{"tags":{"type":"ipaddr"}}},"actions":{}}})",
                  "entity ipaddr tags __cedar::ipaddr;"},
        PrintCase{"CommonTypesComeBeforeEntities",
                  json_of(R"("tags":{"type":"U"})", R"("U":{"type":"Long"})"), "tags U;"},
        PrintCase{"ActionsOfTheNamespaceHideATypeOutside",
                  json_of(R"("tags":{"type":"Entity","name":"Action"})", "",
                          R"("Action":{"type":"Long"})"),
                  "tags Action;"},
        PrintCase{
            "ShapesOfCommonTypesAreWrittenOut",
            json_of(R"("shape":{"type":"R"})",
                    R"("R":{"type":"S"},"S":{"type":"Record","attributes":{"a":{"type":"T"}}},)"
                    R"("T":{"type":"Long"})"),
            "entity U {\n    a: T,\n  };"},
        PrintCase{"ShapesFromElsewhereNameTheirTypesInFull",
                  R"({"A":{"entityTypes":{"U":{"shape":{"type":"B::R"}}},"actions":{}},)"
                  R"("B":{"entityTypes":{"V":{}},"actions":{},"commonTypes":{"R":{"type":"Record",)"
                  R"("attributes":{"v":{"type":"Entity","name":"V"},"w":{"type":"Long"}}}}}})",
                  "entity U {\n    v: B::V,\n    w: Long,\n  };"},
        PrintCase{"WithoutResourcesThereAreNoRequests",
                  R"({"A":{"entityTypes":{"U":{}},"actions":{"r":{"appliesTo":)"
                  R"({"principalTypes":["U"],"resourceTypes":[]}}}}})",
                  "action r;"},
        PrintCase{"NamesThatAreNoIdentifiersAreQuoted",
                  R"({"":{"entityTypes":{},"actions":{"":{},"if":{"memberOf":)"
                  R"([{"id":"é\n"}]},"é\n":{}}}})",
                  "action \"if\" in \"é\\n\";"}),
    [](const auto& info) { return info.param.name; });

TEST(PrintSchema, RefusesWhatOnlyJsonTells) {
  const auto fragment = parse_schema_json(
      json_of(R"("tags":{"type":"Entity","name":"U"})", R"("U":{"type":"Long"})"));
  ASSERT_TRUE(resolved(fragment));
  const auto text = print_schema(*fragment);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Code::conflict);
  EXPECT_EQ(text.error().what,
            "'A::U': 'U' stands for one type of two that have the name, which only JSON can say");
}

TEST(PrintSchema, RefusesAShapeThatIsNoRecord) {
  for (const char* types : {R"("R":{"type":"Long"})", R"("R":{"type":"R"})"}) {
    const auto fragment = parse_schema_json(json_of(R"("shape":{"type":"R"})", types));
    ASSERT_TRUE(fragment);
    EXPECT_FALSE(print_schema(*fragment));
  }
}

TEST(PrintSchema, LimitsWhatIsWrittenOut) {
  // 2,000 shapes of 1,000 attributes each.
  std::string entities;
  for (int i = 0; i < 2000; ++i) {
    entities += (i == 0 ? "" : ",") + ("\"E" + std::to_string(i)) + R"(":{"shape":{"type":"R"}})";
  }
  std::string attributes;
  for (int i = 0; i < 1000; ++i) {
    attributes += (i == 0 ? "" : ",") + ("\"a" + std::to_string(i)) + R"(":{"type":"Long"})";
  }
  const auto fragment =
      parse_schema_json(R"({"":{"entityTypes":{)" + entities + R"(},"actions":{},"commonTypes":)" +
                        R"({"R":{"type":"Record","attributes":{)" + attributes + "}}}}}");
  ASSERT_TRUE(fragment) << fragment.error().what;
  const auto text = print_schema(*fragment);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Code::full);
}

}  // namespace
}  // namespace mailwarden::policy
