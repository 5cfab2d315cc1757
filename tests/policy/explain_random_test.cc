// What an explanation promises, for any valid policies: a request that is denied is allowed once
// the changes of a way are made.
#include <algorithm>

#include <gtest/gtest.h>

#include "policy/explain.h"
#include "policy/validate.h"
#include "tests/conformance/cedar_worlds.h"
#include "tests/policy/given.h"
#include "tests/policy/make_change.h"

namespace mailwarden::policy {
namespace {

struct Counts {
  std::size_t denied = 0;
  std::size_t ways = 0;
};

class World {
 public:
  World(const cedar_suite::World& world, std::shared_ptr<const Schema> known)
      : world_(world), known_(std::move(known)) {}

  // Whether its policies could be in force.
  bool is_valid() const {
    const auto facts = read_entities(text(world_.entities), known_.get());
    auto policies = PolicySet();
    return facts && policies.add_text(world_.policies) && validate(policies, *known_).passed();
  }

  void check(const json::Value& written, Counts& counts) const {
    const DecisionPoint point = decision_point(world_.policies, text(world_.entities), known_);
    const auto asked = request_of(written, written["context"]);
    if (!asked) return;
    Authorizer::Scratch scratch;
    const Decision decision = point.decide(*asked, scratch);
    const Explanation explanation = explain(point, *asked, decision);
    if (decision.is_allowed) {
      EXPECT_TRUE(explanation.ways.empty());
      return;
    }
    ++counts.denied;
    for (const Way& way : explanation.ways) {
      ++counts.ways;
      expect_allowed(written, way);
    }
  }

 private:
  static std::string text(json::Array array) {
    return json::to_text(json::Value(std::move(array)));
  }

  std::optional<Request> request_of(const json::Value& written, const json::Value& context) const {
    Request one{.principal = must(read_uid(written["principal"])),
                .action = must(read_uid(written["action"])),
                .resource = must(read_uid(written["resource"]))};
    const auto read = read_context(context, *one.memory, known_.get(), one.action);
    if (!read) return std::nullopt;
    one.context = *read;
    return one;
  }

  void expect_allowed(const json::Value& written, const Way& way) const {
    json::Array entities = world_.entities;
    json::Value context = written["context"];
    const auto is_principal = [&](const json::Value& one) {
      return must(read_uid(one["uid"])) == must(read_uid(written["principal"]));
    };
    auto principal = std::ranges::find_if(entities, is_principal);
    if (principal == entities.end()) {
      entities.push_back(json::Object{
          {"uid", written["principal"]}, {"attrs", json::Object()}, {"parents", json::Array()}});
      principal = entities.end() - 1;
    }
    std::string all;
    for (const Change& change : way.changes) {
      make_change(change, *principal, context);
      all += change.text() + "; ";
    }
    const auto facts = read_entities(text(entities), known_.get());
    // A group may stand under the principal, which makes a circle of it.
    if (!facts && facts.error().what.ends_with("is its own ancestor")) return;
    ASSERT_TRUE(facts) << all << facts.error().what;
    const DecisionPoint point = decision_point(world_.policies, text(entities), known_);
    const auto asked = request_of(written, context);
    ASSERT_TRUE(asked) << all;
    Authorizer::Scratch scratch;
    const Decision decision = point.decide(*asked, scratch);
    EXPECT_TRUE(decision.is_allowed) << all << to_string(decision.why) << decision.invalid;
  }

  const cedar_suite::World& world_;
  std::shared_ptr<const Schema> known_;
};

TEST(ExplainRandom, EveryWayAllows) {
  Counts counts;
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    const cedar_suite::World made = cedar_suite::make_world(seed, 6);
    const World world(made, schema(made.schema));
    if (!world.is_valid()) continue;
    SCOPED_TRACE("seed " + std::to_string(seed));
    for (const json::Value& request : made.requests) world.check(request, counts);
  }
  std::printf("%zu requests are denied, %zu ways were tried\n", counts.denied, counts.ways);
  EXPECT_GT(counts.denied, 500U);
  EXPECT_GT(counts.ways, 20U);
}

}  // namespace
}  // namespace mailwarden::policy
