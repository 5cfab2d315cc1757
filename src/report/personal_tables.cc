#include "report/personal_tables.h"

#include <algorithm>

#include "access/decision_record.h"
#include "access/grant_table.h"
#include "access/sign_ins.h"
#include "alert/escalation_table.h"
#include "alert/outbox.h"
#include "alert/signal_table.h"
#include "base/check.h"
#include "detect/detection_table.h"
#include "identity/people_table.h"
#include "incident/incident_table.h"
#include "ingest/event_table.h"
#include "ledger/ledger.h"
#include "respond/run_table.h"

namespace mailwarden::report {

namespace {

std::vector<db::PersonalTable> make_personal_tables() {
  std::vector<db::PersonalTable> all{ingest::personal_events(), ledger::personal_entries(),
                                     access::personal_decisions(), access::personal_sign_ins(),
                                     alert::personal_escalations()};
  for (const auto& tables :
       {access::personal_tables(), alert::personal_tables(), alert::personal_signal_tables(),
        detect::personal_tables(), identity::personal_tables(), incident::personal_tables(),
        respond::personal_tables()}) {
    all.insert(all.end(), tables.begin(), tables.end());
  }
  return all;
}

}  // namespace

std::span<const db::PersonalTable> personal_tables() {
  static const auto all = make_personal_tables();
  return all;
}

const db::PersonalTable& personal_table(std::string_view name) {
  const auto found = std::ranges::find(personal_tables(), name, &db::PersonalTable::name);
  CHECK(found != personal_tables().end());
  return *found;
}

std::vector<std::string> personal_table_names() {
  std::vector<std::string> names;
  for (const db::PersonalTable& table : personal_tables()) names.emplace_back(table.name);
  return names;
}

}  // namespace mailwarden::report
