#include "report/csv.h"

#include <gtest/gtest.h>

namespace mailwarden::report {
namespace {

struct Case {
  std::string name;
  json::Value value;
  std::string cell;
};
class CsvCell : public testing::TestWithParam<Case> {};

TEST_P(CsvCell, IsWrittenSo) {
  EXPECT_EQ(csv_cell(GetParam().value), GetParam().cell);
}

INSTANTIATE_TEST_SUITE_P(
    , CsvCell,
    testing::Values(Case{"Plain", "a line", "a line"}, Case{"Empty", "", ""},
                    Case{"Null", nullptr, ""}, Case{"Comma", "a,b", "\"a,b\""},
                    Case{"Quote", "a \"b\"", "\"a \"\"b\"\"\""}, Case{"Lines", "a\nb", "\"a\nb\""},
                    Case{"Equals", "=1+1", "'=1+1"}, Case{"Plus", "+1", "'+1"},
                    Case{"Minus", "-1", "'-1"}, Case{"At", "@SUM(A1)", "'@SUM(A1)"},
                    Case{"Tab", "\tx", "'\tx"}, Case{"Return", "\rx", "\"'\rx\""},
                    Case{"Both", "=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""},
                    Case{"Apostrophe", "'a", "''a"}, Case{"Inside", "a=b", "a=b"},
                    Case{"Number", -12, "-12"}, Case{"Truth", true, "true"},
                    Case{"Fraction", -1.5, "-1.5"},
                    Case{"Object", json::Object{{"a", 1}, {"b", "x"}},
                         "\"{\"\"a\"\":1,\"\"b\"\":\"\"x\"\"}\""}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace mailwarden::report
