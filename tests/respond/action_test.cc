// The table of actions: what they take, and what is said of them.
#include "respond/action.h"

#include <algorithm>
#include <set>

#include "tests/respond/effects.h"

namespace mailwarden::respond {
namespace {

EffectSettings everything() {
  EffectSettings settings;
  settings.keep = "/var/keep";
  settings.accounts = AccountEffects{};
  settings.firewall = FirewallEffects{};
  settings.mail = MailEffects{};
  settings.campaigns = CampaignEffects{.url = "postgresql://core:secret@db/core",
                                       .stop = "UPDATE c SET off = true WHERE id = $1",
                                       .resume = "UPDATE c SET off = false WHERE id = $1",
                                       .stopped = "SELECT off FROM c WHERE id = $1"};
  settings.hosts = HostEffects{
      .hosts = {{.name = "local", .address = ""}, {.name = "web1", .address = "web1.example"}},
      .folders = {"/srv", "/home"},
      .scan = "/usr/bin/mailwarden"};
  settings.evidence = EvidenceEffects{.folder = "/var/evidence"};
  settings.tickets = TicketEffects{.url = "https://t.example/x", .sign_with = "k"};
  return settings;
}

const json::Object file_on_host{{"host", "web1"}, {"path", "/srv/x"}, {"sha256", "ab"}};
const json::Object key{{"account", "ann"}, {"fingerprint", "SHA256:x"}};

struct Described {
  const char* action;
  json::Object arguments;
  const char* sentence;
};
const std::vector<Described> sentences{
    {"suspend_account",
     {{"account", "ann"}},
     "lock the account 'ann' and let it expire, with /usr/sbin/usermod"},
    {"unlock_account",
     {{"account", "ann"}},
     "give the account 'ann' back the lock and the expiry date that it had, with "
     "/usr/sbin/usermod"},
    {"end_sessions",
     {{"account", "a\nb"}},
     "end the sessions of the account 'a\\x0ab' with /usr/bin/loginctl where systemd runs, and "
     "kill all of its processes"},
    {"remove_account",
     {{"account", "ann"}},
     "remove the account 'ann' with /usr/sbin/userdel, which leaves its home as it is"},
    {"remove_ssh_key", key,
     "take the key 'SHA256:x' out of .ssh/authorized_keys and .ssh/authorized_keys2 of the account "
     "'ann' and keep its line below /var/keep"},
    {"restore_ssh_key", key,
     "give the key 'SHA256:x' back to .ssh/authorized_keys and .ssh/authorized_keys2 of the "
     "account 'ann', as it was kept below /var/keep"},
    {"block_address",
     {{"address", "192.0.2.7"}, {"seconds", 60}},
     "drop all that comes from 192.0.2.7 by putting it into the set 'inet mailwarden blocked_v4' "
     "with /usr/sbin/nft, for 60 s"},
    {"block_address",
     {{"address", "2001:DB8::/64"}},
     "drop all that comes from 2001:db8::/64 by putting it into the set 'inet mailwarden "
     "blocked_v6_net' with /usr/sbin/nft, until it is taken out again"},
    {"unblock_address",
     {{"address", "192.0.2.7"}},
     "take 192.0.2.7 out of the set 'inet mailwarden blocked_v4' with /usr/sbin/nft"},
    {"hold_mail",
     {{"sender", "a@b.example"}},
     "hold every mail of the envelope sender 'a@b.example' in the queue of the Postfix of "
     "/etc/postfix, with /usr/sbin/postsuper -h"},
    {"release_mail",
     {{"sender", "a@b.example"}},
     "release every mail of the envelope sender 'a@b.example' in the queue of the Postfix of "
     "/etc/postfix that is on hold, with /usr/sbin/postsuper -H"},
    {"delete_mail",
     {{"sender", "a@b.example"}},
     "delete every mail of the envelope sender 'a@b.example' in the queue of the Postfix of "
     "/etc/postfix, with /usr/sbin/postsuper -d"},
    {"stop_campaign",
     {{"campaign", "7"}},
     "stop the campaign '7' in postgresql://…@db/core by: UPDATE c SET off = true WHERE id = $1"},
    {"resume_campaign",
     {{"campaign", "7"}},
     "resume the campaign '7' in postgresql://…@db/core by: UPDATE c SET off = false WHERE id = "
     "$1"},
    {"quarantine_file", file_on_host,
     "move the file '/srv/x' with the SHA-256 ab on 'web1' (mailwarden@web1.example, by "
     "/usr/bin/ssh) into /var/lib/mailwarden-quarantine with mode 0000"},
    {"release_file", file_on_host,
     "move the file '/srv/x' with the SHA-256 ab on 'web1' (mailwarden@web1.example, by "
     "/usr/bin/ssh) back out of /var/lib/mailwarden-quarantine"},
    {"sweep_hosts",
     {{"sha256", "ab"}},
     "look below /srv, /home of all hosts of effects.yaml for files with the SHA-256 ab"},
    {"sweep_hosts",
     {{"hosts", json::Array{"web1"}}},
     "look below /srv, /home of web1 for what YARA rules match, with /usr/bin/mailwarden scan"},
    {"collect_evidence",
     {{"kinds", json::Array{"logs", "sockets"}}},
     "write logs, sockets of this machine into /var/evidence, each under its SHA-256"},
    {"open_ticket",
     {{"title", "t"}, {"text", "x"}},
     "open the ticket 't' by a POST to https://t.example/x, signed with the key 'k'"}};

TEST(Actions, EachSaysExactlyWhatItWillDo) {
  std::set<std::string_view> described;
  for (const Described& c : sentences) {
    EXPECT_EQ(describe_action(call(c.action, c.arguments), everything()), c.sentence);
    described.insert(c.action);
  }
  for (const ActionKind& kind : action_kinds()) {
    EXPECT_TRUE(described.contains(kind.name)) << kind.name;
  }
}

TEST(Actions, EachIsOffWithoutItsSettings) {
  for (const Described& c : sentences) {
    const ActionCall one = call(c.action, c.arguments);
    const auto done = perform_action(one, {});
    ASSERT_FALSE(done) << c.action;
    EXPECT_EQ(done.error().code, Code::denied) << c.action;
    EXPECT_NE(done.error().what.find("is off: policies/effects.yaml has no part '"),
              std::string::npos)
        << done.error().what;
    const auto answer = probe_action(one, {});
    ASSERT_FALSE(answer) << c.action;
    EXPECT_EQ(answer.error(), done.error());
    EXPECT_EQ(describe_action(one, {}), "do nothing: " + done.error().what);
  }
}

TEST(Actions, WhatTakesAnActionBackIsAnActionWithTheSameArguments) {
  for (const ActionKind& kind : action_kinds()) {
    EXPECT_EQ(find_action(kind.name), &kind);
    if (kind.undo.empty()) continue;
    const ActionKind* const undo = find_action(kind.undo);
    ASSERT_NE(undo, nullptr) << kind.name;
    EXPECT_EQ(undo->undo, kind.name);
    for (const ActionParameter& parameter : undo->parameters) {
      if (!parameter.required) continue;
      EXPECT_TRUE(std::ranges::any_of(kind.parameters,
                                      [&](const ActionParameter& one) {
                                        return one.name == parameter.name &&
                                               one.type == parameter.type;
                                      }))
          << kind.name << " " << parameter.name;
    }
  }
}

TEST(Actions, OtherArgumentsAreRefusedBeforeAnythingIsDone) {
  struct Case {
    const char* action;
    json::Object arguments;
    const char* says;
  };
  for (const Case& c :
       {Case{"format_disk", {}, "there is no action 'format_disk'"},
        Case{"suspend_account", {}, "suspend_account needs 'account'"},
        Case{"suspend_account", {{"account", nullptr}}, "suspend_account needs 'account'"},
        Case{"suspend_account", {{"account", ""}}, "'account' must be a text"},
        Case{"suspend_account", {{"account", 5}}, "'account' must be a text"},
        Case{"suspend_account", {{"account", json::Array{"a"}}}, "'account' must be a text"},
        Case{"suspend_account", {{"account", "a"}, {"uid", 5}}, "suspend_account takes no 'uid'"},
        Case{"block_address",
             {{"address", "192.0.2.7"}, {"seconds", "soon"}},
             "'seconds' must be a whole number"},
        Case{"sweep_hosts", {{"hosts", "web1"}}, "'hosts' must be a list of texts"},
        Case{"sweep_hosts", {{"hosts", json::Array{5}}}, "'hosts' must be a list of texts"},
        Case{"sweep_hosts", {{"sha256", "zz"}}, "is no SHA-256"},
        Case{"quarantine_file",
             {{"host", "web1"}, {"path", "/srv/x"}, {"sha256", "../../etc/passwd"}},
             "is no SHA-256"}}) {
    const auto done = perform_action(call(c.action, c.arguments), everything());
    ASSERT_FALSE(done) << c.action;
    EXPECT_EQ(done.error().code, Code::invalid) << done.error().what;
    EXPECT_NE(done.error().what.find(c.says), std::string::npos) << done.error().what;
  }
}

TEST(Actions, AHostThatNoSettingNamesIsRefused) {
  for (const json::Object& arguments :
       {json::Object{{"hosts", json::Array{"web9"}}, {"sha256", std::string(64, 'a')}},
        json::Object{{"hosts", json::Array{"-oProxyCommand=x"}}}}) {
    const auto done = perform_action(call("sweep_hosts", arguments), everything());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::denied);
    EXPECT_NE(done.error().what.find("effects.yaml has no host"), std::string::npos);
  }
}

}  // namespace
}  // namespace mailwarden::respond
