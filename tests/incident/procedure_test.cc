#include "incident/procedure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temporary.h"

namespace mailwarden::incident {
namespace {

using std::chrono::hours;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view procedure_table_text = R"(
facts:
  stolen: {kind: truth}
  hosts: {kind: count}
  late: {kind: truth}
rows:
  - {name: data went, severity: 2, all_of: {stolen: true}}
  - {name: a host, severity: 1, all_of: {hosts: 1}}
)";

TEST(ProcedureTest, TellsEveryMistakeAtItsLine) {
  const SeverityTable table = SeverityTable::parse(procedure_table_text, "t.yaml").value();
  const auto wrong = Procedure::parse(R"(types:
  - {name: Leak, title: x}
  - {name: a, title: x, facts: [unheard]}
  - {name: a, title: x, tasks: [{phase: party, task: y}]}
duties:
  - {name: d, as: king, to: x, within: 1h, facts: [stolen]}
  - {name: e, as: controller, to: x, facts: [stolen]}
  - {name: f, as: controller, to: x, within: 1h}
colour: red
)",
                                      "p.yaml", table);
  ASSERT_FALSE(wrong);
  for (const char* sentence :
       {"line 2: a type's name is of a-z", "line 3: there is no fact 'unheard'",
        "line 4: a type 'a' stands above already", "'party' is none of analysis",
        "'as' must be controller or processor", "'within' must say how long",
        "'facts' must say which facts bring the duty", "'colour'"}) {
    EXPECT_THAT(wrong.error().what, HasSubstr(sentence));
  }
}

TEST(ProcedureTest, TheShippedOneIsRightAndHasEveryType) {
  const auto read = [](const std::string& name) {
    return read_file(source_folder() + "/policies/" + name);
  };
  const auto table = SeverityTable::parse(read("severity.yaml"), "severity.yaml");
  ASSERT_TRUE(table) << table.error().what;
  const auto procedure = Procedure::parse(read("incidents.yaml"), "incidents.yaml", *table);
  ASSERT_TRUE(procedure) << procedure.error().what;
  for (const char* type :
       {"malware", "account_compromise", "data_exposure", "service", "mail_abuse", "physical",
        "vulnerability_report", "policy_violation", "lost_device"}) {
    const IncidentType* const found = procedure->find_type(type);
    ASSERT_NE(found, nullptr) << type;
    EXPECT_THAT(found->tasks, Not(IsEmpty())) << type;
  }
  EXPECT_EQ(procedure->find_duty("authority")->within, hours(72));
  EXPECT_EQ(procedure->review_from(), Severity::high);
}

}  // namespace
}  // namespace mailwarden::incident
