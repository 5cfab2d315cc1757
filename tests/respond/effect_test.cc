// Commands and requests that are really made.
#include "respond/effect.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "base/text.h"
#include "net/http_server.h"
#include "tests/temporary.h"

namespace mailwarden::respond {
namespace {

using flow::Effect;
using flow::StepKind;

Result<json::Object> perform(const Effect& effect) {
  return respond::perform(effect, EffectSettings());
}

Effect command_effect(std::vector<std::string> words, const std::string& key = "k") {
  return {.key = key, .operation = {.kind = StepKind::command, .command = std::move(words)}};
}
Effect probe_effect(std::vector<std::string> words) {
  Effect effect = command_effect(std::move(words));
  effect.kind = Effect::Kind::probe;
  return effect;
}

TEST(Command, ItsArgumentsReachItAsTheyAre) {
  const auto done =
      perform(command_effect({"/usr/bin/printf", "%s|", "a b", "$(id)", "; rm x", "*"}));
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(json::Value(*done).text("output"), "a b|$(id)|; rm x|*|");
}

TEST(Command, HasNoEnvironmentButPathAndItsKey) {
  ::setenv("MAILWARDEN_SECRET", "hidden", 1);
  const auto done = perform(command_effect({"/usr/bin/env"}, "run-1-a"));
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(json::Value(*done).text("output"),
            printable("PATH=/usr/sbin:/usr/bin:/sbin:/bin\nMAILWARDEN_STEP=run-1-a"));
}

TEST(Command, HasNoOpenFilesOfTheDaemon) {
  const TemporaryFolder folder;
  write_file(folder.path("secret"), "x");
  std::FILE* const open = std::fopen(folder.path("secret").c_str(), "r");
  ASSERT_NE(open, nullptr);
  const auto done = perform(command_effect({"/bin/ls", "-l", "/proc/self/fd"}));
  std::fclose(open);
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(json::Value(*done).text("output").find("secret"), std::string::npos);
}

TEST(Command, AnotherCodeThanZeroIsAFailureWithWhatItSaid) {
  const auto done = perform(command_effect({"/bin/ls", "/nonexistent"}));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_NE(done.error().what.find("ended with 2, saying: "), std::string::npos)
      << done.error().what;
}

TEST(Command, AnyEndOfAProbeIsAnAnswer) {
  const auto held = perform(probe_effect({"/bin/true"}));
  ASSERT_TRUE(held) << held.error().what;
  EXPECT_EQ(json::Value(*held).integer("exit", -1), 0);
  const auto failed = perform(probe_effect({"/bin/false"}));
  ASSERT_TRUE(failed) << failed.error().what;
  EXPECT_EQ(json::Value(*failed).integer("exit", -1), 1);
  EXPECT_FALSE(perform(probe_effect({"/bin/sh", "-c", "kill -9 $$"}))) << "it was ended";
}

TEST(Command, OneThatIsNotThereIsSaid) {
  const auto done = perform(command_effect({"/nonexistent/tool"}));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "/nonexistent/tool: No such file or directory");
}

TEST(Command, ItsTimeOverItIsEndedWithItsChildren) {
  const TemporaryFolder folder;
  Effect effect = command_effect(
      {"/bin/sh", "-c", "/bin/sleep 300 & echo $! > " + folder.path("child") + "; exec sleep 300"});
  effect.operation.time_out = std::chrono::milliseconds(500);
  const auto begun = std::chrono::steady_clock::now();
  const auto done = perform(effect);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(60));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unavailable) << "nobody knows what it did";
  EXPECT_NE(done.error().what.find("was not done in time"), std::string::npos);
  const std::string child(trim(read_file(folder.path("child"))));
  ASSERT_FALSE(child.empty());
  // Gone, or a zombie that nobody has waited for yet; a process that was killed still needs a core
  // to end on.
  const auto stat = [&] { return read_file("/proc/" + child + "/stat"); };
  const auto has_ended = [](std::string_view s) { return s.empty() || s.contains(") Z "); };
  while (!has_ended(stat()) &&
         std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(has_ended(stat())) << stat();
}

TEST(Command, ItsOutputIsKeptInPart) {
  const auto done = perform(command_effect({"/usr/bin/head", "-c", "100000", "/dev/zero"}));
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_LE(json::Value(*done).text("output").size(), 4 * output_bytes_max);
}

TEST(Request, CarriesItsKeyAndBodyAndItsAnswerSaysHowItWent) {
  struct Case {
    unsigned status;
    std::optional<Code> expected;
    bool answers_probe;
  };
  for (const Case& c : {Case{201, {}, true}, Case{404, Code::denied, true},
                        Case{503, Code::unavailable, false}, Case{429, Code::unavailable, false}}) {
    std::string body;
    const auto server =
        net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [&](const net::Request& request) {
          body = request.method + " " + request.path + " " + request.body;
          return net::Response{.status = c.status, .content_type = "t/p", .body = "made"};
        }).value();
    Effect effect{.key = "k",
                  .operation = {.kind = StepKind::http,
                                .method = "POST",
                                .url = "http://" + server->addresses().front() + "/t",
                                .body = json::Object{{"a", "b"}}}};
    const auto done = perform(effect);
    effect.kind = Effect::Kind::probe;
    const auto asked = perform(effect);
    server->stop();
    EXPECT_EQ(body, "POST /t {\"a\":\"b\"}");
    EXPECT_EQ(done.has_value(), !c.expected.has_value()) << c.status;
    if (done) {
      EXPECT_EQ(json::Value(*done).text("body"), "made");
    } else if (c.expected) {
      EXPECT_EQ(done.error().code, *c.expected) << c.status;
    }
    EXPECT_EQ(asked.has_value(), c.answers_probe) << c.status;
    if (asked) {
      EXPECT_EQ(json::Value(*asked).integer("status"), c.status);
    }
  }
}

TEST(Request, MembersOfAJsonAnswerCanBeNamed) {
  const auto server =
      net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [](const net::Request&) {
        return net::Response{.content_type = "application/json", .body = R"({"id":"a\"b"})"};
      }).value();
  const auto done =
      perform(Effect{.key = "k",
                     .operation = {.kind = StepKind::http,
                                   .method = "GET",
                                   .url = "http://" + server->addresses().front() + "/t"}});
  server->stop();
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(json::Value(*done)["body"].text("id"), "a\"b");
}

TEST(Action, OneWithoutItsSettingsIsRefused) {
  Effect effect{.key = "k",
                .operation = {.kind = StepKind::action,
                              .action = "suspend_account",
                              .arguments = {{"account", "eve"}}}};
  EXPECT_EQ(perform(effect).error().code, Code::denied);
  effect.kind = Effect::Kind::probe;
  effect.asks_action = true;
  EXPECT_FALSE(perform(effect));
}

}  // namespace
}  // namespace mailwarden::respond
