// What is built of entities and their parents.
#include "policy/entities.h"

#include <gtest/gtest.h>

#include "tests/policy/given.h"

namespace mailwarden::policy {
namespace {

const Value empty{.kind = Kind::record, .members = nullptr};

using Family = std::vector<std::pair<std::string, std::vector<std::string>>>;

Result<Entities> built(const Family& family, const EntitiesBuilder::Options& options = {}) {
  EntitiesBuilder builder(options);
  for (const auto& [id, above] : family) {
    std::vector<const EntityName*> parents;
    for (const std::string& one : above) parents.push_back(builder.intern("G", one));
    if (auto done = builder.add(builder.intern("G", id), empty, empty, parents); !done) {
      return std::unexpected(done.error());
    }
  }
  return builder.finish();
}

std::set<std::string> above(const Entities& entities, const std::string& id) {
  std::set<std::string> ids;
  for (const std::uint32_t one : entities.ancestors(entities.find("G", id)->number)) {
    ids.insert(std::string(entities.name(one).id));
  }
  return ids;
}

TEST(Entities, AncestorsAreComplete) {
  const Entities made =
      must(built({{"a", {"b", "c"}}, {"b", {"d"}}, {"c", {"d", "x"}}, {"d", {}}, {"e", {"a"}}}));
  EXPECT_EQ(above(made, "a"), (std::set<std::string>{"b", "c", "d", "x"}));
  EXPECT_EQ(above(made, "b"), (std::set<std::string>{"d"}));
  EXPECT_EQ(above(made, "d"), (std::set<std::string>{}));
  EXPECT_EQ(above(made, "e"), (std::set<std::string>{"a", "b", "c", "d", "x"}));
  EXPECT_EQ(above(made, "x"), (std::set<std::string>{}));
  EXPECT_EQ(made.size(), 6U);
  EXPECT_EQ(made.defined(), 5U);
  const auto number = [&](const char* id) { return made.find("G", id)->number; };
  EXPECT_TRUE(made.is_below(number("e"), number("x")));
  EXPECT_FALSE(made.is_below(number("x"), number("e")));
  EXPECT_FALSE(made.is_below(number("e"), number("e")));
  EXPECT_TRUE(made[number("a")].is_defined);
  EXPECT_FALSE(made[number("x")].is_defined);
}

TEST(Entities, ManyAncestorsAreFoundAsFewAre) {
  Family family{{"me", {}}};
  for (int at = 0; at < 100; ++at) family[0].second.push_back("g" + std::to_string(at));
  const Entities made = must(built(family));
  const std::uint32_t me = made.find("G", "me")->number;
  for (int at = 0; at < 100; ++at) {
    const std::uint32_t group = made.find("G", "g" + std::to_string(at))->number;
    EXPECT_TRUE(made.is_below(me, group)) << at;
    EXPECT_FALSE(made.is_below(group, me)) << at;
  }
  EXPECT_FALSE(made.is_below(me, me));
}

TEST(Entities, NamesAreFoundByTypeAndId) {
  EntitiesBuilder builder;
  const EntityName* const name = builder.intern("A::B", "x");
  EXPECT_EQ(builder.intern("A::B", "x"), name);
  EXPECT_NE(builder.intern("A", "x"), name);
  EXPECT_NE(builder.intern("A::B", ""), name);
  const Entities made = must(builder.finish());
  EXPECT_EQ(made.find("A::B", "x"), name);
  EXPECT_EQ(made.find("A::B", "y"), nullptr);
  EXPECT_EQ(made.find("B", "x"), nullptr);
  EXPECT_EQ(made.find("A::Bx", ""), nullptr);
  // A name that stands elsewhere means the same.
  const EntityName other{.type = "A::B", .id = "x", .hash = hash_of("A::B", "x")};
  EXPECT_EQ(made.find(other), name);
  EXPECT_TRUE(other == *name);
  EXPECT_NE(made.type_number("A::B"), 0U);
  EXPECT_NE(made.type_number("A::B"), made.type_number("A"));
  EXPECT_EQ(made.type_number("B"), 0U);
  EXPECT_EQ(made.defined(), 0U);
}

TEST(Entities, CirclesAreRefused) {
  const std::vector<Family> cases{{{"a", {"a"}}},
                                  {{"a", {"b"}}, {"b", {"a"}}},
                                  {{"a", {"b"}}, {"b", {"c"}}, {"c", {"d"}}, {"d", {"b"}}},
                                  {{"x", {"y", "a"}}, {"a", {"b", "y"}}, {"b", {"y", "a"}}}};
  for (const Family& family : cases) {
    const auto made = built(family);
    ASSERT_FALSE(made) << family.size();
    EXPECT_EQ(made.error().code, Code::invalid);
    EXPECT_NE(made.error().what.find("is its own ancestor"), std::string::npos)
        << made.error().what;
  }
}

TEST(Entities, OneThatStandsTwiceMustSayTheSame) {
  const auto twice = [](const Value& attributes, const Value& tags,
                        const std::vector<std::string>& parents) {
    EntitiesBuilder builder;
    std::vector<Member> members{{"a", Value::of(std::int64_t{1})}};
    const Value one = make_record(builder.memory(), members);
    const auto add = [&](const Value& of, const Value& with, const std::vector<std::string>& ids) {
      std::vector<const EntityName*> names;
      for (const std::string& id : ids) names.push_back(builder.intern("G", id));
      return builder.add(builder.intern("G", "me"), of, with, names);
    };
    must(add(one, one, {"x", "y"}));
    const auto again = add(attributes, tags, parents);
    EXPECT_TRUE(again || again.error().code == Code::conflict);
    return again.has_value();
  };
  Memory memory;
  std::vector<Member> members{{"a", Value::of(std::int64_t{1})}};
  const Value same = make_record(memory, members);
  std::vector<Member> other_members{{"a", Value::of(std::int64_t{2})}};
  const Value other = make_record(memory, other_members);
  EXPECT_TRUE(twice(same, same, {"x", "y"}));
  EXPECT_TRUE(twice(same, same, {"y", "x", "y"}));
  EXPECT_FALSE(twice(other, same, {"x", "y"}));
  EXPECT_FALSE(twice(empty, same, {"x", "y"}));
  EXPECT_FALSE(twice(same, other, {"x", "y"}));
  EXPECT_FALSE(twice(same, same, {"x"}));
  EXPECT_FALSE(twice(same, same, {"x", "y", "z"}));
}

Family chain(std::size_t length) {
  Family family;
  for (std::size_t at = 0; at + 1 < length; ++at) {
    family.push_back({std::to_string(at), {std::to_string(at + 1)}});
  }
  return family;
}

TEST(Entities, LongChainsOfParents) {
  const Entities made = must(built(chain(3000)));
  EXPECT_EQ(made.ancestors(made.find("G", "0")->number).size(), 2999U);
  EXPECT_TRUE(made.is_below(made.find("G", "0")->number, made.find("G", "2999")->number));
  EXPECT_FALSE(made.is_below(made.find("G", "2999")->number, made.find("G", "0")->number));
  // Nothing is as deep as the chain is long: neither the stack nor, beyond the limit, the memory.
  const auto longer = built(chain(100'000), {.all_ancestors_max = 1'000'000});
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, Code::full);
  EXPECT_NE(longer.error().what.find("1000000 ancestors"), std::string::npos);
}

TEST(Entities, AncestorsHaveTheirLimits) {
  EXPECT_TRUE(built(chain(11), {.ancestors_max = 10}));
  const auto more = built(chain(12), {.ancestors_max = 10});
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Code::full);
  EXPECT_EQ(more.error().what, "G::\"0\" has more than 10 ancestors");
  // 11 in a chain have 1 + 2 + ... + 10.
  EXPECT_TRUE(built(chain(11), {.all_ancestors_max = 55}));
  EXPECT_FALSE(built(chain(11), {.all_ancestors_max = 54}));
}

TEST(Entities, NamesAreComparedWhoeverHoldsThem) {
  Expressions one;
  Expressions other;
  const EntityName* const a = one.entity_name("A", "x");
  const EntityName* const b = one.entity_name("A", "y");
  EXPECT_EQ(one.entity_name("A", "x"), a);
  EXPECT_TRUE(*a == *other.entity_name("A", "x"));
  EXPECT_FALSE(*a == *other.entity_name("A", "y"));
  EXPECT_FALSE(*a == *b);
  EXPECT_LT(*a, *b);
  EXPECT_EQ(to_text("A::B", "\"\\\n\r\t\x01\xc2\x85\xc3\xa9"),
            "A::B::\"\\\"\\\\\\n\\r\\t\\u{1}\\u{85}\xc3\xa9\"");
}

TEST(Entities, TypesThatMayBe) {
  for (const char* type : {"A", "A::B", "_a1::B_", "principal", "permit"}) {
    EXPECT_TRUE(type_is_valid(type)) << type;
  }
  for (const char* type : {"", "::", "A::", "::A", "A:B", "A B", "A ::B", "1A", "A::if", "__cedar",
                           "__cedar::A", "true", "A-B", "\xc3\xa9"}) {
    EXPECT_FALSE(type_is_valid(type)) << type;
  }
  EXPECT_EQ(namespace_of("A::B::C"), "A::B");
  EXPECT_EQ(namespace_of("C"), "");
  EXPECT_EQ(basename_of("A::B::C"), "C");
  EXPECT_EQ(basename_of("C"), "C");
}

}  // namespace
}  // namespace mailwarden::policy
