#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/html.h"
#include "tests/report/sample.h"

namespace mailwarden::report {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<std::string> found(const std::string& html, const std::string& pattern) {
  const std::regex regex(pattern, std::regex::icase);
  std::vector<std::string> all;
  for (std::sregex_iterator it(html.begin(), html.end(), regex); it != std::sregex_iterator();
       ++it) {
    all.push_back(it->str());
  }
  return all;
}

class RenderTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    fill(store_);
    const auto policies = sample_policies();
    const auto built =
        GetParam() == "audit"
            ? build_audit(store_.database(), week_of(store_), options_of(store_))
            : build_retention(store_.database(), week_of(store_), policies, options_of(store_));
    ASSERT_TRUE(built) << built.error().what;
    report_ = *built;
    html_ = render_html(report_);
  }

  ReportStore store_;
  json::Value report_;
  std::string html_;
};

TEST_P(RenderTest, IsOneWholeDocument) {
  EXPECT_TRUE(html_.starts_with("<!doctype html>"));
  EXPECT_THAT(html_, HasSubstr("</html>"));
  EXPECT_THAT(html_, HasSubstr("<style>"));
  EXPECT_EQ(found(html_, "<h1>").size(), 1U);
  for (const std::string mark : {"{{title}}", "{{style}}", "{{lead}}", "{{sections}}"}) {
    EXPECT_THAT(html_, Not(HasSubstr(mark)));
  }
}

