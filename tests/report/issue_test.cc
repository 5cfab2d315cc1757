#include "report/issue.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/sha256.h"
#include "report/bundle.h"
#include "tests/report/sample.h"
#include "tests/temporary.h"

namespace mailwarden::report {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// JSON, HTML, manifest and signature of each, nine tables of the audit and two of the retention.
constexpr std::size_t files_of_both = 2 * 4 + 9 + 2;

class IssueTest : public testing::Test {
 protected:
  void SetUp() override { fill(store_); }

  Result<std::vector<Issued>> issue(Timestamp now) {
    return issue_due(
        store_.database(), policies_,
        {.folder = folder_.path("reports"), .key = store_.key(), .signer = store_.signer()}, now);
  }
  // What the caller does behind it.
  void record(const std::vector<Issued>& issued, Timestamp now) {
    for (const Issued& one : issued) store_.record("report", to_record(one), now);
    store_.seal();
  }
  std::string text(const std::string& file) { return read_file(folder_.path("reports/" + file)); }
  ReportVerdict verify(const std::string& stem) {
    const std::string file = folder_.path("reports/" + stem + ".json");
    const auto report = read_report(read_file(file));
    EXPECT_TRUE(report);
    ReportVerdict verdict = check_report(*report, store_.key());
    check_bundle(file, *report, store_.key(), verdict);
    return verdict;
  }
  std::size_t files() {
    std::filesystem::directory_iterator all(folder_.path("reports"));
    return static_cast<std::size_t>(std::ranges::distance(all));
  }

  TemporaryFolder folder_;
  ReportStore store_;
  std::vector<privacy::RetentionPolicy> policies_ = sample_policies();
};

TEST_F(IssueTest, WritesBothReportsAsHtmlWithATwinInJson) {
  const auto issued = issue(begin + day);
  ASSERT_TRUE(issued) << issued.error().what;
  ASSERT_EQ(issued->size(), 2U);
  EXPECT_EQ(issued->at(0).kind, "audit");
  EXPECT_EQ(issued->at(1).kind, "retention");
  EXPECT_EQ(files(), files_of_both);
  const std::string note = ledger::last_checkpoint(store_.database()).value();
  for (const Issued& one : *issued) {
    SCOPED_TRACE(one.file);
    EXPECT_TRUE(one.file.ends_with(".html"));
    EXPECT_EQ(one.period.to, begin + day);
    const std::string json = text(one.file.substr(0, one.file.size() - 5) + ".json");
    EXPECT_EQ(crypto::to_hex(crypto::sha256(json)), one.digest);
    const auto parsed = json::parse(json);
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(parsed->text("report"), one.kind);
    EXPECT_EQ((*parsed)["rests_on"].text("checkpoint"), note);
    EXPECT_TRUE(*(*parsed)["ledger"]["good"].as_bool());
    // What a machine reads and what a person reads cannot differ.
    EXPECT_EQ(text(one.file), render_html(*parsed));
  }
}

TEST_F(IssueTest, ABundleHoldsByItself) {
  const auto issued = issue(begin + day).value();
  for (const Issued& one : issued) {
    const std::string stem = one.file.substr(0, one.file.size() - 5);
    const ReportVerdict verdict = verify(stem);
    EXPECT_TRUE(verdict.good()) << to_words(verdict);
    EXPECT_THAT(verdict.notes, IsEmpty());
    EXPECT_EQ(crypto::to_hex(crypto::sha256(text(stem + ".manifest.json"))), one.manifest);
  }
}

TEST_F(IssueTest, EveryFileThatIsChangedCutOrGoneIsNamed) {
  const std::string html = issue(begin + day).value().at(0).file;
  const std::string stem = html.substr(0, html.size() - 5);
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path("reports"))) {
    const std::string name = entry.path().filename();
    if (name.starts_with(stem + ".") && !name.ends_with(stem + ".json")) names.push_back(name);
  }
  ASSERT_EQ(names.size(), 12U);  // HTML, nine tables, manifest and signature
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const std::string whole = text(name);
    const std::string path = folder_.path("reports/" + name);
    // A signature is told where what it signs is.
    const bool signature = name.ends_with(".sig");
    const std::string place = "file " + name.substr(0, name.size() - (signature ? 4 : 0));
    std::string changed = whole;
    changed[changed.size() / 2] ^= 1;
    for (const std::string& spoilt : {changed, whole.substr(0, whole.size() - 9), whole + "x"}) {
      write_file(path, spoilt);
      EXPECT_THAT(to_words(verify(stem)), HasSubstr(place + ": "));
    }
    std::filesystem::remove(path);
    EXPECT_THAT(to_words(verify(stem)), HasSubstr(place + ": "));
    write_file(path, whole);
    ASSERT_TRUE(verify(stem).good());
  }
  write_file(folder_.path("reports/" + stem + ".more.csv"), "a\r\n");
  EXPECT_THAT(to_words(verify(stem)), HasSubstr("more.csv: the manifest does not name it"));
}

TEST_F(IssueTest, AManifestOfAnotherReportDoesNotServe) {
  const auto issued = issue(begin + day).value();
  const std::string audit = issued[0].file.substr(0, issued[0].file.size() - 5);
  const std::string other = issued[1].file.substr(0, issued[1].file.size() - 5);
  for (const std::string ending : {".manifest.json", ".manifest.json.sig"}) {
    write_file(folder_.path("reports/" + audit + ending), text(other + ending));
  }
  const std::string told = to_words(verify(audit));
  EXPECT_THAT(told, HasSubstr("its 'report' is not the report's"));
  EXPECT_THAT(told, HasSubstr("it does not name the report"));
}

