// Mappings declared in YAML: what they do, and what is said about wrong ones.
#include "ingest/decode/json_mapping.h"

#include <gtest/gtest.h>

#include "tests/ingest_decode/decode_fixture.h"

namespace mailwarden::ingest {
namespace {

JsonMapping mapping_of(std::string_view yaml) {
  auto mapping = parse_json_mapping(yaml, "test.yaml");
  EXPECT_TRUE(mapping.has_value()) << (mapping ? "" : mapping.error().what);
  return mapping ? *std::move(mapping) : JsonMapping();
}

Event decode_mapped(std::string_view yaml, std::string_view line, std::string_view zone = "UTC") {
  return decode_line(line,
                     {.decoder = "json", .zone = std::string(zone), .mapping = mapping_of(yaml)});
}

constexpr const char* shop = R"(
mapping: shop
logsource: {product: shop, category: application, service: door}
time: {paths: [at, when.at], format: rfc3339}
pairs: [{at: tags, name: k, values: [v, w], prefix: tag.}]
names: {who: [user.name, account], code: [codes]}
ocsf: {user: [who], src_ip: [ip, peer.ip], resource: [tag.room]}
cases:
  - when: {kind: "?"}
    set: {class_uid: 3002, activity_id: 99}
  - when: {kind: [enter, "re*"], ok: "true"}
    set: {activity_id: 1, status: success, is_mfa: true, service: inner}
    fields: {verdict: welcome}
  - when: {kind: "*nter", ok: ["false", "!"]}
    set: {activity_id: 1, status: failure, product: shop2, category: door}
    ocsf: {actor_user: [account]}
)";

TEST(Mapping, FillsTimeNamesPairsAttributesAndCases) {
  const Event event = decode_mapped(
      shop, R"({"when":{"at":"2026-11-24T02:00:00Z"},"kind":"re-enter","ok":true,"account":"eve",
"peer":{"ip":"192.0.2.1"},"tags":[{"k":"room","v":"safe"},{"k":"n","w":7}],"codes":[1,2]})");
  EXPECT_EQ(event.undecoded, "");
  EXPECT_EQ(event.decoder, "shop");
  EXPECT_EQ(to_rfc3339(event.time), "2026-11-24T02:00:00.000000Z");
  EXPECT_EQ(event.logsource, (Logsource{"shop", "application", "inner"}));
  EXPECT_EQ(field(event, "who"), "eve");
  EXPECT_EQ(field(event, "tag.n"), "7");
  EXPECT_EQ(field(event, "verdict"), "welcome");
  EXPECT_EQ(event.ocsf.user, "eve");
  EXPECT_EQ(event.ocsf.src_ip, "192.0.2.1");
  EXPECT_EQ(event.ocsf.resource, "safe");
  EXPECT_EQ(event.ocsf.status, Outcome::success);
  EXPECT_EQ(event.ocsf.is_mfa, true);
  EXPECT_NE(to_json(event).find(R"("code":[1,2])"), std::string::npos);
}

TEST(Mapping, AbsenceCanBeACondition) {
  const Event event =
      decode_mapped(shop, R"({"at":"2026-11-24T02:00:00Z","kind":"enter","account":"eve"})");
  EXPECT_EQ(event.ocsf.status, Outcome::failure);
  EXPECT_EQ(event.ocsf.actor_user, "eve");
  EXPECT_EQ(event.logsource.product, "shop2");
  const Event neither = decode_mapped(shop, R"({"at":"2026-11-24T02:00:00Z","kind":"leave"})");
  EXPECT_EQ(neither.ocsf.activity_id, 99);
  EXPECT_EQ(neither.ocsf.status, Outcome::unknown);
}

TEST(Mapping, WithoutATimeTheRecordIsNotRead) {
  EXPECT_EQ(decode_mapped(shop, "{}").undecoded, "no time at 'at'");
  EXPECT_EQ(decode_mapped(shop, R"({"at":"yesterday"})").undecoded,
            "'yesterday' is not a time of the form that mapping shop names");
  const Event lax = decode_mapped(
      "mapping: lax\ntime: {paths: [at], format: rfc3339, otherwise: received}", "{\"x\":1}");
  EXPECT_EQ(lax.undecoded, "");
  EXPECT_EQ(lax.time, noon);
}

TEST(Mapping, ReadsEveryFormOfTime) {
  struct Case {
    const char* format;
    const char* value;
    const char* expected;
  };
  const Case cases[] = {
      {"rfc3339", "\"2026-11-24T02:00:00+01:00\"", "2026-11-24T01:00:00.000000Z"},
      {"rfc3339", "\"2026-11-24 02:00:00.5\"", "2026-11-23T17:00:00.500000Z"},
      {"epoch_seconds", "1795521600", "2026-11-24T12:00:00.000000Z"},
      {"epoch_seconds", "1795521600.25", "2026-11-24T12:00:00.250000Z"},
      {"epoch_seconds", "\"1795521600\"", "2026-11-24T12:00:00.000000Z"},
      {"epoch_milliseconds", "1795521600001", "2026-11-24T12:00:00.001000Z"},
      {"epoch_microseconds", "1795521600000001", "2026-11-24T12:00:00.000001Z"},
      {"epoch_nanoseconds", "1795521600000001024", "2026-11-24T12:00:00.000001Z"},
      {"epoch_seconds", "-62167219200", "0000-01-01T00:00:00.000000Z"},
      {"epoch_seconds", "253402300799", "9999-12-31T23:59:59.000000Z"},
      {"epoch_seconds", "253402300800", ""},
      {"epoch_seconds", "-99999999999999", ""},
      {"epoch_milliseconds", "1e300", ""},
      {"epoch_seconds", "\"soon\"", ""},
  };
  for (const Case& one : cases) {
    const std::string yaml =
        std::string("mapping: m\ntime: {path: at, format: ") + one.format + "}";
    const std::string line = std::string("{\"at\":") + one.value + "}";
    const Event event = decode_mapped(yaml, line, "Asia/Tokyo");
    EXPECT_EQ(event.undecoded.empty() ? to_rfc3339(event.time) : "", one.expected)
        << one.format << " " << one.value << " " << event.undecoded;
  }
}

