// The severities that the security policy promises (W16), as policies/severity.yaml gives them: a
// situation, what is known of it, and the row and the facts that must be the reason.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "incident/severity.h"
#include "tests/temporary.h"

namespace mailwarden::incident {
namespace {

using testing::ElementsAreArray;

SeverityTable shipped() {
  const std::string file = source_folder() + "/policies/severity.yaml";
  return SeverityTable::parse(read_file(file), file).value();
}

struct Situation {
  std::string what;
  std::vector<std::pair<std::string, std::string>> known;  // a fact and its worth in words
  Severity severity = Severity::low;
  std::string row;
  std::vector<std::string> because;
};

void PrintTo(const Situation& situation, std::ostream* out) {
  *out << situation.what;
}

constexpr Severity low = Severity::low;
constexpr Severity medium = Severity::medium;
constexpr Severity high = Severity::high;
constexpr Severity extreme = Severity::extreme;

const std::string all_down = "all network services are down";
const std::string published = "confidential data was compromised and published";
const std::string compromised = "confidential data was compromised";
const std::string disrupted = "services are disrupted";
const std::string slow = "the performance of services is disrupted";
const std::string widespread = "malicious code is widespread";
const std::string took_rights = "an account was taken over and used to gain rights";
const std::string took_audit = "an account was taken over and the audit trail was touched";
const std::string reached = "a system was reached that policy keeps shut";
const std::string taken = "an account was taken over";
const std::string rights = "rights were gained outside the procedure";
const std::string audit = "the audit trail was touched";
const std::string degraded = "services are degraded";
const std::string limited = "services are slowed down";
const std::string late = "critical mail is late";
const std::string abused = "mail was abused";
const std::string one_host = "malicious code on one host";
const std::string tried = "an attack without known success";

const std::vector<Situation> situations{
    // "0 Low: minimal impact (e-mail spam, an isolated virus infection)"
    {"nothing is known", {}, low, "", {}},
    {"spam", {{"mail_abuse", "true"}}, low, abused, {"mail_abuse"}},
    {"spam to many",
     {{"mail_abuse", "true"}, {"subjects_affected", "5000"}},
     low,
     abused,
     {"mail_abuse"}},
    {"a virus on a host not told", {{"malware", "true"}}, low, one_host, {"malware"}},
    {"a virus on no host",
     {{"malware", "true"}, {"hosts_affected", "0"}},
     low,
     one_host,
     {"malware"}},
    {"a virus on one host",
     {{"malware", "true"}, {"hosts_affected", "1"}},
     low,
     one_host,
     {"malware"}},
    {"a virus on two hosts",
     {{"malware", "true"}, {"hosts_affected", "2"}},
     low,
     one_host,
     {"malware"}},
    {"a virus in spam", {{"malware", "true"}, {"mail_abuse", "true"}}, low, abused, {"mail_abuse"}},
    {"an attack that failed", {{"attack_attempted", "true"}}, low, tried, {"attack_attempted"}},
    {"an attack that failed on many hosts",
     {{"attack_attempted", "true"}, {"hosts_affected", "40"}},
     low,
     tried,
     {"attack_attempted"}},
    {"an attack that failed, with spam",
     {{"attack_attempted", "true"}, {"mail_abuse", "true"}},
     low,
     abused,
     {"mail_abuse"}},
    {"an attack that failed, with a virus",
     {{"attack_attempted", "true"}, {"malware", "true"}},
     low,
     one_host,
     {"malware"}},
    {"hosts alone", {{"hosts_affected", "100"}}, low, "", {}},
    {"accounts alone", {{"accounts_affected", "100"}}, low, "", {}},
    {"people alone", {{"subjects_affected", "100000"}}, low, "", {}},
    {"services looked at and found well", {{"services", "none"}}, low, "", {}},
    {"performance looked at and found well", {{"performance", "normal"}}, low, "", {}},
    {"published what was nobody's secret", {{"data_published", "true"}}, low, "", {}},

    // "1 Medium: significant (delayed or limited service, delayed delivery of critical e-mail or
    // data transfer)"
    {"a limited service", {{"services", "degraded"}}, medium, degraded, {"services=degraded"}},
    {"a delayed service", {{"performance", "limited"}}, medium, limited, {"performance=limited"}},
    {"a limited and delayed service",
     {{"services", "degraded"}, {"performance", "limited"}},
     medium,
     degraded,
     {"services=degraded"}},
    {"late mail", {{"mail_delayed", "true"}}, medium, late, {"mail_delayed"}},
    {"late mail for spam's sake",
     {{"mail_delayed", "true"}, {"mail_abuse", "true"}},
     medium,
     late,
     {"mail_delayed"}},
    {"late mail while services are well",
     {{"mail_delayed", "true"}, {"services", "none"}},
     medium,
     late,
     {"mail_delayed"}},
    {"late mail on a slow service",
     {{"mail_delayed", "true"}, {"performance", "limited"}},
     medium,
     limited,
     {"performance=limited"}},
    {"late mail on a limited service",
     {{"mail_delayed", "true"}, {"services", "degraded"}},
     medium,
     degraded,
     {"services=degraded"}},
    {"a virus that slows a service",
     {{"malware", "true"}, {"hosts_affected", "1"}, {"performance", "limited"}},
     medium,
     limited,
     {"performance=limited"}},
    {"a stranger in an account",
     {{"account_compromised", "true"}},
     medium,
     taken,
     {"account_compromised"}},
    {"a stranger in many accounts",
     {{"account_compromised", "true"}, {"accounts_affected", "12"}},
     medium,
     taken,
     {"account_compromised"}},
    {"a stranger who sends spam",
     {{"account_compromised", "true"}, {"mail_abuse", "true"}},
     medium,
     taken,
     {"account_compromised"}},
    {"rights gained", {{"privilege_gained", "true"}}, medium, rights, {"privilege_gained"}},
    {"logs stopped", {{"audit_tampered", "true"}}, medium, audit, {"audit_tampered"}},
    {"rights gained and logs stopped, by nobody known to be a stranger",
     {{"privilege_gained", "true"}, {"audit_tampered", "true"}},
     medium,
     rights,
     {"privilege_gained"}},
    {"somebody where policy lets nobody",
     {{"unpermitted_access", "true"}},
     medium,
     reached,
     {"unpermitted_access"}},
    {"somebody where policy lets nobody, with rights",
     {{"unpermitted_access", "true"}, {"privilege_gained", "true"}},
     medium,
     reached,
     {"unpermitted_access"}},
    {"published, and late mail",
     {{"data_published", "true"}, {"mail_delayed", "true"}},
     medium,
     late,
     {"mail_delayed"}},

    // "2 High: severe (disruption of services or of their performance; users' or the company's
    // proprietary or confidential data compromised; a virus or worm has become widespread)"
    {"services disrupted", {{"services", "down"}}, high, disrupted, {"services=down"}},
    {"performance disrupted",
     {{"performance", "disrupted"}},
     high,
     slow,
     {"performance=disrupted"}},
    {"services and performance disrupted",
     {{"services", "down"}, {"performance", "disrupted"}},
     high,
     disrupted,
     {"services=down"}},
    {"performance disrupted on a limited service",
     {{"services", "degraded"}, {"performance", "disrupted"}},
     high,
     slow,
     {"performance=disrupted"}},
    {"services disrupted and mail late",
     {{"services", "down"}, {"mail_delayed", "true"}},
     high,
     disrupted,
     {"services=down"}},
    {"data compromised", {{"data_compromised", "true"}}, high, compromised, {"data_compromised"}},
    {"data of one person compromised",
     {{"data_compromised", "true"}, {"subjects_affected", "1"}},
     high,
     compromised,
     {"data_compromised"}},
    {"data of a million people compromised",
     {{"data_compromised", "true"}, {"subjects_affected", "1000000"}},
     high,
     compromised,
     {"data_compromised"}},
    {"data compromised and services disrupted",
     {{"data_compromised", "true"}, {"services", "down"}},
     high,
     compromised,
     {"data_compromised"}},
    {"data compromised by a virus",
     {{"data_compromised", "true"}, {"malware", "true"}, {"hosts_affected", "1"}},
     high,
     compromised,
     {"data_compromised"}},
    {"data compromised through an account",
     {{"data_compromised", "true"}, {"account_compromised", "true"}},
     high,
     compromised,
     {"data_compromised"}},
    {"a virus on three hosts",
     {{"malware", "true"}, {"hosts_affected", "3"}},
     high,
     widespread,
     {"malware", "hosts_affected=3"}},
    {"a worm on a thousand hosts",
     {{"malware", "true"}, {"hosts_affected", "1000"}},
     high,
     widespread,
     {"malware", "hosts_affected=1000"}},
    {"a worm that slows services",
     {{"malware", "true"}, {"hosts_affected", "8"}, {"performance", "limited"}},
     high,
     widespread,
     {"malware", "hosts_affected=8"}},
    {"a worm that disrupts performance",
     {{"malware", "true"}, {"hosts_affected", "8"}, {"performance", "disrupted"}},
     high,
     slow,
     {"performance=disrupted"}},
    {"a stranger with rights",
     {{"account_compromised", "true"}, {"privilege_gained", "true"}},
     high,
     took_rights,
     {"account_compromised", "privilege_gained"}},
    {"a stranger who stops logs",
     {{"account_compromised", "true"}, {"audit_tampered", "true"}},
     high,
     took_audit,
     {"account_compromised", "audit_tampered"}},
    {"a stranger with rights who stops logs",
     {{"account_compromised", "true"}, {"privilege_gained", "true"}, {"audit_tampered", "true"}},
     high,
     took_rights,
     {"account_compromised", "privilege_gained"}},

    // "3 Extreme: catastrophic (shutdown of all network services; users' or proprietary or
    // confidential data compromised and published in a public place)"
    {"all services shut down",
     {{"services", "all_down"}},
     extreme,
     all_down,
     {"services=all_down"}},
    {"all services shut down by a worm",
     {{"services", "all_down"}, {"malware", "true"}, {"hosts_affected", "60"}},
     extreme,
     all_down,
     {"services=all_down"}},
    {"data compromised and published",
     {{"data_compromised", "true"}, {"data_published", "true"}},
     extreme,
     published,
     {"data_compromised", "data_published"}},
    {"data of one person compromised and published",
     {{"data_compromised", "true"}, {"data_published", "true"}, {"subjects_affected", "1"}},
     extreme,
     published,
     {"data_compromised", "data_published"}},
    {"data compromised and published through an account",
     {{"data_compromised", "true"}, {"data_published", "true"}, {"account_compromised", "true"}},
     extreme,
     published,
     {"data_compromised", "data_published"}},
    {"data compromised and published while services are down",
     {{"data_compromised", "true"}, {"data_published", "true"}, {"services", "down"}},
     extreme,
     published,
     {"data_compromised", "data_published"}},
    {"all services shut down, data compromised and published",
     {{"services", "all_down"}, {"data_compromised", "true"}, {"data_published", "true"}},
     extreme,
     all_down,
     {"services=all_down"}},
    {"all services shut down and mail late",
     {{"services", "all_down"}, {"mail_delayed", "true"}},
     extreme,
     all_down,
     {"services=all_down"}}};

class ShippedSeverity : public testing::TestWithParam<Situation> {};

TEST_P(ShippedSeverity, IsWhatThePolicyPromises) {
  const SeverityTable table = shipped();
  Facts facts;
  for (const auto& [fact, worth] : GetParam().known) {
    facts[fact] = table.read_worth(fact, worth).value();
  }
  const Classification found = classify(table, facts);
  EXPECT_EQ(found.severity, GetParam().severity);
  EXPECT_EQ(found.row, GetParam().row);
  EXPECT_THAT(found.because, ElementsAreArray(GetParam().because));
}

INSTANTIATE_TEST_SUITE_P(W16, ShippedSeverity, testing::ValuesIn(situations));

TEST(ShippedSeverities, EveryRowIsTheReasonOfASituation) {
  std::set<std::string> reasons;
  for (const Situation& situation : situations) reasons.insert(situation.row);
  const SeverityTable table = shipped();
  for (const Row& row : table.rows()) EXPECT_TRUE(reasons.contains(row.name)) << row.name;
}

// Facts told one after the other, as they come to light.
TEST(ShippedSeverities, AddingAFactNeverLowersOne) {
  const SeverityTable table = shipped();
  std::mt19937 random(16);
  std::array<int, 4> seen{};
  for (int incident = 0; incident < 20'000; ++incident) {
    Facts facts;
    Severity before = Severity::low;
    for (int told = 0; told < 12; ++told) {
      auto fact = table.facts().begin();
      std::advance(fact, random() % table.facts().size());
      const auto worths = fact->second.kind == FactKind::Kind::words   ? fact->second.words.size()
                          : fact->second.kind == FactKind::Kind::truth ? 2
                                                                       : 6;
      auto& worth = facts[fact->first];
      worth = std::max(worth, static_cast<std::int64_t>(random() % worths));
      const Classification found = classify(table, facts);
      ASSERT_GE(found.severity, before) << fact->first << " in incident " << incident;
      before = found.severity;
    }
    ++seen[static_cast<std::size_t>(before)];
  }
  for (const int count : seen) EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace mailwarden::incident