TEST_F(IssueTest, WithoutAManifestWhatIsNotSignedIsSaid) {
  const std::string html = issue(begin + day).value().at(0).file;
  const std::string stem = html.substr(0, html.size() - 5);
  for (const std::string ending : {".manifest.json", ".manifest.json.sig"}) {
    std::filesystem::remove(folder_.path("reports/" + stem + ending));
  }
  const ReportVerdict verdict = verify(stem);
  EXPECT_TRUE(verdict.good());
  EXPECT_THAT(verdict.notes, testing::Contains(HasSubstr("no manifest is beside it")));
}

// A program that is not there, one that fails and one that writes something else.
TEST_F(IssueTest, WithoutItsPdfABundleIsWholeAndSaysWhy) {
  int hour = 0;
  for (const char* const program : {"/nowhere/weasyprint", "/bin/false", "/bin/echo"}) {
    SCOPED_TRACE(program);
    const auto issued = issue_due(store_.database(), policies_,
                                  {.folder = folder_.path("reports"),
                                   .key = store_.key(),
                                   .signer = store_.signer(),
                                   .weasyprint = program},
                                  begin + day + std::chrono::hours(++hour));
    ASSERT_TRUE(issued) << issued.error().what;
    for (const Issued& one : *issued) {
      EXPECT_THAT(one.trouble, HasSubstr(program));
      EXPECT_TRUE(verify(one.file.substr(0, one.file.size() - 5)).good());
    }
  }
}

TEST_F(IssueTest, TheRecordNamesFilePeriodAndDigest) {
  const Issued issued{.kind = "audit",
                      .file = "audit-1.html",
                      .digest = "abcd",
                      .manifest = "ef01",
                      .period = {begin, begin + day, {4, 9}}};
  const json::Object expected{{"end", 9},           {"file", "audit-1.html"},
                              {"first", 4},         {"from", to_rfc3339(begin)},
                              {"manifest", "ef01"}, {"report", "audit"},
                              {"sha256", "abcd"},   {"to", to_rfc3339(begin + day)}};
  EXPECT_EQ(to_record(issued), expected);
}

TEST_F(IssueTest, NothingNewMeansNoReport) {
  record(issue(begin + day).value(), begin + day);
  store_.record("state", {{"tables", json::Object()}}, begin + day);
  const auto again = issue(begin + 2 * day);
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_THAT(*again, IsEmpty());
  EXPECT_EQ(files(), files_of_both);
}

TEST_F(IssueTest, TheNextReportBeginsWhereTheLastEnded) {
  const std::int64_t covered = store_.next_entry();
  record(issue(begin + day).value(), begin + day);
  store_.record("gap", {{"source", "a"}, {"what", "in between"}}, begin + 3 * day);
  store_.seal();
  const auto next = issue(begin + 4 * day);
  ASSERT_TRUE(next) << next.error().what;
  ASSERT_EQ(next->size(), 2U);
  for (const Issued& one : *next) {
    EXPECT_EQ(one.period.from, begin + day);
    EXPECT_EQ(one.period.to, begin + 4 * day);
    EXPECT_EQ(one.period.entries.first, covered);
    EXPECT_EQ(one.period.entries.end, store_.next_entry());
  }
  EXPECT_EQ(files(), 2 * files_of_both);
  EXPECT_THAT(text(next->at(0).file), HasSubstr("in between"));
}

TEST_F(IssueTest, AClockSetBackMakesNoPeriodThatEndsBeforeItBegins) {
  record(issue(begin + 5 * day).value(), begin + 5 * day);
  store_.record("gap", {{"source", "a"}, {"what", "made while the clock was back"}},
                begin + 2 * day);
  store_.seal();
  const auto next = issue(begin + 2 * day);
  ASSERT_TRUE(next) << next.error().what;
  for (const Issued& one : *next) EXPECT_LE(one.period.from, one.period.to);
  EXPECT_THAT(text(next->at(0).file), HasSubstr("made while the clock was back"));
}

TEST_F(IssueTest, WithoutACheckpointItSaysSo) {
  ReportStore empty;
  const auto issued = issue_due(
      empty.database(), policies_,
      {.folder = folder_.path("reports"), .key = empty.key(), .signer = empty.signer()}, begin);
  ASSERT_FALSE(issued);
  EXPECT_EQ(issued.error().code, Code::not_found);
  EXPECT_FALSE(std::filesystem::exists(folder_.path("reports")));
}

TEST_F(IssueTest, AFolderThatCannotBeWrittenIsAnError) {
  write_file(folder_.path("reports"), "a file is in the way");
  EXPECT_FALSE(issue(begin + day));
}

TEST_F(IssueTest, ADamagedLedgerIsReportedAndNotHidden) {
  ASSERT_TRUE(store_.database().execute("DELETE FROM event WHERE number = 4"));
  const auto issued = issue(begin + day);
  ASSERT_TRUE(issued) << issued.error().what;
  for (const Issued& one : *issued) {
    EXPECT_THAT(text(one.file), HasSubstr("The ledger does not verify."));
  }
}

}  // namespace
}  // namespace mailwarden::report
