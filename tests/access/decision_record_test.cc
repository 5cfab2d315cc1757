#include "access/decision_record.h"

#include <gtest/gtest.h>

#include "ledger/ledger.h"
#include "tests/access/grants.h"

namespace mailwarden::access {
namespace {

DecisionRecord denied() {
  DecisionRecord record{.id = "d", .when = start, .point = "authzen"};
  record.principal = {"User", "ada@example.com"};
  record.action = {"Action", "read"};
  record.resource = {"System", "wiki"};
  record.context = {{"now", "2026-11-24T08:00:00.000Z"}};
  record.facts = json::Object{{"active", true}};
  record.explanation = "why";
  record.decision.invalid = "it does not fit";
  return record;
}

// Whoever asks says what is kept; what the ledger cannot take would end the daemon.
TEST(DecisionRecord, NothingThatSomebodySaysMakesItTooLong) {
  const std::string long_text(2 * 1024 * 1024, 'x');
  const auto is_short = [](const DecisionRecord& record) {
    return json::to_text(to_record(record)).size() <= DecisionRecord::record_bytes_max;
  };
  DecisionRecord record = denied();
  EXPECT_EQ(to_record(record).at("explanation"), json::Value("why"));
  record.explanation = long_text;
  EXPECT_TRUE(is_short(record));
  EXPECT_EQ(to_record(record).at("explanation").text("sha256").size(), 64U);
  EXPECT_EQ(to_record(record).at("context"), json::Value(record.context));
  record = denied();
  record.context["said"] = long_text;
  EXPECT_TRUE(is_short(record));
  EXPECT_EQ(to_record(record).at("context").text("sha256").size(), 64U);
  EXPECT_EQ(to_record(record).at("facts"), record.facts);
  record = denied();
  record.facts = json::Object{{"name", long_text}};
  EXPECT_TRUE(is_short(record));
  record = denied();
  record.groups.assign(20'000, {"Group", std::string(100, 'g')});
  EXPECT_TRUE(is_short(record)) << "somebody in very many groups";
  record = denied();
  record.decision.failed.assign(1000, {.policy = std::string(1000, 'p'), .what = "failed"});
  EXPECT_TRUE(is_short(record));
  record = denied();
  record.decision.invalid = long_text;
  EXPECT_TRUE(is_short(record));
  static_assert(DecisionRecord::record_bytes_max < ledger::record_bytes_max);
}

}  // namespace
}  // namespace mailwarden::access
