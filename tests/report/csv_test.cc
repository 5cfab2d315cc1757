#include "report/csv.h"

#include <gtest/gtest.h>

namespace mailwarden::report {
namespace {

struct CellCase {
  std::string name;
  json::Value value;
  std::string cell;
};
class CsvCell : public testing::TestWithParam<CellCase> {};

TEST_P(CsvCell, IsWrittenSo) {
  EXPECT_EQ(csv_cell(GetParam().value), GetParam().cell);
}

INSTANTIATE_TEST_SUITE_P(
    , CsvCell,
    testing::Values(CellCase{"Plain", "a line", "a line"}, CellCase{"Empty", "", ""},
                    CellCase{"Null", nullptr, ""}, CellCase{"Comma", "a,b", "\"a,b\""},
                    CellCase{"Quote", "a \"b\"", "\"a \"\"b\"\"\""},
                    CellCase{"Lines", "a\nb", "\"a\nb\""}, CellCase{"Equals", "=1+1", "'=1+1"},
                    CellCase{"Plus", "+1", "'+1"}, CellCase{"Minus", "-1", "'-1"},
                    CellCase{"At", "@SUM(A1)", "'@SUM(A1)"}, CellCase{"Tab", "\tx", "'\tx"},
                    CellCase{"Return", "\rx", "\"'\rx\""},
                    CellCase{"Both", "=HYPERLINK(\"x\",\"y\")",
                             "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""},
                    CellCase{"Apostrophe", "'a", "''a"}, CellCase{"Inside", "a=b", "a=b"},
                    CellCase{"Number", -12, "-12"}, CellCase{"Truth", true, "true"},
                    CellCase{"Fraction", -1.5, "-1.5"},
                    CellCase{"Object", json::Object{{"a", 1}, {"b", "x"}},
                             "\"{\"\"a\"\":1,\"\"b\"\":\"\"x\"\"}\""}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace mailwarden::report
