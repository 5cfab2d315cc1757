// How policies together decide (Cedar.Spec.Authorizer of the formal model), and what must hold for
// any policies, entities and requests.
#include "policy/authorizer.h"

#include <random>

#include <gtest/gtest.h>

#include "policy/print.h"
#include "tests/conformance/cedar_worlds.h"
#include "tests/policy/given.h"

namespace mailwarden::policy {
namespace {

// An answer in ids, which do not depend on where a policy stands.
struct Told {
  bool is_allowed = false;
  std::set<std::string> reasons;
  std::set<std::string> errors;

  bool operator==(const Told&) const = default;
};

Told told(const Answer& answer, const PolicySet& policies) {
  Told told{.is_allowed = answer.is_allowed};
  for (const auto at : answer.reasons) told.reasons.insert(policies.policies()[at].id);
  for (const auto& one : answer.errors) told.errors.insert(policies.policies()[one.policy].id);
  return told;
}

std::ostream& operator<<(std::ostream& out, const Told& told) {
  out << (told.is_allowed ? "allow" : "deny");
  for (const std::string& id : told.reasons) out << ' ' << id;
  for (const std::string& id : told.errors) out << " !" << id;
  return out;
}

struct Decided {
  const char* name;
  const char* policies;
  Told told;
};

TEST(Authorizer, PermitsForbidsAndFailures) {
  const auto known = entities(R"([{"uid":{"type":"User","id":"ada"},"attrs":{},
                                   "parents":[{"type":"Group","id":"staff"}]}])");
  const Request asked = request(R"(User::"ada")", R"(Action::"read")", R"(Doc::"d")",
                                R"({"yes": true, "no": false, "one": 1})");
  const std::vector<Decided> cases{
      {"nothing permits", "", {}},
      {"a permit", "permit(principal, action, resource);", {true, {"policy0"}, {}}},
      {"permits are all told",
       "permit(principal, action, resource); permit(principal, action, "
       "resource) when { context.no }; permit(principal, action, resource);",
       {true, {"policy0", "policy2"}, {}}},
      {"a forbid wins",
       "permit(principal, action, resource); forbid(principal, action, resource);",
       {false, {"policy1"}, {}}},
      {"a forbid alone is told", "forbid(principal, action, resource);", {false, {"policy0"}, {}}},
      {"a forbid that does not hold",
       "permit(principal, action, resource); "
       "forbid(principal, action, resource) when { context.no };",
       {true, {"policy0"}, {}}},
      {"a permit that fails",
       "permit(principal, action, resource) when { context.gone };",
       {false, {}, {"policy0"}}},
      {"a permit beside one that fails",
       "permit(principal, action, resource) when { context.gone }; "
       "permit(principal, action, resource);",
       {true, {"policy1"}, {"policy0"}}},
      {"a forbid that fails counts as not there",
       "permit(principal, action, resource); "
       "forbid(principal, action, resource) when { context.gone };",
       {true, {"policy0"}, {"policy1"}}},
      {"a condition that is no truth",
       "permit(principal, action, resource) when { context.one };",
       {false, {}, {"policy0"}}},
      {"a condition that is no truth behind one that does not hold",
       "permit(principal, action, resource) when { context.no } when { context.one };",
       {}},
      {"unless that is no truth",
       "forbid(principal, action, resource) unless { context.one };",
       {false, {}, {"policy0"}}},
      {"unless", "permit(principal, action, resource) unless { context.yes };", {}},
      {"unless that does not hold",
       "permit(principal, action, resource) unless { context.no };",
       {true, {"policy0"}, {}}},
      {"where the scope does not hold nothing fails",
       "permit(principal == User::\"eve\", action, resource) when { context.gone };",
       {}},
      {"a group",
       "permit(principal in Group::\"staff\", action, resource);",
       {true, {"policy0"}, {}}},
      {"a type in a group",
       "permit(principal is User in Group::\"staff\", action, resource); "
       "permit(principal is Bot in Group::\"staff\", action, resource);",
       {true, {"policy0"}, {}}},
      {"equal is not in", "permit(principal == Group::\"staff\", action, resource);", {}},
      {"entities that nobody mentions",
       "permit(principal, action, resource == Doc::\"d\"); "
       "permit(principal, action, resource == Doc::\"e\"); "
       "permit(principal, action, resource in Doc::\"d\"); "
       "permit(principal, action, resource is Doc); "
       "permit(principal, action, resource is Dog);",
       {true, {"policy0", "policy2", "policy3"}, {}}},
      {"actions",
       "permit(principal, action == Action::\"read\", resource); "
       "permit(principal, action == Action::\"write\", resource); "
       "permit(principal, action in [], resource); "
       "permit(principal, action in [Action::\"write\", Action::\"read\"], resource); "
       "permit(principal, action in Action::\"read\", resource);",
       {true, {"policy0", "policy3", "policy4"}, {}}},
      {"templates do not decide", "permit(principal == ?principal, action, resource);", {}}};
  for (const Decided& one : cases) {
    const auto written = policies(one.policies);
    EXPECT_EQ(told(authorize(*written, *known, asked), *written), one.told) << one.name;
    const Authorizer plain(written, known, {.use_index = false});
    Authorizer::Scratch scratch;
    Answer answer;
    plain.authorize(asked, scratch, answer);
    EXPECT_EQ(told(answer, *written), one.told) << one.name << " without index";
  }
}

