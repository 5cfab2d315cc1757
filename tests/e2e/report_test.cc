// Reports as an auditor has them: bundles of files, with nothing but the public key, and with a
// store.
#include <filesystem>

#include "json/value.h"
#include "tests/e2e/daemon.h"
#include "tests/e2e/installed_programs.h"
#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;
using testing::Not;

// The first report of that kind in the folder, without its ending.
std::string report_in(const std::string& folder, const std::string& kind) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kind) && name.ends_with(".html")) return entry.path().stem();
  }
  return {};
}

class ReportCommand : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    daemon_ = std::make_unique<TestDaemon>();
    write_file(daemon_->path("auth.log"), ssh_log(300));
    ASSERT_EQ(daemon_->once("file:" + daemon_->path("auth.log") + ",name=auth,year=2026"), 0)
        << daemon_->output();
  }
  static void TearDownTestSuite() { daemon_.reset(); }

  void SetUp() override {
    std::filesystem::copy(daemon_->path("reports"), folder_.path("reports"));
    stem_ = folder_.path("reports/" + report_in(folder_.path("reports"), "audit"));
  }

  Ran verify(std::vector<std::string> more = {}) const {
    std::vector<std::string> all{"mailwarden",    "report", "verify",
                                 stem_ + ".json", "--key",  daemon_->path("key.pub")};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  }
  // One place of a file's text, replaced.
  void replace(const std::string& ending, const std::string& what, const std::string& by) const {
    std::string text = read_file(stem_ + ending);
    const std::size_t at = text.find(what);
    ASSERT_NE(at, std::string::npos) << ending << " has no " << what;
    write_file(stem_ + ending, text.replace(at, what.size(), by));
  }

  static inline std::unique_ptr<TestDaemon> daemon_;
  TemporaryFolder folder_;
  std::string stem_;
};

TEST_F(ReportCommand, ABundleIsGoodByItselfAndAgainstItsStore) {
  const Ran alone = verify();
  EXPECT_EQ(alone.code, 0) << alone.output;
  EXPECT_THAT(alone.output, HasSubstr("good: 9 row sets"));
  EXPECT_THAT(alone.output, Not(HasSubstr("note")));
  const Ran asked = verify({"--store", daemon_->store()});
  EXPECT_EQ(asked.code, 0) << asked.output;
  EXPECT_THAT(asked.output, HasSubstr("issued with these very bytes"));
  const auto told = json::parse(verify({"--format", "json"}).output);
  ASSERT_TRUE(told);
  EXPECT_EQ((*told)["good"], json::Value(true));
  EXPECT_GT(told->integer("proven"), 0);
}

struct SpoiltFile {
  std::string name;
  std::string ending;
  std::string what;
  std::string by;
  std::string told;
};

TEST_F(ReportCommand, WhatSomebodyChangedIsNamed) {
  const SpoiltFile all[] = {
      {"figure", ".json", "\"events\": 300", "\"events\": 299", "'events': the report says 299"},
      {"verdict", ".json", "\"good\": true", "\"good\": false", ".json: it has"},
      {"html", ".html", "300 events", "301 events", ".html: its SHA-256"},
      {"csv", ".detections.csv", "203.0.113.", "203.0.112.", ".detections.csv: from line 2 on"},
      {"manifest", ".manifest.json", "\"sha256\": \"", "\"sha256\": \"0",
       ".manifest.json: the signature of 'example.com/test' is wrong"},
      {"signature", ".manifest.json.sig", "example.com/test ", "example.com/best ",
       ".manifest.json: it is not signed by the key"}};
  for (const SpoiltFile& one : all) {
    SCOPED_TRACE(one.name);
    const std::string whole = read_file(stem_ + one.ending);
    replace(one.ending, one.what, one.by);
    const Ran ran = verify();
    EXPECT_EQ(ran.code, 1);
    EXPECT_THAT(ran.output, HasSubstr(one.told));
    write_file(stem_ + one.ending, whole);
  }
  EXPECT_EQ(verify().code, 0);
}

