// Policies and a schema of files and folders.
#include "policy/load_policies.h"

#include <gtest/gtest.h>

#include "policy/policy_json.h"
#include "tests/policy/given.h"
#include "tests/temporary.h"

namespace mailwarden::policy {
namespace {

class LoadPolicies : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) {
    write_file(folder_.path(name), text);
  }
  Result<Loaded> load() const { return load_policies({.paths = {folder_.path()}}); }
  std::string mistakes() const {
    const auto loaded = load();
    return loaded ? "" : loaded.error().what;
  }
  static std::vector<std::string> ids(const Loaded& loaded) {
    std::vector<std::string> all;
    for (const Policy& one : loaded.policies->policies()) all.push_back(one.id);
    return all;
  }

  TemporaryFolder folder_;
};

constexpr const char* permit = "permit(principal, action, resource);\n";
constexpr const char* small_schema =
    "entity User; action read appliesTo {principal: User, resource: User};";

TEST_F(LoadPolicies, IdsAreTheAnnotationsOrTheNumberOverAllFiles) {
  put("a.cedar", std::string(permit) + "@id(\"mine\")\n" + permit + "@id(\"\")\n" + permit);
  put("b.cedar", permit);
  put("notes.txt", "permit nothing");
  const Loaded loaded = must(load());
  EXPECT_EQ(ids(loaded), (std::vector<std::string>{"policy0", "mine", "policy2", "policy3"}));
  EXPECT_EQ(loaded.schema, nullptr);
}

TEST_F(LoadPolicies, FilesOfJsonStandBesideText) {
  put("a.cedar", "@id(\"a\") permit(principal, action, resource) when { context.x };");
  PolicySet set;
  must(set.add_text("forbid(principal, action, resource) unless { context.y };"));
  const json::Value one = to_json(set.policies()[0], set.expressions());
  put("b.cedar.json", json::to_text(one));
  put("c.cedar.json", json::to_text(to_json(set)));
  const Loaded loaded = must(load());
  EXPECT_EQ(ids(loaded), (std::vector<std::string>{"a", "policy1", "policy2"}));
  EXPECT_EQ(loaded.policies->policies()[1].effect, Effect::forbid);
  EXPECT_EQ(loaded.policies->policies()[1].conditions[0].body,
            loaded.policies->policies()[2].conditions[0].body);
}

TEST_F(LoadPolicies, LinksOfTemplatesAreRefused) {
  PolicySet set;
  must(set.add_text("permit(principal == ?principal, action, resource);"));
  must(set.link("policy0", "l", EntityUid{"User", "a"}, std::nullopt));
  put("a.cedar.json", json::to_text(to_json(set)));
  EXPECT_NE(mistakes().find("links of templates"), std::string::npos) << mistakes();
}

TEST_F(LoadPolicies, OneIdIsOnePolicys) {
  put("a.cedar", std::string("@id(\"x\")\n") + permit);
  put("b.cedar", "\n@id(\"x\")\nforbid(principal, action, resource);");
  const std::string what = mistakes();
  EXPECT_NE(what.find("b.cedar, line 2: there are two policies with the id 'x'"), std::string::npos)
      << what;
}

TEST_F(LoadPolicies, OneSchemaForAll) {
  put("a.cedar", permit);
  put("a.cedarschema", small_schema);
  const Loaded loaded = must(load());
  ASSERT_NE(loaded.schema, nullptr);
  EXPECT_NE(loaded.schema->entity("User"), nullptr);
  put("b.cedarschema", small_schema);
  const std::string what = mistakes();
  EXPECT_NE(what.find("there are two schemas"), std::string::npos) << what;
  EXPECT_NE(what.find("a.cedarschema"), std::string::npos) << what;
  EXPECT_NE(what.find("b.cedarschema"), std::string::npos) << what;
}

TEST_F(LoadPolicies, ASchemaThatIsNamedIsTheOne) {
  put("a.cedar", "permit(principal is Robot, action, resource);");
  put("a.cedarschema", small_schema);
  const TemporaryFolder other;
  write_file(other.path("s.cedarschema"),
             "entity Robot; action read appliesTo {principal: Robot, resource: Robot};");
  EXPECT_NE(mistakes(), "");
  EXPECT_TRUE(load_policies({.paths = {folder_.path()}, .schema = other.path("s.cedarschema")}));
}