TEST(Authorizer, ManyGroupsAreToldApart) {
  // More than the sketch of ancestors has bits, and more than are searched one by one.
  std::string family = R"([{"uid":{"type":"User","id":"ada"},"attrs":{},"parents":[)";
  for (int at = 0; at < 200; at += 2) {
    family += (at == 0 ? "" : ",") + (R"({"type":"G","id":")" + std::to_string(at)) + "\"}";
  }
  family += "]}";
  std::string text;
  for (int at = 0; at < 200; ++at) {
    const std::string group = "G::\"" + std::to_string(at) + "\"";
    family +=
        R"(,{"uid":{"type":"G","id":")" + std::to_string(at) + R"("},"attrs":{},"parents":[]})";
    text += "permit(principal in " + group + ", action, resource);";
    text += "permit(principal, action, resource in " + group + ");";
    text += "permit(principal in G::\"0\", action, resource in " + group + ");";
  }
  const auto known = entities(family + "]");
  const auto written = policies(text);
  const Answer answer =
      authorize(*written, *known, request(R"(User::"ada")", R"(Action::"a")", R"(User::"ada")"));
  std::vector<std::uint32_t> wanted;
  for (std::uint32_t at = 0; at < 600; ++at) {
    if (at / 3 % 2 == 0) wanted.push_back(at);
  }
  EXPECT_TRUE(answer.is_allowed);
  EXPECT_EQ(answer.reasons, wanted);
}

TEST(Authorizer, LinkedPoliciesDecide) {
  auto written = std::make_shared<PolicySet>();
  must(written->add_text("permit(principal in ?principal, action, resource == ?resource);"));
  must(written->link("policy0", "mine", EntityUid{"Group", "staff"}, EntityUid{"Doc", "d"}));
  must(written->link("policy0", "other", EntityUid{"Group", "none"}, EntityUid{"Doc", "d"}));
  EXPECT_EQ(written->link("gone", "x", {}, {}).error().code, Code::not_found);
  EXPECT_EQ(written->link("policy0", "x", EntityUid{"G", "s"}, {}).error().code, Code::invalid);
  EXPECT_EQ(written->link("policy0", "mine", EntityUid{"G", "s"}, EntityUid{"D", "d"}).error().code,
            Code::conflict);
  const auto known = entities(R"([{"uid":{"type":"User","id":"ada"},"attrs":{},
                                   "parents":[{"type":"Group","id":"staff"}]}])");
  const auto asked = [&](const char* resource) {
    return told(
        authorize(*written, *known, request(R"(User::"ada")", R"(Action::"read")", resource)),
        *written);
  };
  EXPECT_EQ(asked(R"(Doc::"d")"), (Told{true, {"mine"}, {}}));
  EXPECT_EQ(asked(R"(Doc::"e")"), Told{});
}

