#include "detect/decimal.h"

#include <gtest/gtest.h>

namespace mailwarden::detect {
namespace {

TEST(Decimal, ReadsWhatJsonCallsANumberAndNothingElse) {
  for (const char* number : {"0", "-0", "5", "-5", "05", "5.0", "1e5", "1E+5", "1.25e-3",
                             "123456789012345678901234567890", "0.000"}) {
    EXPECT_TRUE(Decimal::parse(number)) << number;
  }
  for (const char* other : {"", "-", "+5", " 5", "5 ", ".5", "5.", "1e", "1e+", "0x10", "inf",
                            "nan", "1.2.3", "5e1.0", "1e9999999999", "--5", "1_000"}) {
    EXPECT_FALSE(Decimal::parse(other)) << other;
  }
}

TEST(Decimal, EqualNumbersHaveOneCanonicalForm) {
  for (const auto& [a, b] : {std::pair{"22", "22.0"},
                             {"0", "-0.00"},
                             {"1e2", "100"},
                             {"0.5", "5e-1"},
                             {"007", "7"},
                             {"1200e-2", "12"},
                             {"9007199254740993", "9007199254740993.0"}}) {
    EXPECT_EQ(Decimal::parse(a)->canonical(), Decimal::parse(b)->canonical()) << a << " " << b;
    EXPECT_EQ(*Decimal::parse(a), *Decimal::parse(b)) << a << " " << b;
  }
  for (const auto& [a, b] : {std::pair{"9007199254740992", "9007199254740993"},
                             {"1", "-1"},
                             {"1", "10"},
                             {"0.1", "0.01"},
                             {"1e100", "1e101"}}) {
    EXPECT_NE(Decimal::parse(a)->canonical(), Decimal::parse(b)->canonical()) << a << " " << b;
  }
}

TEST(Decimal, APlainIntegerIsItsOwnCanonicalForm) {
  for (const char* number : {"0", "1", "22", "4688", "18446744073709551615"}) {
    EXPECT_TRUE(is_plain_integer(number)) << number;
    EXPECT_EQ(Decimal::parse(number)->canonical(), number);
  }
  for (const char* other : {"", "00", "05", "-1", "1.0", "1e2", "a"}) {
    EXPECT_FALSE(is_plain_integer(other)) << other;
  }
}

TEST(Decimal, IsOrdered) {
  const std::vector<std::string> ascending{"-1e9", "-10", "-9.99", "-1",  "-0.5", "0",
                                           "0.01", "0.1", "0.5",   "4.9", "5",    "5.0001",
                                           "10",   "99",  "1e9",   "1e10"};
  for (std::size_t a = 0; a < ascending.size(); ++a) {
    for (std::size_t b = 0; b < ascending.size(); ++b) {
      EXPECT_EQ(*Decimal::parse(ascending[a]) <=> *Decimal::parse(ascending[b]), a <=> b)
          << ascending[a] << " " << ascending[b];
    }
  }
}

}  // namespace
}  // namespace mailwarden::detect
