#include "identity/people_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/identity/people_maker.h"

namespace mailwarden::identity {
namespace {

using testing::ElementsAre;
using Cells = std::vector<std::string>;

struct Form {
  const char* name;
  std::string text;
  std::vector<CsvRow> rows;
};

class Csv : public testing::TestWithParam<Form> {};

TEST_P(Csv, IsReadAsRfc4180HasIt) {
  const auto rows = read_csv(GetParam().text);
  ASSERT_TRUE(rows) << rows.error().what;
  EXPECT_EQ(*rows, GetParam().rows);
}

INSTANTIATE_TEST_SUITE_P(
    , Csv,
    testing::Values(
        Form{"Nothing", "", {}}, Form{"EmptyLines", "\n\r\n\n", {}},
        Form{"OneCell", "a", {{1, {"a"}}}},
        Form{"LineFeeds", "a,b\nc,d\n", {{1, {"a", "b"}}, {2, {"c", "d"}}}},
        Form{"CarriageReturns", "a,b\r\nc,d\r\n", {{1, {"a", "b"}}, {2, {"c", "d"}}}},
        Form{"NoEndAtTheEnd", "a\r\nb", {{1, {"a"}}, {2, {"b"}}}},
        Form{"EmptyCells", ",\n,,\n", {{1, {"", ""}}, {2, {"", "", ""}}}},
        Form{"EmptyQuotedCell", "\"\"\n", {{1, {""}}}},
        Form{"BlanksBelongToTheCell", " a , b \n", {{1, {" a ", " b "}}}},
        Form{"Quotes", R"("a,b","say ""hi""","")", {{1, {"a,b", R"(say "hi")", ""}}}},
        Form{"LinesInQuotes", "\"a\r\nb\",c\nd,e\n", {{1, {"a\r\nb", "c"}}, {3, {"d", "e"}}}},
        Form{"LinesAreCounted", "a\n\n\nb\n", {{1, {"a"}}, {4, {"b"}}}},
        Form{"ByteOrderMark", "\xEF\xBB\xBFid\n", {{1, {"id"}}}},
        Form{"ByteOrderMarkBeforeAQuote", "\xEF\xBB\xBF\"id\"\n", {{1, {"id"}}}},
        Form{"Umlauts", "Jürgen,Łódź\n", {{1, {"Jürgen", "Łódź"}}}}),
    [](const auto& tested) { return tested.param.name; });

struct Mistake {
  const char* name;
  std::string text;
  const char* sentence;
};

class CsvMistake : public testing::TestWithParam<Mistake> {};

TEST_P(CsvMistake, IsToldWithItsLine) {
  const auto rows = read_csv(GetParam().text);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, Code::invalid);
  EXPECT_EQ(rows.error().what, GetParam().sentence);
}

INSTANTIATE_TEST_SUITE_P(
    , CsvMistake,
    testing::Values(Mistake{"QuoteInside", "a\nb\"c\n",
                            "line 2: a quote stands inside a cell that does not begin with it"},
                    Mistake{"SomethingBehindAQuote", "\"a\"b\n",
                            "line 1: something stands behind a closing quote"},
                    Mistake{"BlankBehindAQuote", "\"a\" ,b\n",
                            "line 1: something stands behind a closing quote"},
                    Mistake{"QuoteNeverClosed", "a\n\"b\nc\nd\n",
                            "line 2: a quote is never closed"},
                    Mistake{"QuoteDoubledToTheEnd", "\"a\"\"", "line 1: a quote is never closed"},
                    Mistake{"CarriageReturnAlone", "a\rb\n",
                            "line 1: a carriage return stands without a line feed"},
                    Mistake{"NoUtf8", "a\n\xFF\n", "line 2: it is not UTF-8"},
                    Mistake{"Utf16", std::string("\xFF\xFEi\0d\0", 6), "line 1: it is not UTF-8"}),
    [](const auto& tested) { return tested.param.name; });

TEST(ReadCsv, HasLimits) {
  const auto refused = [](const CsvLimits& limits) {
    const auto rows = read_csv("a,b\nc,d\n", limits);
    return !rows && rows.error().code == Code::full;
  };
  EXPECT_FALSE(refused({.bytes_max = 8, .rows_max = 2, .cells_max = 2, .cell_bytes_max = 1}));
  EXPECT_TRUE(refused({.bytes_max = 7}));
  EXPECT_TRUE(refused({.rows_max = 1}));
  EXPECT_TRUE(refused({.cells_max = 1}));
  EXPECT_TRUE(refused({.cell_bytes_max = 0}));
}

TEST(PeopleCsv, ReadsAPerson) {
  const Register read = people(
      "ID,Email,Name,Role,Department,Manager,Employed_From,Employed_Until,Trained,Trained_Until,"
      "Background_Checked,Policy_Accepted,Policy_Version\r\n"
      "4711,ada@Example.com; a.l@example.net,\"Lovelace, Ada\",engineer,Mail,17,2024-02-01,"
      "2026-12-31,2026-01-10,2027-01-09,2024-01-15,2024-02-01T09:30:00+01:00,v3\r\n",
      morning);
  ASSERT_EQ(read.people.size(), 1U);
  const auto fact = [](auto value) { return Fact<decltype(value)>{value, "personnel", morning}; };
  const auto text = [&](const char* value) { return fact(std::string(value)); };
  const Person expected{
      .id = "4711",
      .name = text("Lovelace, Ada"),
      .emails = fact(std::vector<std::string>{"ada@example.com", "a.l@example.net"}),
      .employment = fact(Employment{at("2024-02-01T00:00:00Z"), at("2027-01-01T00:00:00Z")}),
      .manager = text("17"),
      .role = text("engineer"),
      .department = text("Mail"),
      .trained_at = fact(at("2026-01-10T00:00:00Z")),
      .trained_until = fact(at("2027-01-10T00:00:00Z")),
      .background_checked = fact(at("2024-01-15T00:00:00Z")),
      .policy_acceptance = fact(PolicyAcceptance{at("2024-02-01T08:30:00Z"), "v3"})};
  EXPECT_EQ(read.people.front(), expected);
  EXPECT_EQ(read.origin, (Origin{"personnel", morning}));
}

TEST(PeopleCsv, EmptyCellsSayNothing) {
  const Register read = people("id,email,name,trained_until\n1,,, \n", morning);
  EXPECT_EQ(read.people.at(0), Person{.id = "1"});
}

TEST(PeopleCsv, AnEmptyEndBesideABeginningIsNoEnd) {
  const Register read = people("id,employed_from,employed_until\n1,2024-02-01,\n2,,\n", morning);
  ASSERT_TRUE(read.people.at(0).employment);
  EXPECT_EQ(read.people.at(0).employment->value.until, std::nullopt);
  EXPECT_FALSE(read.people.at(1).employment);
}

TEST(PeopleCsv, TheLastDayOfTheCalendarIsALastDay) {
  const Register read =
      people("id,employed_from,employed_until\n1,2024-02-01,9999-12-31\n", morning);
  EXPECT_EQ(read.people.at(0).employment->value.until, Timestamp::latest);
}

TEST(PeopleCsv, OtherColumnsMayBeIgnored) {
  const auto read = read_people("id,Salary,name\n1,=1+1,Ada\n", {"personnel", morning},
                                {.ignored_columns = {"salary"}});
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->people.at(0).name->value, "Ada");
}

class PeopleMistake : public testing::TestWithParam<Mistake> {};

TEST_P(PeopleMistake, IsToldWithItsLine) {
  const auto read = read_people(GetParam().text, {"personnel", morning});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::invalid);
  EXPECT_EQ(read.error().what, GetParam().sentence);
}

INSTANTIATE_TEST_SUITE_P(
    , PeopleMistake,
    testing::Values(
        Mistake{"Nothing", "", "line 1: the row with the columns' names is missing"},
        Mistake{"Nobody", "id,name\n", "line 1: nobody follows it"},
        Mistake{"NoIdColumn", "name\nAda\n", "line 1: the column id is missing"},
        Mistake{"Misspelt", "id,employed_from,employd_until\n1,2024-01-01,2025-01-01\n",
                "line 1: 'employd_until' is no column that is known here; "
                "line 1: employed_from and employed_until must both be columns, or neither"},
        Mistake{"Semicolons", "id;name\n1;Ada\n",
                "line 1: 'id;name' is no column that is known here; "
                "line 1: the column id is missing"},
        Mistake{"ColumnTwice", "id,name,Name\n1,a,b\n", "line 1: the column name is there twice"},
        Mistake{"VersionOfNothing", "id,policy_version\n1,v1\n",
                "line 1: policy_version is there without policy_accepted"},
        Mistake{"TooFewCells", "id,name\n1\n",
                "line 2: it has 1 cells, and not 2 as the first row"},
        Mistake{"NoId", "id,name\n,Ada\n", "line 2: id is missing"},
        Mistake{"IdTwice", "id,name\n1,Ada\n1,Bob\n",
                "line 3: id is '1', which an earlier line has"},
        Mistake{"NoAddress", "id,email\n1,ada@example.com ada\n",
                "line 2: email holds 'ada', which is no e-mail address"},
        Mistake{"NoManager", "id,manager\n1,@boss\n",
                "line 2: manager begins with '@', which a spreadsheet would take for a formula"},
        Mistake{"ManagerIsHalfAnAddress", "id,manager\n1,boss@\n",
                "line 2: manager is neither an id nor an e-mail address"},
        Mistake{"NoDay", "id,trained\n1,2026-02-30\n",
                "line 2: trained is '2026-02-30', which is neither a date nor an RFC 3339 time"},
        Mistake{"DayTheOtherWay", "id,trained\n1,24.11.2026\n",
                "line 2: trained is '24.11.2026', which is neither a date nor an RFC 3339 time"},
        Mistake{"EndBeforeBeginning", "id,employed_from,employed_until\n1,2026-02-02,2026-02-01\n",
                "line 2: employed_until is not after employed_from"},
        Mistake{"EndWithoutBeginning", "id,employed_from,employed_until\n1,,2026-02-01\n",
                "line 2: employed_until is told, and employed_from is not"},
        Mistake{"VersionWithoutDay", "id,policy_accepted,policy_version\n1,,v1\n",
                "line 2: policy_version is told, and policy_accepted is not"},
        Mistake{"Formula", "id,name\n1,\"=HYPERLINK(\"\"http://evil.example\"\",\"\"x\"\")\"\n",
                "line 2: name begins with '=', which a spreadsheet would take for a formula"},
        Mistake{"FormulaBehindABlank", "id,name\n1, +1\n",
                "line 2: name begins with '+', which a spreadsheet would take for a formula"},
        Mistake{"FormulaInTheId", "id,name\n-2,Ada\n",
                "line 2: id begins with '-', which a spreadsheet would take for a formula; "
                "line 2: id is missing"},
        Mistake{"LineInACell", "id,name\n1,\"Ada\nLovelace\"\n",
                "line 2: name holds control characters or line ends"},
        Mistake{"TooLong", "id,name\n1," + std::string(1025, 'a') + "\n",
                "line 2: name has 1025 bytes; at most 1024 are read"},
        Mistake{"AllOfThem", "id,trained,name\n1,soon,Ada\n\n2,later,=1\n",
                "line 2: trained is 'soon', which is neither a date nor an RFC 3339 time; "
                "line 4: name begins with '=', which a spreadsheet would take for a formula; "
                "line 4: trained is 'later', which is neither a date nor an RFC 3339 time"}),
    [](const auto& tested) { return tested.param.name; });

struct Address {
  const char* name;
  std::string text;
  std::optional<std::string> normal;
};

class NormalEmail : public testing::TestWithParam<Address> {};

TEST_P(NormalEmail, HasItsDomainInLowerCase) {
  EXPECT_EQ(normal_email(GetParam().text), GetParam().normal);
}

INSTANTIATE_TEST_SUITE_P(
    , NormalEmail,
    testing::Values(Address{"Plain", "ada@example.com", "ada@example.com"},
                    Address{"DomainHasNoCase", "ada@EXAMPLE.Com", "ada@example.com"},
                    Address{"LocalPartHasOne", "Ada@example.com", "Ada@example.com"},
                    Address{"LastAtCounts", "\"a@b\"@example.com", "\"a@b\"@example.com"},
                    Address{"NoAt", "example.com", {}}, Address{"NoLocalPart", "@example.com", {}},
                    Address{"NoDomain", "ada@", {}}, Address{"Blank", "a da@example.com", {}},
                    Address{"LineFeed", "ada@example.com\n", {}},
                    Address{"Two", "a@example.com,b@example.com", {}},
                    Address{"NoUtf8", "\xFF@example.com", {}}, Address{"Empty", "", {}},
                    Address{"TooLong", std::string(243, 'a') + "@example.com", {}},
                    Address{"JustNotTooLong", std::string(242, 'a') + "@example.com",
                            std::string(242, 'a') + "@example.com"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace mailwarden::identity
