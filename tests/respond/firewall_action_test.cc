// Blocked addresses, in a network of the test's own in which packets really go.
#include <array>
#include <filesystem>

#include <fcntl.h>
#include <sched.h>

#include "tests/respond/effects.h"

namespace mailwarden::respond {
namespace {

constexpr const char* nft = "/usr/sbin/nft";
constexpr int wait_ms = 400;  // for what is dropped no answer comes

// Of the thread that runs the test, and of the programs that it starts.
class Firewall : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(nft)) GTEST_SKIP() << "there is no nft";
    before_ = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (::unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "no network namespace can be made here";
    inside_ = true;
    ASSERT_TRUE(runs({"/sbin/ip", "link", "set", "lo", "up"}));
    for (const char* address :
         {"192.0.2.7/32", "192.0.2.8/32", "198.51.100.1/24", "198.51.100.9/32"}) {
      ASSERT_TRUE(runs({"/sbin/ip", "address", "add", address, "dev", "lo"}));
    }
    for (const char* address : {"2001:db8::1/64", "2001:db8::7/128"}) {
      ASSERT_TRUE(runs({"/sbin/ip", "-6", "address", "add", address, "dev", "lo", "nodad"}));
    }
    if (!runs({nft, "list", "tables"})) GTEST_SKIP() << "this kernel has no nftables";
    settings_.firewall = FirewallEffects{
        .never = {parse_range("203.0.113.0/24").value(), parse_range("2001:db8:a::/48").value()}};
  }
  void TearDown() override {
    if (inside_) {
      EXPECT_EQ(::setns(before_, CLONE_NEWNET), 0);
    }
    ::close(before_);
  }

  Result<json::Object> perform(const std::string& action, const json::Object& arguments) const {
    return perform_action(call(action, arguments), settings_);
  }
  Result<json::Object> block(const std::string& address) const {
    return perform("block_address", {{"address", address}});
  }
  bool is_blocked(const std::string& address) const {
    const auto answer = probe_action(call("block_address", {{"address", address}}), settings_);
    EXPECT_TRUE(answer) << answer.error().what;
    return answer.value_or(false);
  }
  // A connection from one address of the network to its server.
  static bool reaches(const std::string& from) {
    // Its answers come over the same device, so it stands apart from what is blocked.
    Socket server(from.contains(':') ? "2001:db8::1" : "198.51.100.1", 0);
    EXPECT_TRUE(server.listen());
    Socket client(from, 0);
    EXPECT_TRUE(client.bind());
    return client.connects_to(server, wait_ms);
  }

  EffectSettings settings_;

 private:
  int before_ = -1;
  bool inside_ = false;
};

TEST_F(Firewall, WhatIsBlockedReachesNothingUntilItIsTakenBack) {
  for (const char* from : {"192.0.2.7", "2001:db8::7"}) {
    SCOPED_TRACE(from);
    ASSERT_TRUE(reaches(from));
    EXPECT_FALSE(is_blocked(from));
    for (int time = 0; time < 2; ++time) {
      const auto done = block(from);
      ASSERT_TRUE(done) << done.error().what;
      EXPECT_FALSE(reaches(from));
      EXPECT_TRUE(is_blocked(from));
    }
    EXPECT_TRUE(reaches("192.0.2.8"));
    for (int time = 0; time < 2; ++time) {
      const auto done = perform("unblock_address", {{"address", from}});
      ASSERT_TRUE(done) << done.error().what;
      EXPECT_TRUE(reaches(from));
      EXPECT_TRUE(probe_action(call("unblock_address", {{"address", from}}), settings_).value());
    }
  }
}

TEST_F(Firewall, APrefixAndAnAddressWithinItAreTwoBlocks) {
  ASSERT_TRUE(block("192.0.2.0/24"));
  ASSERT_TRUE(block("192.0.2.7"));
  EXPECT_FALSE(reaches("192.0.2.8"));
  EXPECT_TRUE(reaches("198.51.100.9"));
  EXPECT_TRUE(is_blocked("192.0.2.0/24"));
  EXPECT_FALSE(is_blocked("192.0.2.0/25"));
  ASSERT_TRUE(perform("unblock_address", {{"address", "192.0.2.0/24"}}));
  EXPECT_TRUE(reaches("192.0.2.8"));
  EXPECT_FALSE(reaches("192.0.2.7"));
}

TEST_F(Firewall, APrefixThatOverlapsAnotherIsRefused) {
  ASSERT_TRUE(block("192.0.2.0/24"));
  const auto done = block("192.0.2.0/25");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_NE(done.error().what.find("overlaps"), std::string::npos) << done.error().what;
}