TEST(Authorizer, ConditionsInAnyNumber) {
  // As many as would not fit on a stack if each stood in the next.
  std::string text = "permit(principal, action, resource)";
  for (int at = 0; at < 100'000; ++at) text += " when { context.n != " + std::to_string(at) + " }";
  const auto written = policies(text + ";");
  const auto known = entities("[]");
  const auto asked = [&](const char* context) {
    return authorize(*written, *known,
                     request(R"(U::"a")", R"(Action::"a")", R"(U::"a")", context));
  };
  EXPECT_TRUE(asked(R"({"n": -1})").is_allowed);
  EXPECT_FALSE(asked(R"({"n": 99999})").is_allowed);
  EXPECT_FALSE(asked(R"({"n": 0})").is_allowed);
  EXPECT_EQ(asked("{}").errors.size(), 1U);
}

// --- what holds for any policies ---

struct Trial {
  std::shared_ptr<PolicySet> policies = std::make_shared<PolicySet>();
  std::shared_ptr<const Entities> entities;
  std::vector<Request> requests;
};

// Nothing where the world is damaged.
std::optional<Trial> trial(std::uint64_t seed) {
  const cedar_suite::World world = cedar_suite::make_world(seed, 6);
  const auto known = schema(world.schema);
  Trial made;
  auto facts = read_entities(json::to_text(json::Value(world.entities)), known.get());
  if (!facts || !made.policies->add_text(world.policies)) return std::nullopt;
  made.entities = std::make_shared<const Entities>(*std::move(facts));
  for (const json::Value& link : world.links) {
    const auto uid = [&](const char* side) -> std::optional<EntityUid> {
      if (link[side].is_null()) return std::nullopt;
      return must(read_uid(link[side]));
    };
    static_cast<void>(made.policies->link(link.text("template"), link.text("id"), uid("principal"),
                                          uid("resource")));
  }
  for (const json::Value& written : world.requests) {
    Request one{.principal = must(read_uid(written["principal"])),
                .action = must(read_uid(written["action"])),
                .resource = must(read_uid(written["resource"]))};
    const auto context = read_context(written["context"], *one.memory, known.get(), one.action);
    if (!context) continue;
    one.context = *context;
    made.requests.push_back(std::move(one));
  }
  return made;
}

// The policies at these places, and in this order, of another set.
std::shared_ptr<PolicySet> chosen(const PolicySet& from, const std::vector<std::size_t>& places,
                                  std::optional<std::size_t> forbidding = {}) {
  auto made = std::make_shared<PolicySet>();
  const auto add = [&](Policy one) {
    // Its expressions stand in the other set; the text carries them over.
    auto read = must(parse_policies(print_policy(one, from.expressions()), made->expressions()));
    read.front().id = one.id;
    must(made->add(std::move(read.front())));
  };
  for (const std::size_t at : places) add(from.policies()[at]);
  if (forbidding) {
    Policy more = from.policies()[*forbidding];
    more.effect = Effect::forbid;
    more.id = "more";
    add(more);
  }
  return made;
}

class AnyPolicies : public testing::Test {
 protected:
  static constexpr std::uint64_t seeds = 800;

  // check(trial, request, answer with its own policies)
  template <class Check>
  std::size_t each(Check check) {
    std::size_t trials = 0;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      const auto made = trial(seed);
      if (!made || made->policies->policies().empty()) continue;
      random_.seed(seed);
      for (const Request& one : made->requests) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        const Told own = told(authorize(*made->policies, *made->entities, one), *made->policies);
        allowed_ += own.is_allowed ? 1 : 0;
        check(*made, one, own);
        ++trials;
      }
    }
    std::printf("%zu trials, of which %zu are allowed\n", trials, allowed_);
    EXPECT_GT(trials, 2000U);
    EXPECT_GT(allowed_, 200U);
    return trials;
  }

  std::vector<std::size_t> places(const Trial& trial) const {
    std::vector<std::size_t> all(trial.policies->policies().size());
    for (std::size_t at = 0; at < all.size(); ++at) all[at] = at;
    return all;
  }

  static Told answer(const std::shared_ptr<PolicySet>& policies, const Trial& trial,
                     const Request& request) {
    return told(authorize(*policies, *trial.entities, request), *policies);
  }

  std::mt19937_64 random_;
  std::size_t allowed_ = 0;
};

TEST_F(AnyPolicies, OneMoreForbidNeverAllowsMore) {
  std::size_t denied = 0;
  each([&](const Trial& trial, const Request& request, const Told& own) {
    const std::size_t at = random_() % trial.policies->policies().size();
    const Told more = answer(chosen(*trial.policies, places(trial), at), trial, request);
    EXPECT_TRUE(own.is_allowed || !more.is_allowed);
    denied += own.is_allowed && !more.is_allowed ? 1 : 0;
  });
  EXPECT_GT(denied, 50U);
}

TEST_F(AnyPolicies, OnePermitLessNeverAllowsMore) {
  std::size_t denied = 0;
  each([&](const Trial& trial, const Request& request, const Told& own) {
    std::vector<std::size_t> left = places(trial);
    const std::size_t at = random_() % left.size();
    const Policy& without = trial.policies->policies()[at];
    if (without.effect != Effect::permit) return;
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(at));
    const Told less = answer(chosen(*trial.policies, left), trial, request);
    EXPECT_TRUE(own.is_allowed || !less.is_allowed);
    denied += own.is_allowed && !less.is_allowed ? 1 : 0;
  });
  EXPECT_GT(denied, 50U);
}

TEST_F(AnyPolicies, TheirOrderDoesNotMatter) {
  each([&](const Trial& trial, const Request& request, const Told& own) {
    std::vector<std::size_t> order = places(trial);
    std::ranges::shuffle(order, random_);
    EXPECT_EQ(answer(chosen(*trial.policies, order), trial, request), own);
  });
}

TEST_F(AnyPolicies, TheIndexLeavesNoneOutAndAddsNone) {
  std::size_t reasons = 0;
  each([&](const Trial& trial, const Request& request, const Told&) {
    const Authorizer with(trial.policies, trial.entities);
    const Authorizer without(trial.policies, trial.entities, {.use_index = false});
    Authorizer::Scratch scratch;
    Answer one;
    Answer other;
    with.authorize(request, scratch, one);
    without.authorize(request, scratch, other);
    EXPECT_EQ(one, other);
    reasons += one.reasons.size() + one.errors.size();
  });
  EXPECT_GT(reasons, 500U);
}

TEST_F(AnyPolicies, AScratchRemembersNothingOfOtherRequestsAndPolicies) {
  Authorizer::Scratch shared;
  Answer used;  // it keeps what it held, too
  each([&](const Trial& trial, const Request& request, const Told&) {
    const Authorizer authorizer(trial.policies, trial.entities);
    Authorizer::Scratch fresh;
    Answer answer;
    authorizer.authorize(request, fresh, answer);
    authorizer.authorize(request, shared, used);
    EXPECT_EQ(used, answer);
    authorizer.authorize(request, shared, used);
    EXPECT_EQ(used, answer);
  });
}

}  // namespace
}  // namespace mailwarden::policy