TEST_F(ReportCommand, WhatIsNoReportIsSaidAndItsExitCodeTellsWhy) {
  write_file(stem_ + ".json", "{}");
  EXPECT_EQ(verify().code, 1);
  std::filesystem::remove(stem_ + ".json");
  EXPECT_EQ(verify().code, 3);
  EXPECT_EQ(run({"mailwarden", "report", "verify", stem_ + ".json"}).code, 2);
}

class ReportAsPdf : public testing::Test {
 protected:
  void SetUp() override {
    programs_ = installed_programs("pdf");
    if (programs_.empty()) GTEST_SKIP() << "WeasyPrint or veraPDF cannot be installed here";
  }
  // What veraPDF says of a file, at PDF/A-3b.
  Ran judge(const std::string& file) const {
    Process verapdf({"/usr/bin/java", "-cp", programs_ + "/jars/*",
                     "org.verapdf.apps.GreenfieldCliWrapper", "-f", "3b", "--format", "text", file},
                    folder_.path("judged"));
    const int code = verapdf.wait();
    return {code, read_file(folder_.path("judged"))};
  }

  // How the file that is attached stands to the PDF, and what is in it.
  std::string attached(const std::string& file) const {
    Process pypdf({programs_ + "/bin/python", "-c",
                   "import pypdf, sys\n"
                   "r = pypdf.PdfReader(sys.argv[1])\n"
                   "one = r.trailer['/Root']['/AF'][0].get_object()\n"
                   "data = one['/EF']['/F'].get_object().get_data().decode()\n"
                   "open(sys.argv[2], 'w').write(one['/AFRelationship'] + ' ' + data)",
                   file, folder_.path("attached")},
                  folder_.path("pypdf"));
    EXPECT_EQ(pypdf.wait(), 0) << read_file(folder_.path("pypdf"));
    return read_file(folder_.path("attached"));
  }

  std::string programs_;
  TemporaryFolder folder_;
};

TEST_F(ReportAsPdf, PassesAsPdfA3AndHoldsTheJson) {
  TestDaemon daemon;
  write_file(daemon.path("auth.log"), ssh_log(300));
  ASSERT_EQ(daemon.once("file:" + daemon.path("auth.log") + ",name=auth,year=2026",
                        {"--weasyprint", programs_ + "/bin/weasyprint"}),
            0)
      << daemon.output();
  for (const std::string kind : {"audit", "retention"}) {
    const std::string stem = daemon.path("reports/" + report_in(daemon.path("reports"), kind));
    const Ran judged = judge(stem + ".pdf");
    EXPECT_EQ(judged.code, 0) << judged.output << daemon.output();
    EXPECT_THAT(judged.output, HasSubstr("PASS"));
    EXPECT_EQ(attached(stem + ".pdf"), "/Source " + read_file(stem + ".json"));
    EXPECT_EQ(
        run({"mailwarden", "report", "verify", stem + ".json", "--key", daemon.path("key.pub")})
            .code,
        0);
    write_file(folder_.path("cut.pdf"), read_file(stem + ".pdf").substr(0, 10'000));
  }
  // The judge can say no.
  EXPECT_NE(judge(folder_.path("cut.pdf")).code, 0);
}

TEST(ReportWithoutPdf, TheProgramThatIsNotThereIsSaidAndTheBundleIsWhole) {
  TestDaemon daemon;
  write_file(daemon.path("auth.log"), ssh_log(30));
  ASSERT_EQ(daemon.once("file:" + daemon.path("auth.log") + ",name=auth,year=2026",
                        {"--weasyprint", "/nowhere/weasyprint"}),
            0);
  EXPECT_THAT(daemon.output(), HasSubstr("/nowhere/weasyprint"));
  const std::string stem = daemon.path("reports/" + report_in(daemon.path("reports"), "audit"));
  EXPECT_EQ(
      run({"mailwarden", "report", "verify", stem + ".json", "--key", daemon.path("key.pub")}).code,
      0);
}

}  // namespace
}  // namespace mailwarden
