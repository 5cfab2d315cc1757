#include "report/pdf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temporary.h"

namespace mailwarden::report {
namespace {

using testing::HasSubstr;

struct PdfCase {
  std::string name;
  std::string html;
  PdfOptions options;
  std::string told;
};
class NoPdf : public testing::TestWithParam<PdfCase> {};

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
        PdfCase{"NotThere", "x", {.weasyprint = "/nowhere/w"}, "/nowhere/w: No such file"},
        PdfCase{"Fails", "x", {.weasyprint = "/bin/false"}, "/bin/false: ended with 1"},
        PdfCase{"WritesSomethingElse", "x", {.weasyprint = "/bin/echo"}, "is no PDF"},
        PdfCase{"TooMuchHtml", "abc", {.weasyprint = "/bin/echo", .html_bytes_max = 2}, "too long"},
        PdfCase{"TooLarge", "x", {.weasyprint = "/bin/echo", .bytes_max = 3}, "more than 3 bytes"},
        PdfCase{"Cancelled",
                "x",
                {.weasyprint = "/bin/echo", .cancelled = [] { return true; }},
                "was cancelled"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace mailwarden::report