TEST_P(RenderTest, LoadsNothingFromElsewhere) {
  EXPECT_THAT(found(html_, R"(<(script|link|img|iframe|object|embed|base|form|audio|video)\b)"),
              testing::IsEmpty());
  EXPECT_THAT(found(html_, R"(@import|url\()"), testing::IsEmpty());
  EXPECT_THAT(found(html_, R"(\son\w+\s*=\s*")"), testing::IsEmpty());
  EXPECT_THAT(found(html_, R"((src|href|action|srcset|data)\s*=\s*"(?!#))"), testing::IsEmpty());
}

TEST_P(RenderTest, EscapesTextThatComesFromOutside) {
  EXPECT_THAT(html_, HasSubstr(escape(hostile)));
  EXPECT_THAT(html_, Not(HasSubstr("<script")));
  EXPECT_THAT(html_, Not(HasSubstr("alert('1')")));
}

TEST_P(RenderTest, EveryLinkPointsIntoTheDocument) {
  for (const std::string& link : found(html_, R"(href="#[^"]*")")) {
    const std::string id = link.substr(7, link.size() - 8);
    EXPECT_THAT(html_, HasSubstr("id=\"" + id + "\""));
  }
}

TEST_P(RenderTest, ShowsTheCheckpointAndTheKey) {
  EXPECT_THAT(html_, HasSubstr(escape(report_["rests_on"].text("checkpoint"))));
  EXPECT_THAT(html_, HasSubstr(escape(report_["rests_on"].text("verifier_key"))));
  EXPECT_THAT(html_, HasSubstr("The ledger verifies."));
}

TEST_P(RenderTest, SaysLoudlyThatTheLedgerDoesNotVerify) {
  json::Object ledger = *report_["ledger"].as_object();
  ledger["good"] = false;
  ledger["failures"] =
      json::Array{json::Object{{"place", "entry 17"}, {"what", "its record is changed <b>"}}};
  (*report_.as_object())["ledger"] = ledger;
  const std::string html = render_html(report_);
  EXPECT_THAT(html, Not(HasSubstr("The ledger verifies.")));
  EXPECT_THAT(html, HasSubstr("The ledger does not verify."));
  EXPECT_THAT(html, HasSubstr("entry 17"));
  EXPECT_THAT(html, HasSubstr("its record is changed &lt;b&gt;"));
}

TEST_P(RenderTest, TheSameReportHasTheSameBytes) {
  EXPECT_EQ(render_html(json::parse(json::to_text(report_)).value()), html_);
}

// A report that somebody edited must not crash or open a hole.
TEST_P(RenderTest, AReportWithNothingInItIsStillADocument) {
  const std::string html = render_html(json::Object{{"report", GetParam()}});
  EXPECT_TRUE(html.starts_with("<!doctype html>"));
  EXPECT_THAT(html, Not(HasSubstr("The ledger verifies.")));
}

INSTANTIATE_TEST_SUITE_P(, RenderTest, testing::Values("audit", "retention"),
                         [](const auto& tested) { return tested.param; });

TEST(Render, AnAuditTellsIncidentsActsGapsAndWhatWasLeftOut) {
  ReportStore store;
  fill(store);
  json::Object report = build_audit(store.database(), week_of(store), options_of(store)).value();
  const std::string html = render_html(report);
  EXPECT_THAT(html, HasSubstr("id=\"incident-1\""));
  EXPECT_THAT(html, HasSubstr("id=\"incident-2\""));
  EXPECT_THAT(html, HasSubstr(escape("bob " + hostile)));
  EXPECT_THAT(html, HasSubstr(escape("gap " + hostile)));
  EXPECT_THAT(html, HasSubstr(escape("why " + hostile)));
  EXPECT_THAT(html, HasSubstr(escape("row " + hostile)));
  EXPECT_THAT(html, Not(HasSubstr("more are in the store")));
  report["left_out"] = json::Object{{"incidents", 12}};
  EXPECT_THAT(render_html(report), HasSubstr("12 more are in the store"));
}

TEST(Render, ARetentionReportTellsWhatIsDueAndWhatNoPolicyTakes) {
  ReportStore store;
  fill(store);
  store.events("web", {begin - 20 * day}, begin);
  store.seal();
  const auto policies = sample_policies();
  const std::string html = render_html(
      build_retention(store.database(), week_of(store), policies, options_of(store)).value());
  EXPECT_THAT(html, HasSubstr(escape("basis " + hostile)));
  EXPECT_THAT(html, HasSubstr(escape("case " + hostile)));
  EXPECT_THAT(html, HasSubstr("<li>" + escape(hostile)));
  EXPECT_THAT(html, Not(HasSubstr("Nothing is due.")));
  EXPECT_THAT(html, HasSubstr("Nothing was removed in this period."));
}

TEST(Escape, MakesEveryTextHarmless) {
  EXPECT_EQ(escape("<script>alert('1')</script>"),
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
  EXPECT_EQ(escape("a & \"b\""), "a &amp; &quot;b&quot;");
  EXPECT_EQ(escape("Gr\xC3\xBC\xC3\x9F"
                   "e\n\tx"),
            "Gr\xC3\xBC\xC3\x9F"
            "e\n\tx");
  EXPECT_EQ(escape("\xFF<"), "\xEF\xBF\xBD&lt;");
  EXPECT_EQ(escape(std::string_view("\0\x1B", 2)), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Html, TablesEscapeNamesAndSayWhenTheyAreEmpty) {
  EXPECT_THAT(table({{"<A>"}, {"B", true}}, {{"1", "2"}}, "none"), HasSubstr("&lt;A&gt;"));
  const std::string empty = table({{"A"}}, {}, "none & nothing");
  EXPECT_THAT(empty, HasSubstr("none &amp; nothing"));
  EXPECT_THAT(empty, Not(HasSubstr("<table")));
}

TEST(Html, ABarChartDrawsAtMostItsLimitAndEscapesNames) {
  const std::vector<Bar> bars(bars_max + 50, {.name = "<b>", .value = 3, .classes = ""});
  const std::string chart = bar_chart(bars, "<title>");
  EXPECT_LE(found(chart, "<rect").size(), bars_max);
  EXPECT_GE(found(chart, "<rect").size(), 1U);
  EXPECT_THAT(chart, Not(HasSubstr("<b>")));
  EXPECT_THAT(chart, HasSubstr("&lt;title&gt;"));
}

TEST(Html, ABarChartOfNothingAndOfZeroesIsNoTrouble) {
  EXPECT_THAT(bar_chart({}, "t"), Not(HasSubstr("nan")));
  const std::string chart = bar_chart({{.name = "a", .value = 0, .classes = ""}}, "t");
  EXPECT_THAT(chart, Not(HasSubstr("nan")));
  EXPECT_THAT(chart, Not(HasSubstr("inf")));
}

}  // namespace
}  // namespace mailwarden::report