TEST(Mapping, NumbersKeepWhatTheySay) {
  const char* const any = "mapping: m\ntime: {otherwise: received}";
  const Event event = decode_mapped(
      any, R"({"a":1.50,"b":-3,"c":18446744073709551615,"d":1e2,"e":0.1,"f":true,"g":null})");
  EXPECT_NE(to_json(event).find(
                R"("fields":{"a":1.5,"b":-3,"c":"18446744073709551615","d":100,"e":0.1,"f":true,)"
                R"("g":null})"),
            std::string::npos)
      << to_json(event);
}

TEST(Mapping, EveryMistakeIsReportedWithItsLine) {
  const auto refused = parse_json_mapping(R"(logsource: {product: x, colour: red}
time: {paths: [], format: stardate, otherwise: never}
pairs: [{at: a}]
ocsf: {hat: [x]}
cases:
  - set: {class_uid: many, status: perhaps, is_mfa: so, speed: 3}
  - when: {}
extra: 1
)",
                                          "shop.yaml");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  for (const char* part :
       {"shop.yaml, line 1: logsource has no part 'colour'",
        "shop.yaml, line 2: expected at least one a path", "no time format 'stardate'",
        "otherwise can only be received", "shop.yaml, line 3: a pair needs at, name",
        "shop.yaml, line 4: ocsf has no part 'hat'",
        "shop.yaml, line 6: 'many' is not a number of OCSF's", "status is success, failure",
        "is_mfa is true or false", "set has no part 'speed'", "a case needs a when",
        "no condition would always hold", "shop.yaml, line 8: a mapping has no part 'extra'",
        "the mapping's name is missing"}) {
    EXPECT_NE(refused.error().what.find(part), std::string::npos) << part << "\n"
                                                                  << refused.error().what;
  }
}

TEST(Mapping, WhatIsNoMapIsRefused) {
  for (const char* text : {"", "- a", "a: [", "time: 3\nmapping: [x]", "cases: 1\npairs: 2",
                           "names: 1\nrecognise: 2\nocsf: 3\nlogsource: 4"}) {
    EXPECT_FALSE(parse_json_mapping(text, "x")) << text;
  }
}

TEST(Mapping, IsTakenByAutoForEveryObjectOfItsSource) {
  const DecodeOptions options{.mapping = mapping_of(shop)};
  const Event event = decode_line(R"({"at":"2026-11-24T02:00:00Z"})", options);
  EXPECT_EQ(event.decoder, "shop");
}

TEST(Json, WhatIsNotAnObjectIsKeptWithTheReason) {
  struct Case {
    std::string line;
    const char* reason;
  };
  const Case cases[] = {
      {"{\"a\":", "not valid JSON: "},
      {"{\"a\":1,\"a\":2}", "the name 'a' stands twice"},
      {"{\"o\":{\"b\":1,\"c\":{},\"b\":{}}}", "the name 'b' stands twice"},
      {"{\"a\":" + std::string(10'000, '[') + std::string(10'000, ']') + "}", ""},
      {"{\"a\":1} x", "not valid JSON: "},
      {"[1]", "valid JSON, but not an object"},
      {"\"x\"", "valid JSON, but not an object"},
  };
  for (const Case& one : cases) {
    const Event event = decode_as("gcp_audit", one.line);
    EXPECT_FALSE(event.undecoded.empty()) << one.line.substr(0, 40);
    EXPECT_TRUE(event.undecoded.starts_with(one.reason)) << event.undecoded;
    EXPECT_EQ(event.raw, one.line);
    EXPECT_TRUE(event.fields.empty());
    EXPECT_EQ(event.time, noon);
  }
}

// BigQuery and other data warehouses keep entries and events under names of their own.
TEST(Mapping, NamesOfDataWarehousesAreTaken) {
  const Event entry = decode_as("gcp_audit",
                                R"({"timestamp":"2026-11-24T02:00:00Z",
"protopayload_auditlog":{"methodName":"storage.buckets.delete",
"authenticationInfo":{"principalEmail":"eve@example.com"},"status":{"code":7},
"requestMetadata":{"callerIp":"192.0.2.1"}}})");
  EXPECT_EQ(field(entry, "protoPayload.methodName"), "storage.buckets.delete");
  EXPECT_EQ(field(entry, "gcp.audit.method_name"), "storage.buckets.delete");
  EXPECT_EQ(entry.ocsf.actor_user, "eve@example.com");
  EXPECT_EQ(entry.ocsf.src_ip, "192.0.2.1");
  EXPECT_EQ(entry.ocsf.status, Outcome::failure);
  const Event event =
      decode_as("okta", R"({"published":"2026-11-24T02:00:00Z","eventtype":"user.session.start",
"actor":{"alternateId":"alice@example.com"},"outcome":{"result":"SUCCESS"},
"securitycontext":{"isProxy":true}})");
  EXPECT_EQ(field(event, "eventType"), "user.session.start");
  EXPECT_EQ(field(event, "securityContext.isProxy"), "true");
  EXPECT_EQ(event.ocsf.class_uid, ocsf_class::authentication);
  EXPECT_EQ(event.ocsf.user, "alice@example.com");
}

}  // namespace
}  // namespace mailwarden::ingest
