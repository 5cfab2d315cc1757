// effects.yaml among the policies: in force with them, refused with them.
#include "tests/app/core_fixture.h"

namespace mailwarden::app {
namespace {

class EffectsFile : public CoreTest {
 protected:
  std::string file_ = folder_.path("policies/effects.yaml");
};

TEST_F(EffectsFile, WithoutItAllEffectsAreOff) {
  const auto policies = load_policies(config_);
  ASSERT_TRUE(policies) << policies.error().what;
  EXPECT_FALSE((*policies)->effects.mail);
}

TEST_F(EffectsFile, AChangeOfItIsAChangeOfThePolicies) {
  const auto before = load_policies(config_);
  ASSERT_TRUE(before) << before.error().what;
  write_file(file_, "mail: {config_directory: /etc/postfix-out}\n");
  const auto after = load_policies(config_);
  ASSERT_TRUE(after) << after.error().what;
  ASSERT_TRUE((*after)->effects.mail);
  EXPECT_EQ((*after)->effects.mail->config_directory, "/etc/postfix-out");
  EXPECT_NE((*before)->version, (*after)->version);
}

TEST_F(EffectsFile, ItsMistakesAreToldWithThoseOfOthers) {
  write_file(file_, "keep: here\n");
  write_file(folder_.path("policies/routes.yaml"),
             "receivers:\n- {name: a, kind: pigeon}\nroutes: []\n");
  const auto refused = load_policies(config_);
  ASSERT_FALSE(refused);
  for (const char* part : {"effects.yaml, line 1: 'keep' must be an absolute path",
                           "routes.yaml, line 2: 'pigeon' is none of"}) {
    EXPECT_NE(refused.error().what.find(part), std::string::npos) << refused.error().what;
  }
}

}  // namespace
}  // namespace mailwarden::app