TEST_F(Firewall, ABlockEndsByItselfAndIsMadeLonger) {
  ASSERT_TRUE(perform("block_address", {{"address", "192.0.2.7"}, {"seconds", 600}}));
  EXPECT_TRUE(is_blocked("192.0.2.7"));
  // As a variable has it. The shorter time counts.
  ASSERT_TRUE(perform("block_address", {{"address", "192.0.2.7"}, {"seconds", "1"}}));
  EXPECT_TRUE(becomes_true([&] { return !is_blocked("192.0.2.7"); }));
  EXPECT_TRUE(reaches("192.0.2.7"));
  ASSERT_TRUE(perform("block_address", {{"address", "192.0.2.0/24"}, {"seconds", 600}}));
  EXPECT_TRUE(is_blocked("192.0.2.0/24"));
  ASSERT_TRUE(block("192.0.2.0/24"));
  EXPECT_EQ(
      output_of({nft, "list", "set", "inet", "mailwarden", "blocked_v4_net"}).find("timeout "),
      std::string::npos);
}

TEST_F(Firewall, WhatMustNotBeBlockedIsRefused) {
  struct Case {
    const char* address;
    Code code;
    const char* says;
  };
  for (const Case& c :
       {Case{"127.0.0.1", Code::denied, "127.0.0.0/8"}, Case{"::1", Code::denied, "::1"},
        Case{"::ffff:127.0.0.1", Code::denied, "127.0.0.0/8"},
        Case{"fe80::1", Code::denied, "fe80::/10"}, Case{"0.0.0.0/0", Code::denied, "wider"},
        Case{"::/0", Code::denied, "wider"}, Case{"192.0.0.0/16", Code::denied, "wider"},
        Case{"2001:db8::/32", Code::denied, "wider"}, Case{"203.0.113.5", Code::denied, "'never'"},
        Case{"203.0.113.128/25", Code::denied, "'never'"},
        Case{"2001:db8:a::1", Code::denied, "'never'"},
        Case{"192.0.2.7/24", Code::invalid, "no address"},
        Case{"192.0.2.7 }; flush ruleset", Code::invalid, "no address"},
        Case{"192.0.2.7\nflush ruleset", Code::invalid, "no address"},
        Case{"-f", Code::invalid, "no address"}, Case{"192.0.2", Code::invalid, "no address"},
        Case{"example.com", Code::invalid, "no address"},
        Case{"192.0.2.0/33", Code::invalid, "no address"}}) {
    const auto done = block(c.address);
    ASSERT_FALSE(done) << c.address;
    EXPECT_EQ(done.error().code, c.code) << done.error().what;
    EXPECT_NE(done.error().what.find(c.says), std::string::npos) << done.error().what;
  }
  for (const std::int64_t seconds : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 40}) {
    const auto done = perform("block_address", {{"address", "192.0.2.7"}, {"seconds", seconds}});
    ASSERT_FALSE(done) << seconds;
    EXPECT_EQ(done.error().code, Code::invalid) << seconds;
  }
  EXPECT_EQ(output_of({nft, "list", "tables"}), "");
}

TEST_F(Firewall, OthersTablesStayAsTheyAre) {
  ASSERT_TRUE(runs({nft, "add", "table", "inet", "mailwarden"}));
  const auto done = block("192.0.2.7");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_NE(done.error().what.find("not as Mailwarden made it"), std::string::npos);
  settings_.firewall->table = "mw";
  ASSERT_TRUE(block("192.0.2.7"));
  EXPECT_EQ(output_of({nft, "list", "table", "inet", "mailwarden"}),
            "table inet mailwarden {\n}\n");
}

TEST_F(Firewall, ATableThatLostItsRulesDoesNotPassForABlock) {
  ASSERT_TRUE(block("192.0.2.7"));
  ASSERT_TRUE(runs({nft, "flush", "chain", "inet", "mailwarden", "input"}));
  const auto answer = probe_action(call("block_address", {{"address", "192.0.2.7"}}), settings_);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::denied);
}

TEST(AddressRanges, AreReadAndWritten) {
  struct Case {
    const char* text;
    const char* expected;
  };
  for (const Case& c :
       {Case{"192.0.2.7", "192.0.2.7"}, Case{"192.0.2.7/32", "192.0.2.7"},
        Case{"192.0.2.0/24", "192.0.2.0/24"}, Case{"2001:DB8:0:0::1", "2001:db8::1"},
        Case{"2001:db8::/32", "2001:db8::/32"}, Case{"::ffff:192.0.2.7", "192.0.2.7"},
        Case{"::ffff:192.0.2.0/120", "192.0.2.0/24"}}) {
    const auto range = parse_range(c.text);
    ASSERT_TRUE(range) << c.text;
    EXPECT_EQ(to_string(*range), c.expected);
  }
  for (const char* wrong : {"", "/", "/24", "192.0.2.7/", "192.0.2.7/-1", "1.2.3.4.5",
                            "2001:db8::1/64", "fe80::1%lo", "0x7f.1", "192.0.2.7/32/32"}) {
    EXPECT_FALSE(parse_range(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace mailwarden::respond