TEST_F(LoadPolicies, ASchemaMayBeJsonAndMayBeNeeded) {
  put("a.cedar", permit);
  EXPECT_TRUE(load());
  const auto needed = load_policies({.paths = {folder_.path()}, .needs_schema = true});
  ASSERT_FALSE(needed);
  EXPECT_NE(needed.error().what.find("no schema"), std::string::npos);
  put("a.cedarschema.json", R"({"":{"entityTypes":{"User":{}},"actions":{"read":{"appliesTo":)"
                            R"({"principalTypes":["User"],"resourceTypes":["User"]}}}}})");
  EXPECT_TRUE(load_policies({.paths = {folder_.path()}, .needs_schema = true}));
}

TEST_F(LoadPolicies, AllMistakesAreToldTogether) {
  put("a.cedar", "permit(principal, action, resource) when { 1 / 2 };");
  put("b.cedar",
      "permit(principal is Foo, action, resource);\n"
      "permit(principal, action, resource) when { principal.age > 1 };");
  put("c.cedar.json", "{");
  put("d.cedar", "\n\nallow(principal, action, resource);");
  put("s.cedarschema", small_schema);
  const std::string what = mistakes();
  for (const char* part :
       {"a.cedar: line 1, column 46: Cedar has no operator '/'",
        "b.cedar, line 1, policy 'policy0': the entity type 'Foo' is not declared",
        "b.cedar, line 2, policy 'policy1': 'principal.age'",
        "c.cedar.json: ", "d.cedar: line 3, column 1: 'allow' where"}) {
    EXPECT_NE(what.find(part), std::string::npos) << part << "\nin\n" << what;
  }
  EXPECT_GE(std::ranges::count(what, '\n'), 4);
}

TEST_F(LoadPolicies, PoliciesThatNeverApplyAreWarnedOf) {
  put("a.cedar", "permit(principal, action, resource) when { false };");
  put("a.cedarschema", small_schema);
  const Loaded loaded = must(load());
  ASSERT_EQ(loaded.warnings.size(), 1U);
  EXPECT_NE(loaded.warnings[0].find("a.cedar, line 1, policy 'policy0': it never applies"),
            std::string::npos);
}

TEST_F(LoadPolicies, TheHashIsOfNamesAndBytes) {
  std::set<std::string> hashes;
  const auto is_new = [&] { return hashes.insert(must(load()).hash).second; };
  put("a.cedar", permit);
  EXPECT_TRUE(is_new());
  EXPECT_FALSE(is_new());
  EXPECT_EQ(hashes.begin()->size(), 64U);
  put("a.cedar", std::string(permit) + " ");
  EXPECT_TRUE(is_new());
  put("b.cedar", "");
  EXPECT_TRUE(is_new());
  put("b.cedar", "// x\n");
  EXPECT_TRUE(is_new());
  put("a.cedarschema", small_schema);
  EXPECT_TRUE(is_new());
  put("a.cedarschema", std::string(small_schema) + "\n");
  EXPECT_TRUE(is_new());
  std::filesystem::rename(folder_.path("b.cedar"), folder_.path("c.cedar"));
  EXPECT_TRUE(is_new());
  put("notes.txt", "of no concern");
  EXPECT_FALSE(is_new());
}

TEST_F(LoadPolicies, WhatIsNotThere) {
  const auto loaded = load_policies({.paths = {folder_.path("gone")}});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::not_found);
  put("a.cedar", permit);
  EXPECT_FALSE(load_policies({.paths = {folder_.path()}, .schema = folder_.path("gone")}));
  EXPECT_EQ(must(load_policies({.paths = {}})).policies->policies().size(), 0U);
}

TEST_F(LoadPolicies, LevelsAreHeldToo) {
  put("a.cedar", "permit(principal, action, resource) when { principal has x };");
  put("a.cedarschema", small_schema);
  EXPECT_TRUE(load());
  EXPECT_TRUE(load_policies({.paths = {folder_.path()}, .validate = {.level = 1}}));
  EXPECT_FALSE(load_policies({.paths = {folder_.path()}, .validate = {.level = 0}}));
}

}  // namespace
}  // namespace mailwarden::policy
