#include "event/event.h"

#include <gtest/gtest.h>

#include "event/event_json.h"

namespace mailwarden {
namespace {

Event full_event() {
  Event event;
  event.id = {-2, 448};
  event.time = parse_rfc3339("2026-11-24T02:14:43.5Z").value();
  event.source = "auth";
  event.logsource = {.product = "linux", .category = "", .service = "sshd"};
  event.decoder = "sshd";
  event.fields.add("user", "bob");
  event.fields.add("src_port", std::int64_t{4242});
  event.fields.add("arg", "a");
  event.fields.add("flag", "true", FieldKind::boolean);
  event.fields.add("arg", "b");
  event.fields.add("nothing", "", FieldKind::null);
  event.ocsf = {.class_uid = ocsf_class::authentication,
                .activity_id = 1,
                .status = Outcome::failure,
                .actor_user = "alice",
                .user = "bob",
                .src_ip = "203.0.113.7",
                .src_port = 4242,
                .dst = "mail2",
                .device = "mail1",
                .resource = "/etc/shadow",
                .service = "sshd",
                .email_from = "a@example.com",
                .email_to = "b@example.com",
                .message = "Failed password",
                .is_mfa = false};
  event.raw = "a line\twith a tab";
  return event;
}

TEST(EventJson, IsCanonicalAndComplete) {
  EXPECT_EQ(
      to_json(full_event()),
      R"({"decoder":"sshd","fields":{"arg":["a","b"],"flag":true,"nothing":null,"src_port":4242,)"
      R"("user":"bob"},"id":"fffffffffffffffe-1c0","logsource":{"product":"linux",)"
      R"("service":"sshd"},"ocsf":{"activity_id":1,"actor":{"user":{"name":"alice"}},)"
      R"("class_uid":3002,"device":{"hostname":"mail1"},"dst_endpoint":{"hostname":"mail2"},)"
      R"("email":{"from":"a@example.com","to":["b@example.com"]},"is_mfa":false,)"
      R"("message":"Failed password","resources":[{"name":"/etc/shadow"}],)"
      R"("service":{"name":"sshd"},"src_endpoint":{"ip":"203.0.113.7","port":4242},)"
      R"("status_id":2,"user":{"name":"bob"}},"raw":"a line\twith a tab","source":"auth",)"
      R"("time":"2026-11-24T02:14:43.500000Z"})");
}

TEST(EventJson, ReadsBackWhatItWrote) {
  Event event = full_event();
  // Fields come back sorted by name, which is their canonical order.
  const Event back = parse_event(to_json(event)).value();
  EXPECT_EQ(to_json(back), to_json(event));
  EXPECT_EQ(back.ocsf, event.ocsf);
  EXPECT_EQ(back.fields.size(), event.fields.size());
  EXPECT_EQ(back.fields.find("src_port")->kind, FieldKind::number);
  EXPECT_EQ(back.id, event.id);
}

TEST(EventJson, RawBytesSurviveWhateverTheyAre) {
  Event event;
  event.raw = std::string("a\0\xFF\n", 4);
  event.undecoded = "no decoder reads it";
  const std::string json = to_json(event);
  EXPECT_NE(json.find("\"raw_base64\":\"YQD/Cg==\""), std::string::npos) << json;
  const Event back = parse_event(json).value();
  EXPECT_EQ(back.raw, event.raw);
  EXPECT_EQ(back.undecoded, event.undecoded);
}

TEST(EventJson, AHostNameIsNotCalledAnAddress) {
  Event event;
  event.ocsf.src_ip = "client.example.com";
  EXPECT_NE(to_json(event).find(R"("src_endpoint":{"hostname":"client.example.com"})"),
            std::string::npos);
  EXPECT_EQ(parse_event(to_json(event))->ocsf.src_ip, "client.example.com");
}

TEST(EventJson, DamageIsToldApart) {
  EXPECT_EQ(parse_event("{").error().code, Code::corrupt);
  EXPECT_EQ(parse_event("{}").error().code, Code::corrupt);
}

TEST(EventId, TextAndBack) {
  EXPECT_EQ(to_string(EventId{.stream = 15, .position = 0}), "000000000000000f-0");
  EXPECT_EQ(parse_event_id("fffffffffffffffe-1c0").value(),
            (EventId{.stream = -2, .position = 448}));
  for (const char* wrong : {"", "f-0", "000000000000000f-", "000000000000000f-x",
                            "000000000000000f-8000000000000000", "00000000000000zz-0"}) {
    EXPECT_FALSE(parse_event_id(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace mailwarden
