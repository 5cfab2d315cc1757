#include "report/pdf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temporary.h"

namespace mailwarden::report {
namespace {

using testing::HasSubstr;

struct Case {
  std::string name;
  std::string html;
  PdfOptions options;
  std::string told;
};
class NoPdf : public testing::TestWithParam<Case> {};

TEST_P(NoPdf, IsSaidWithItsReason) {
  const TemporaryFolder folder;
  write_file(folder.path("r.html"), GetParam().html);
  const auto made = make_pdf(folder.path("r.html"), folder.path("r.json"), GetParam().options);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().what, HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(
    , NoPdf,
    testing::Values(
        Case{"NotThere", "x", {.weasyprint = "/nowhere/w"}, "/nowhere/w: No such file"},
        Case{"Fails", "x", {.weasyprint = "/bin/false"}, "/bin/false: ended with 1"},
        Case{"WritesSomethingElse", "x", {.weasyprint = "/bin/echo"}, "is no PDF"},
        Case{"TooMuchHtml", "abc", {.weasyprint = "/bin/echo", .html_bytes_max = 2}, "too long"},
        Case{"TooLarge", "x", {.weasyprint = "/bin/echo", .bytes_max = 3}, "more than 3 bytes"},
        Case{"Cancelled",
             "x",
             {.weasyprint = "/bin/echo", .cancelled = [] { return true; }},
             "was cancelled"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace mailwarden::report
